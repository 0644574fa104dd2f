/**
 * Tells each node its whole desired set. A set is prepared at the end of the turn that changed it and leaves when
 * that turn is durable, so no agent acts on what a crash could take back. `version` is the index at which the set of that
 * node last changed.
 */
import { type DesiredEntry, type DesiredSet, hashEntries } from '../agent/index.js'
import { type Allocation, isClientTerminal, isServerTerminal, type Job, type LogIndex } from '../domain/index.js'
import { jobOfAllocation, jobVersionKey } from '../state/index.js'
import type { HostChannel } from './host-channel.js'
import type { Leader } from './leader.js'

type NodeVersions = {
  /** Index of the last change of the set. */
  version: LogIndex
  /** The newest version that has left, which is what an agent that missed nothing holds. */
  sentVersion: LogIndex
}

export class AllocationPublisher {
  readonly #leader: Leader
  readonly #channel: HostChannel
  /** Every set counts as changed when the lead was taken: an agent that holds an older one pulls. */
  readonly #bornIndex: LogIndex
  readonly #nodes = new Map<string, NodeVersions>()
  readonly #changed = new Set<string>()

  constructor(leader: Leader, channel: HostChannel) {
    this.#leader = leader
    this.#channel = channel
    this.#bornIndex = leader.state.index
    leader.state.allocations.observe((before, after) => {
      if (isSameEntry(before, after)) return
      if (before !== undefined) this.#changed.add(before.NodeID)
      if (after !== undefined) this.#changed.add(after.NodeID)
    })
  }

  /** What a node that has missed nothing holds. */
  versionOf(nodeId: string): LogIndex {
    return this.#nodes.get(nodeId)?.version ?? this.#bornIndex
  }

  /** Of what has left already: the answer to a heartbeat, which must not tell of anything undurable. */
  sentVersionOf(nodeId: string): LogIndex {
    return this.#nodes.get(nodeId)?.sentVersion ?? this.#bornIndex
  }

  /** Prepares one message for each set that this turn changed; the last of the turn-end works. */
  prepare(): void {
    const index = this.#leader.state.index
    for (const nodeId of this.#changed) {
      const baseVersion = this.versionOf(nodeId)
      this.#nodes.set(nodeId, { version: index, sentVersion: this.sentVersionOf(nodeId) })
      // Who has not spoken yet is not listening: with its first word it hears that there is something to pull.
      const isListening = this.#channel.sessionOf(nodeId) !== undefined
      const send = isListening ? this.#channel.sealSet(nodeId, this.compose(nodeId, baseVersion)) : undefined
      this.#leader.release(index, () => {
        // A later turn may have replaced the record of this node; what left is told to whichever is there now.
        const current = this.#nodes.get(nodeId)!
        current.sentVersion = Math.max(current.sentVersion, index)
        send?.()
      })
    }
    this.#changed.clear()
  }

  /** The set of a node as it is in this turn, with the bodies of what changed after `baseVersion` (0: all). */
  compose(nodeId: string, baseVersion: LogIndex): DesiredSet {
    const { state, epoch } = this.#leader
    const entries: DesiredEntry[] = []
    const bodies: Allocation[] = []
    for (const allocation of state.allocations.valuesBy('node', nodeId)) {
      if (isClientTerminal(allocation)) continue
      entries.push(entryOf(allocation))
      if (allocation.AllocModifyIndex > baseVersion) bodies.push(allocation)
    }
    return {
      clusterId: state.clusterId,
      epoch,
      nodeId,
      version: this.versionOf(nodeId),
      baseVersion,
      count: entries.length,
      hash: hashEntries(entries),
      entries,
      bodies,
      jobs: this.#jobsOf(bodies),
    }
  }

  #jobsOf(allocations: readonly Allocation[]): readonly Job[] {
    const jobs = new Map<string, Job>()
    for (const allocation of allocations) {
      const { Namespace, JobID, JobCreateIndex, JobVersion } = allocation
      const job = jobOfAllocation(this.#leader.state, allocation)
      if (job !== undefined) jobs.set(jobVersionKey(Namespace, JobID, JobCreateIndex, JobVersion), job)
    }
    return [...jobs.values()]
  }
}

function entryOf(allocation: Allocation): DesiredEntry {
  return [allocation.ID, allocation.AllocModifyIndex, isServerTerminal(allocation) ? 'stop' : 'run']
}

/** Whether the node's set is the same with either row: reports of the agent itself do not change it until the end. */
function isSameEntry(before: Allocation | undefined, after: Allocation | undefined): boolean {
  const wasIn = before !== undefined && !isClientTerminal(before)
  const isIn = after !== undefined && !isClientTerminal(after)
  if (!wasIn || !isIn) return wasIn === isIn
  return before.AllocModifyIndex === after.AllocModifyIndex
}
