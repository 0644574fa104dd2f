/** Waiting for a roll-out, with progress on the way. */
import type { Client } from './client.js'
import { CommandError, type Io } from './command.js'
import { describeStatus } from './status/jobs.js'
import { counted } from './table.js'
import { pause } from './watch.js'
import type { AllocationStub, DeploymentAnswer, EvaluationAnswer, JobAnswer, JobSourceAnswer, SourceAnswer, WaitingAnswer } from './wire.js'

const FAILED = 2
const TOO_LATE = 3
export const ROLL_OUT_CODES = { [FAILED]: 'with --wait: the roll-out failed', [TOO_LATE]: 'with --wait: it has not ended in time' } as const

const PERIOD_MS = 500

interface Waiting {
  readonly commit: string | undefined
  readonly timeoutMs: number
}

/** `text` is told whenever it changes; `code` once it has ended. */
interface Progress {
  readonly text: string
  readonly code?: number
}

/** @returns the exit code */
export async function awaitRollOut(id: string, { commit, timeoutMs }: Waiting, client: Client, io: Io): Promise<number> {
  const deadlineMs = Date.now() + timeoutMs
  let told = ''
  while (!io.signal.aborted) {
    const progress = await look(id, commit, client)
    if (progress.text !== told) io.err(`${progress.text}\n`)
    told = progress.text
    if (progress.code !== undefined) return progress.code
    if (Date.now() >= deadlineMs) {
      io.err(`${id}: not finished in time; "drover why ${id}" tells what is missing\n`)
      return TOO_LATE
    }
    await pause(PERIOD_MS, io.signal)
  }
  throw new CommandError('stopped', 130)
}

async function look(id: string, commit: string | undefined, client: Client): Promise<Progress> {
  if (commit !== undefined && !(await hasReached(commit, client))) return { text: `${id}: waiting for the server to reach ${commit}` }
  const waiting = (await client.get<readonly WaitingAnswer[]>('/drover/v1/waiting')).find(({ jobId }) => jobId === id)
  if (waiting !== undefined) return { text: `${id}: waits: ${waiting.reasons.map(({ text }) => text).join('; ')}` }
  const path = `/v1/job/${encodeURIComponent(id)}`
  const job = await client.find<JobAnswer>(path)
  if (job === undefined) return absent(id, client)
  const [deployment, allocations, evaluations, owned] = await Promise.all([
    client.get<DeploymentAnswer | null>(`${path}/deployment`),
    client.get<readonly AllocationStub[]>(`${path}/allocations`),
    client.get<readonly EvaluationAnswer[]>(`${path}/evaluations`),
    client.get<readonly JobSourceAnswer[]>('/drover/v1/jobs'),
  ])
  const setAside = owned.find(({ jobId }) => jobId === id)?.standing?.setAside ?? null
  const own = allocations.filter(({ JobVersion, DesiredStatus }) => JobVersion === job.Version && DesiredStatus === 'run')
  const ended = judge(job, deployment, own, evaluations, setAside !== null)
  return { ...ended, text: `${id} v${job.Version}: ${ended.text}` }
}

function judge(
  job: JobAnswer,
  deployment: DeploymentAnswer | null,
  own: readonly AllocationStub[],
  evaluations: readonly EvaluationAnswer[],
  isSetAside: boolean,
): Progress {
  if (isSetAside) return { text: 'the newest version failed and was set aside; this older one runs', code: FAILED }
  if (deployment !== null && deployment.JobVersion === job.Version) return judgeDeployment(deployment)
  const open = evaluations.filter(({ Status }) => Status === 'pending')
  const isBlocked = evaluations.some(({ Status }) => Status === 'blocked')
  const running = own.filter(({ ClientStatus }) => ClientStatus === 'running').length
  if (job.Status === 'dead' && open.length === 0) {
    const text = describeStatus({ ...job, Allocs: own })
    return { text, code: text.includes('failed') ? FAILED : 0 }
  }
  const isSettled = own.every(({ ClientStatus }) => ClientStatus === 'running' || ClientStatus === 'complete')
  const text = `${counted(running, 'allocation')} of ${own.length} running${isBlocked ? ', some have no node' : ''}`
  const isDone = open.length === 0 && !isBlocked && isSettled && (own.length > 0 || job.TaskGroups.every(({ Count }) => Count === 0))
  // Work that ends is waited for until it has ended.
  return isDone && job.Type !== 'batch' && job.Type !== 'sysbatch' ? { text, code: 0 } : { text }
}

function judgeDeployment({ Status, StatusDescription, TaskGroups }: DeploymentAnswer): Progress {
  const groups = Object.values(TaskGroups)
  const sum = (member: 'HealthyAllocs' | 'DesiredTotal') => groups.reduce((total, group) => total + group[member], 0)
  if (Status === 'successful') return { text: `${sum('HealthyAllocs')} of ${sum('DesiredTotal')} healthy, successful`, code: 0 }
  if (Status === 'failed' || Status === 'cancelled') return { text: `${Status}: ${StatusDescription}`, code: FAILED }
  return { text: `${sum('HealthyAllocs')} of ${sum('DesiredTotal')} healthy (${StatusDescription})` }
}

/** A file with mistakes never becomes a job by waiting. */
async function absent(id: string, client: Client): Promise<Progress> {
  const sources = await client.get<readonly SourceAnswer[]>('/drover/v1/source')
  const frozen = sources.flatMap((source) => source.frozen).find(({ jobId }) => jobId === id)
  return frozen === undefined ? { text: `${id}: there is no such job yet` } : { text: `${id}: ${frozen.path} has mistakes`, code: FAILED }
}

async function hasReached(commit: string, client: Client): Promise<boolean> {
  const sources = await client.get<readonly SourceAnswer[]>('/drover/v1/source')
  if (sources.some((source) => source.commit?.id.startsWith(commit.toLowerCase()) === true)) return true
  return (await client.find(`/drover/v1/commits/${encodeURIComponent(commit)}`)) !== undefined
}
