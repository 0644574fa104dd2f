/** `summary.json` and `jobstatus.json`: scripts against an empty store, and what is derived of each job after every step. */
import type { Allocation, AllocationReport, Deployment, Evaluation, Job, Plan } from '../../../src/domain/index.js'
import { canonicalizeJob, isSpecChanged, readApiJob } from '../../../src/jobspec/index.js'
import { apply, type CommandBody, State } from '../../../src/state/index.js'
import { allocation, deployment, evaluation } from '../../fixtures.js'
import { compareJson, type Mismatch } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

const EMPTY_PLAN: Plan = {
  EvalID: '',
  Namespace: 'default',
  JobID: '',
  Stops: [],
  Placements: [],
  Updates: [],
  Preemptions: [],
  Deployment: null,
  DeploymentUpdates: [],
  Annotations: null,
}

type Row = Readonly<Record<string, unknown>> & { readonly ID: string }

interface Step {
  readonly op: string
  readonly job?: unknown
  readonly objs?: readonly Row[]
  readonly id?: string
  readonly status?: Deployment['Status']
  readonly evals?: readonly string[]
  readonly allocs?: readonly string[]
  readonly user?: boolean
}

interface SeenJob {
  readonly Status: string
  readonly Version: number
  readonly Summary: unknown
  readonly Children: unknown
}

interface Case {
  readonly name: string
  readonly steps: readonly Step[]
  readonly after: readonly { readonly jobs: Readonly<Record<string, SeenJob>>; readonly error?: string }[]
}

function storeKind(kind: string, members: readonly (keyof SeenJob)[]): VectorKind {
  return {
    kind,
    *run(content) {
      for (const each of content as readonly Case[]) yield runCase(each, members)
    },
  }
}

export const STORE_KINDS: readonly VectorKind[] = [
  storeKind('pure/summary', ['Summary', 'Children']),
  storeKind('pure/jobstatus', ['Status', 'Version']),
]

function runCase({ name, steps, after }: Case, members: readonly (keyof SeenJob)[]): CaseResult {
  const state = new State()
  let atMs = 1_000
  const propose = (body: CommandBody) => {
    atMs += 1_000
    apply(state, state.index + 1, { ...body, atMs })
  }
  propose({ kind: 'leadership-begin', epoch: 1, clusterId: 'c', leader: 'l' })
  const mismatches: Mismatch[] = []
  for (const [at, step] of steps.entries()) {
    const { jobs, error } = after[at]!
    // A refused step changes nothing; what is refused is for the routes to say.
    if (error === undefined) for (const body of commandsOf(state, step)) propose(body)
    mismatches.push(...compareJson(pick(jobs, members), pick(seenJobs(state), members), {}, `$.after[${at}]`))
  }
  return { name, mismatches }
}

function pick(jobs: Readonly<Record<string, SeenJob>>, members: readonly (keyof SeenJob)[]): unknown {
  return Object.fromEntries(Object.entries(jobs).map(([id, job]) => [id, Object.fromEntries(members.map((name) => [name, job[name]]))]))
}

function seenJobs(state: State): Readonly<Record<string, SeenJob>> {
  return Object.fromEntries(
    state.jobs.all().map((job) => {
      const summary = state.jobSummaries.get(`${job.Namespace}\u0000${job.ID}`)
      return [job.ID, { Status: job.Status, Version: job.Version, Summary: summary?.Summary, Children: summary?.Children }]
    }),
  )
}

function commandsOf(state: State, step: Step): readonly CommandBody[] {
  switch (step.op) {
    case 'job':
      return [registration(state, step.job)]
    case 'stopjob':
    case 'purgejob':
      return [{ kind: 'job-deregister', namespace: 'default', jobId: step.id!, purge: step.op === 'purgejob', evaluations: [] }]
    case 'eval':
      return [{ kind: 'evaluation-update', evaluations: step.objs!.map((row) => ({ ...evaluation(), ...row }) as Evaluation) }]
    case 'alloc':
      return allocations(state, step.objs!)
    case 'allocclient':
      return [
        {
          kind: 'allocation-update',
          nodeId: step.objs![0]!['NodeID'] as string,
          reports: step.objs!.map((row) => ({ ClientDescription: '', TaskStates: {}, ...row }) as unknown as AllocationReport),
          services: [],
          evaluations: [],
        },
      ]
    case 'deployment':
      return step.objs!.map((row) => ({
        kind: 'plan-apply',
        plan: { ...EMPTY_PLAN, JobID: row['JobID'] as string, Deployment: deploymentOf(state, row) },
        closes: null,
      }))
    case 'deploymentstatus':
      return [
        {
          kind: 'deployment-update',
          updates: [{ DeploymentID: step.id!, Status: step.status!, StatusDescription: '' }],
          evaluations: [],
        },
      ]
    case 'deleteevals':
      return [{ kind: 'garbage-collect', evaluations: step.evals!, allocations: step.allocs!, deployments: [], nodes: [], jobs: [] }]
    case 'reconcile':
      return [{ kind: 'summaries-reconcile' }]
    default:
      throw new Error(`no step is called ${step.op}`)
  }
}

function registration(state: State, written: unknown): CommandBody {
  const job = canonicalizeJob(readApiJob(written))
  const known = state.jobs.get(`${job.Namespace}\u0000${job.ID}`)
  const isChanged = known === undefined || isSpecChanged(known, job) || known.Stop !== job.Stop
  const { ParentID, Dispatched } = written as Partial<Job>
  const version = known === undefined ? job.Version : known.Version + Number(isChanged)
  const child = { ParentID: ParentID ?? '', Dispatched: Dispatched ?? false }
  return { kind: 'job-register', job: { ...job, ...child, Version: version }, source: null, evaluations: [] }
}

/** Bound to the current version of its job. */
function allocations(state: State, rows: readonly Row[]): readonly CommandBody[] {
  const bound = rows.map((row) => {
    const job = state.jobs.get(`default\u0000${row['JobID']}`)
    const known = state.allocations.get(row.ID)
    return {
      ...(known ?? allocation()),
      ...row,
      // What an agent has said is not for the server to take back.
      ...(known === undefined ? {} : { ClientStatus: known.ClientStatus }),
      JobVersion: job?.Version ?? 0,
      JobCreateIndex: job?.CreateIndex ?? 0,
    } as Allocation
  })
  const isKnown = ({ ID }: Allocation) => state.allocations.get(ID) !== undefined
  return bound.map((row) => {
    const rows = isKnown(row) ? { Updates: [row] } : { Placements: [row] }
    return { kind: 'plan-apply', plan: { ...EMPTY_PLAN, JobID: row.JobID, ...rows }, closes: null }
  })
}

function deploymentOf(state: State, row: Row): Deployment {
  const job = state.jobs.get(`default\u0000${row['JobID']}`)
  return { ...deployment(), JobVersion: job?.Version ?? 0, JobCreateIndex: job?.CreateIndex ?? 0, ...row } as Deployment
}
