/** Why an allocation has ended, or was told to. */
import { type Allocation, findTaskGroup, isCanary, isServerTerminal, type Job, type Reason, type StopCode } from '../../domain/index.js'
import { LOST, MIGRATING, NOT_NEEDED, RECONNECTED, RESCHEDULED, TAINTED, UPDATING } from '../descriptions.js'

const CODES: Readonly<Record<string, StopCode>> = {
  [LOST]: 'node-down',
  [MIGRATING]: 'node-draining',
  [TAINTED]: 'node-unsuitable',
  [RESCHEDULED]: 'failed-and-replaced',
  [UPDATING]: 'older-version',
  [RECONNECTED]: 'original-came-back',
}

export type Preemptor = Pick<Allocation, 'ID' | 'Name'>

export interface End {
  readonly row: Allocation
  /** As it is wanted now; undefined when it is gone. */
  readonly job: Job | undefined
  /** What the plan or the row says of the end. */
  readonly description: string
  readonly preemptedBy: Preemptor | undefined
}

export function explainStop(end: End): Reason {
  const { row, job, description, preemptedBy } = end
  const code = codeOf(end)
  return {
    code,
    group: row.TaskGroup,
    allocation: { name: row.Name, id: row.ID },
    facts: {
      node: row.NodeName,
      version: row.JobVersion,
      count: countOf(end),
      description,
      ...(job === undefined ? {} : { newestVersion: job.Version }),
      ...(preemptedBy === undefined ? {} : { preemptedBy: preemptedBy.ID, preemptor: preemptedBy.Name }),
    },
    text: `${row.Name} ${code === 'completed' ? 'has completed' : 'was ended'} on ${row.NodeName}: ${sentence(code, end)}`,
  }
}

function countOf({ row, job }: End): number {
  return (job === undefined ? undefined : findTaskGroup(job, row.TaskGroup)?.Count) ?? 0
}

function codeOf({ row, job, description, preemptedBy }: End): StopCode {
  if (description === '' && !isServerTerminal(row) && row.ClientStatus === 'complete') return 'completed'
  if (preemptedBy !== undefined) return 'preempted'
  const known = CODES[description]
  if (known !== undefined) return known
  if (description === '' && row.ClientStatus === 'failed') return 'failed-and-replaced'
  if (description !== NOT_NEEDED) return 'stopped'
  if (job === undefined || job.Stop) return 'job-stopped'
  if (findTaskGroup(job, row.TaskGroup) === undefined) return 'group-removed'
  // Work that is on every node has no count: its node left the pool, the datacenters or the constraints.
  if (job.Type === 'system' || job.Type === 'sysbatch') return 'node-unsuitable'
  return isCanary(row) && row.JobVersion !== job.Version ? 'canary-given-up' : 'surplus'
}

function sentence(code: StopCode, end: End): string {
  const { row, job, preemptedBy } = end
  const sentences: Readonly<Record<StopCode, string>> = {
    'job-stopped': 'the job was stopped',
    'group-removed': `the job has no group ${row.TaskGroup} any more`,
    surplus: `more than the ${countOf(end)} wanted were there`,
    'canary-given-up': `version ${row.JobVersion} was given up`,
    'node-down': 'the node is down',
    'node-draining': 'the node is being drained',
    'node-unsuitable': 'the node may not run it any more',
    'failed-and-replaced': 'it had failed, and another was put in its place',
    'older-version': `it ran version ${row.JobVersion}, the newest is ${job?.Version ?? 'gone'}`,
    'original-came-back': 'the one that it stood in for came back',
    preempted: `${preemptedBy?.Name} is more important and needed the room`,
    stopped: 'it was asked to',
    completed: row.ClientDescription || 'its tasks have ended',
  }
  return sentences[code]
}

/** Of one that is history already only the id is known. */
export function preemptorOf(id: string | undefined, find: (id: string) => Preemptor | undefined): Preemptor | undefined {
  return id === undefined ? undefined : (find(id) ?? { ID: id, Name: id })
}
