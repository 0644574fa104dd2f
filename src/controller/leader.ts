/**
 * The leader: one event loop, one writer, output commit.
 *
 * A command is applied at once, so the next decision always sees the newest state and a plan can never be stale. It is
 * appended in the same breath, many to a batch. What the outside may see of it waits until it is durable. If an append is
 * refused, this process has decided things that never happened: it stops, and whoever leads next folds the log.
 *
 * I1 One epoch commits at a time.                              test/simulation, test/controller/leader.test.ts
 * P1 What anyone outside has seen is in the log.               test/simulation
 */
import { DataDamagedError, explainError, invariant, type LogIndex, OrchestratorError } from '../domain/index.js'
import { apply, type Command, type CommandBody, type CommandKind, cutState, decodeSnapshot, encodeCut, State } from '../state/index.js'
import { ChangeFeed } from './change-feed.js'
import { checksumOf } from './checksum.js'
import { EventFeed } from './event-feed.js'
import { LogClock } from './log-clock.js'
import { COMMAND_BYTES_MAX, CommandReader, ENTRIES_PER_RECORD, encodeCommand, type LogEntry, makeRecord } from './log-record.js'
import type { Clock, CommandLog, Logger, Random, Snapshot } from './ports.js'

export interface LeaderDeps {
  readonly log: CommandLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called once, when this process must not go on. It ends itself and is rebuilt from the log. */
  readonly onStop: (reason: string) => void
  readonly snapshotEveryCommands?: number
  /** What one entry of the log may take. */
  readonly commandBytesMax?: number
}

/** Beyond this nothing more is proposed until the log has caught up. */
const UNDURABLE_COMMANDS_MAX = 10_000
const UNDURABLE_BYTES_MAX = 16 * 1024 * 1024
const SNAPSHOT_EVERY_COMMANDS = 5_000
const SNAPSHOT_EVERY_MS = 3_600_000
const NO_LEADER_AFTER_MS = 10_000
/** Turn-end works that keep asking for another turn without proposing anything are a bug, not a reason to hang. */
const IDLE_ROUNDS_MAX = 16

type Held = { readonly index: LogIndex; readonly release: () => void }

export class Leader {
  readonly state: State
  readonly epoch: number
  /** What reconcilers go by. */
  readonly clock: LogClock
  readonly changes: ChangeFeed
  readonly events: EventFeed
  readonly #deps: LeaderDeps
  #durableIndex: LogIndex
  #chainHash: string
  #batch: Uint8Array[] = []
  #batchBytes = 0
  #undurableBytes = 0
  #isFlushing = false
  #isFlushQueued = false
  #isNudged = false
  #held: Held[] = []
  #roomWaiters: (() => void)[] = []
  readonly #turnEnds: (() => void)[] = []
  #snapshotIndex: LogIndex
  #snapshotMs: number
  #isSnapshotting = false
  #stopped: string | undefined
  #applying: CommandKind = 'leadership-begin'

  /** Folds the log and takes the lead. @throws DataDamagedError, OrchestratorError NOT_LEADER */
  static async start(deps: LeaderDeps): Promise<Leader> {
    const { state, chainHash, snapshotIndex } = await foldLog(deps.log)
    const leader = new Leader(deps, state, chainHash, snapshotIndex)
    const clusterId = state.clusterId || deps.random.uuid()
    leader.propose([{ kind: 'leadership-begin', epoch: leader.epoch, clusterId, leader: deps.random.uuid() }])
    await leader.whenDurable(leader.state.index)
    return leader
  }

  private constructor(deps: LeaderDeps, state: State, chainHash: string, snapshotIndex: LogIndex) {
    this.#deps = deps
    this.state = state
    this.epoch = state.epoch + 1
    this.#durableIndex = state.index
    this.#chainHash = chainHash
    this.#snapshotIndex = snapshotIndex
    this.clock = new LogClock(deps.clock, state.atMs)
    this.#snapshotMs = this.clock.monotonicMs()
    this.changes = new ChangeFeed(state)
    this.events = new EventFeed(state, () => this.#applying)
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined
  }

  /** Nothing was applied after `index`, all is durable, and this process is known to lead still. */
  isCurrent(index: LogIndex): boolean {
    return this.#stopped === undefined && this.state.index === index && this.#durableIndex === index && this.#isLeaseFresh()
  }

  /** False while so much is undurable that reconcilers must wait. */
  get hasRoom(): boolean {
    return (
      this.#stopped === undefined &&
      this.state.index - this.#durableIndex < UNDURABLE_COMMANDS_MAX &&
      this.#undurableBytes < UNDURABLE_BYTES_MAX
    )
  }

  /** Resolves when there is room again; rejects when the process stops first. */
  async room(): Promise<void> {
    while (!this.hasRoom) {
      this.#throwIfStopped()
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
    }
  }

  /** Applies the commands now and appends them with whatever else this turn proposes. Returns the index of the last. */
  propose(bodies: readonly CommandBody[]): LogIndex {
    this.#throwIfStopped()
    for (const body of bodies) {
      const command: Command = { ...body, atMs: this.clock.wallMs() }
      try {
        for (const entry of encodeCommand(command, this.#entryBytesMax)) this.#applyEntry(entry)
      } catch (error) {
        // Part of the command may be in the tables: this memory can no longer be trusted, and nothing of it is written.
        this.stop(`applying ${body.kind} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        throw error
      }
    }
    this.#queueFlush()
    return this.state.index
  }

  #applyEntry({ command, bytes }: LogEntry): void {
    this.#applying = command.kind
    apply(this.state, this.state.index + 1, command)
    this.#batch.push(bytes)
    this.#batchBytes += bytes.length
    this.#undurableBytes += bytes.length
  }

  /**
   * Called at the end of each turn that proposed something, before its batch is appended, in order of registration: first
   * those who decide more from what was just applied, last those who prepare what the outside will see of it.
   */
  onTurnEnd(work: () => void): void {
    this.#turnEnds.push(work)
  }

  /** Makes a turn end soon although nothing was proposed: somebody has work to look at. */
  nudge(): void {
    if (this.#stopped === undefined) this.#queueFlush()
  }

  /**
   * Lets something out once everything up to `index` is durable and this process is known to lead still. Never, when it
   * stops first.
   */
  release(index: LogIndex, output: () => void): void {
    if (this.#stopped !== undefined) return
    if (index <= this.#durableIndex && this.#isLeaseFresh()) return output()
    if (index <= this.#durableIndex) {
      // A no-op that becomes durable is the proof that nobody else leads.
      this.#held.push({ index: this.propose([{ kind: 'leadership-confirm' }]), release: output })
      return
    }
    this.#held.push({ index, release: output })
  }

  /** As `release`, for those who await. Rejects after ten seconds and when the process stops. */
  whenDurable(index: LogIndex): Promise<void> {
    if (index <= this.#durableIndex && this.#stopped === undefined && this.#isLeaseFresh()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const give = (reason: string) => reject(new OrchestratorError('NO_LEADER', 'No cluster leader', { index, reason }))
      if (this.#stopped !== undefined) return give(this.#stopped)
      const cancel = this.clock.after(NO_LEADER_AFTER_MS, () => give('nothing became durable in time'))
      this.release(index, () => {
        cancel()
        resolve()
      })
    })
  }

  /** This process must not go on: nothing is let out and nothing is written from here on, and whoever runs it is told. */
  stop(reason: string): void {
    if (this.#stopped !== undefined) return
    this.retire(reason)
    this.#deps.onStop(reason)
  }

  /** The same, as asked: nobody needs to be told. */
  retire(reason: string): void {
    if (this.#stopped !== undefined) return
    this.#stopped = reason
    this.#held = []
    this.#batch = []
    for (const wake of this.#roomWaiters.splice(0)) wake()
  }

  #throwIfStopped(): void {
    if (this.#stopped !== undefined) throw new OrchestratorError('NO_LEADER', `this server has stopped leading: ${this.#stopped}`)
  }

  #isLeaseFresh(): boolean {
    const { confirmedMs, leaseMs } = this.#deps.log.lease()
    return this.clock.monotonicMs() - confirmedMs < leaseMs / 2
  }

  #queueFlush(): void {
    if (this.#isFlushing) this.#isNudged = true
    if (this.#isFlushing || this.#isFlushQueued) return
    this.#isFlushQueued = true
    queueMicrotask(() => {
      this.#isFlushQueued = false
      if (!this.#isFlushing) void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true
    for (let idleRounds = 0; this.#stopped === undefined; ) {
      this.#isNudged = false
      for (const work of this.#turnEnds) if (this.#stopped === undefined) work()
      if (this.#stopped !== undefined) return
      if (this.#batch.length > 0) {
        idleRounds = 0
        await this.#appendBatch()
      } else if (!this.#isNudged || ++idleRounds > IDLE_ROUNDS_MAX) break
    }
    this.#isFlushing = false
  }

  async #appendBatch(): Promise<void> {
    const commands = this.#takeBatch()
    const firstIndex = this.state.index - this.#batch.length - commands.length + 1
    const record = makeRecord(firstIndex, this.epoch, this.#chainHash, commands)
    this.#chainHash = record.hash
    if (this.#batch.length === 0) this.#maybeSnapshot()
    const outcome = await this.#append(record)
    if (this.#stopped !== undefined) return
    if (outcome.kind === 'refused') return this.stop(`the log refused index ${firstIndex}: ${outcome.reason}`)
    this.#durable(firstIndex + commands.length - 1)
  }

  async #append(record: Parameters<CommandLog['append']>[0]): ReturnType<CommandLog['append']> {
    try {
      return await this.#deps.log.append(record)
    } catch (error) {
      return { kind: 'refused', reason: explainError(error) }
    }
  }

  get #entryBytesMax(): number {
    return this.#deps.commandBytesMax ?? COMMAND_BYTES_MAX
  }

  #takeBatch(): Uint8Array[] {
    const bytesMax = ENTRIES_PER_RECORD * this.#entryBytesMax
    let bytes = 0
    let count = 0
    for (const command of this.#batch) {
      if (count > 0 && bytes + command.length > bytesMax) break
      bytes += command.length
      count++
    }
    this.#batchBytes -= bytes
    return this.#batch.splice(0, count)
  }

  #durable(index: LogIndex): void {
    this.#durableIndex = index
    this.#undurableBytes = this.#batchBytes
    const ready = this.#held.filter((held) => held.index <= index)
    if (ready.length > 0) this.#held = this.#held.filter((held) => held.index > index)
    for (const held of ready) held.release()
    this.changes.release(index)
    this.events.release(index)
    if (this.hasRoom) for (const wake of this.#roomWaiters.splice(0)) wake()
  }

  /** Asked from time to time, so that the log is cut also where little is written. */
  snapshotIfDue(): void {
    if (this.#stopped === undefined && this.#batch.length === 0) this.#maybeSnapshot()
  }

  /** Only where the batch is empty, so that the cut ends where a record ends. */
  #maybeSnapshot(): void {
    const every = this.#deps.snapshotEveryCommands ?? SNAPSHOT_EVERY_COMMANDS
    const count = this.state.index - this.#snapshotIndex
    const isOld = count > 0 && this.clock.monotonicMs() - this.#snapshotMs >= SNAPSHOT_EVERY_MS
    if (this.#isSnapshotting || (count < every && !isOld)) return
    this.#isSnapshotting = true
    this.#snapshotMs = this.clock.monotonicMs()
    this.#writeSnapshot().catch((error: unknown) => {
      this.#deps.logger.error({ error: explainError(error) }, 'snapshot failed')
      this.#isSnapshotting = false
    })
  }

  async #writeSnapshot(): Promise<void> {
    const cut = cutState(this.state)
    const chainHash = this.#chainHash
    const slices: Uint8Array[] = []
    for (const slice of encodeCut(cut)) {
      slices.push(slice)
      await this.breathe()
    }
    const bytes = Buffer.concat(slices)
    await this.whenDurable(cut.counters.index)
    if (this.#stopped !== undefined) return
    const snapshot: Snapshot = { index: cut.counters.index, epoch: this.epoch, chainHash, checksum: checksumOf(bytes), bytes }
    await this.#deps.log.saveSnapshot(snapshot)
    this.#snapshotIndex = snapshot.index
    this.#isSnapshotting = false
    this.#deps.logger.info({ index: snapshot.index, bytes: bytes.length }, 'snapshot saved')
  }

  /** Lets everybody else have a turn: for work that takes more than some milliseconds in all. */
  breathe(): Promise<void> {
    return new Promise((resolve) => this.clock.after(0, resolve))
  }
}

/** State, hash of the last record and index of the snapshot it began from. @throws DataDamagedError on any contradiction */
export async function foldLog(
  log: CommandLog,
): Promise<{ readonly state: State; readonly chainHash: string; readonly snapshotIndex: LogIndex }> {
  const snapshot = await log.loadSnapshot()
  if (snapshot !== undefined && checksumOf(snapshot.bytes) !== snapshot.checksum) {
    throw new DataDamagedError('SNAPSHOT_CHECKSUM', `the snapshot at index ${snapshot.index} is damaged; restore another one`)
  }
  const state = snapshot === undefined ? new State() : replaying(`the snapshot at index ${snapshot.index}`, () => stateOf(snapshot))
  let chainHash = snapshot?.chainHash ?? ''
  const commands = new CommandReader()
  for await (const record of log.read(state.index + 1)) {
    if (record.firstIndex !== state.index + 1 || record.previousHash !== chainHash) {
      throw new DataDamagedError(
        'LOG_CHAIN',
        `the log is broken: after index ${state.index} comes a record at ${record.firstIndex} that does not follow it; restore a snapshot`,
      )
    }
    replaying(`the record at index ${record.firstIndex}`, () => {
      for (const command of commands.read(record)) apply(state, state.index + 1, command)
    })
    chainHash = record.hash
  }
  return { state, chainHash, snapshotIndex: snapshot?.index ?? 0 }
}

function stateOf(snapshot: Snapshot): State {
  const state = decodeSnapshot(snapshot.bytes)
  invariant(state.index === snapshot.index, `it holds index ${state.index}`)
  return state
}

/** What was written once was right then: what cannot be read or applied now is damage, whatever words it is told in. */
function replaying<Result>(what: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof DataDamagedError) throw error
    throw new DataDamagedError('LOG_REPLAY', `${what} cannot be replayed: ${explainError(error)}`, {}, error)
  }
}
