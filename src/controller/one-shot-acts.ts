/**
 * Acts that a commit asks for by trailer, once: `Drover-Promote: <jobs or deployments>`, `Drover-Evaluate: <jobs>`,
 * `Drover-Restart: <allocations>`. A job is named by its id or as `<namespace>/<id>`, everything else by its id or the beginning of it.
 */
import { type Allocation, type Commit, type Deployment, isDeploymentActive, isTerminal, type Job, type Random } from '../domain/index.js'
import { type CommandBody, jobKey, ownerKey, type StateView } from '../state/index.js'
import { promotableGroups } from './deployment-watcher.js'
import { newEvaluation } from './new-evaluation.js'
import { ALLOW_DELETE, ALLOW_REWIND, isJobNamed, trailerWords } from './trailers.js'

/** What the trailers come to now, and for each that comes to nothing why. */
interface OneShotActs {
  readonly commands: readonly CommandBody[]
  /** Those that come to something. */
  readonly done: readonly string[]
  readonly ignored: readonly string[]
}

export function oneShotActs(view: StateView, trailers: Commit['trailers'], random: Random): OneShotActs {
  const commands: CommandBody[] = []
  const done: string[] = []
  const ignored: string[] = []
  for (const { key, value } of trailers) {
    if (READ_ELSEWHERE.has(key.toLowerCase())) continue
    const act = ACTS_BY_KEY.get(key.toLowerCase())
    for (const name of trailerWords(value)) {
      const result = act === undefined ? `there is no such trailer; there are ${KNOWN.join(', ')}` : act(view, name, random)
      if (typeof result === 'string') ignored.push(`${key}: ${name}: ${result}`)
      else {
        commands.push(result)
        done.push(`${key}: ${name}`)
      }
    }
  }
  return { commands, done, ignored }
}

/** The guards of deletions and rewinds ask for these. */
const GUARDS = [ALLOW_DELETE, ALLOW_REWIND]
const READ_ELSEWHERE: ReadonlySet<string> = new Set(GUARDS.map((name) => name.toLowerCase()))

/** The command, or why there is nothing to do. */
type Act = (view: StateView, name: string, random: Random) => CommandBody | string

const ACTS: Readonly<Record<string, Act>> = {
  'Drover-Promote': (view, name, random) => {
    const deployment = findDeployment(view, name)
    if (deployment === undefined) return 'no roll-out of this job or id is under way'
    const groups = promotableGroups(view, deployment)
    if (groups.length === 0) return 'no canaries wait to be promoted, or not all of them are healthy'
    const job = view.jobs.get(ownerKey(deployment))!
    const evaluations = [newEvaluation(random.uuid(), job, 'deployment-watcher', { DeploymentID: deployment.ID })]
    return { kind: 'deployment-promote', deploymentId: deployment.ID, groups, evaluations }
  },
  'Drover-Evaluate': (view, name, random) => {
    const job = findJob(view, name)
    if (job === undefined) return 'no job of this id is registered'
    return { kind: 'evaluation-update', evaluations: [newEvaluation(random.uuid(), job, 'job-register')] }
  },
  // Another takes its place, perhaps elsewhere.
  'Drover-Restart': (view, name, random) => {
    const allocation = findOnly(view.allocations.values(), name)
    if (typeof allocation === 'string') return allocation
    const job = view.jobs.get(ownerKey(allocation))
    if (isTerminal(allocation) || job === undefined || job.Stop) return 'the allocation has ended'
    const evaluations = [newEvaluation(random.uuid(), job, 'alloc-stop')]
    return { kind: 'allocation-transition', transitions: { [allocation.ID]: { Migrate: true } }, evaluations }
  },
  'Drover-Dispatch': () => 'parameterized jobs do not run yet',
  'Drover-Force': () => 'periodic jobs do not run yet',
}

const ACTS_BY_KEY: ReadonlyMap<string, Act> = new Map(Object.entries(ACTS).map(([name, act]) => [name.toLowerCase(), act]))
const KNOWN = [...Object.keys(ACTS), ...GUARDS]
const ID_LENGTH_MIN = 8

function findJob(view: StateView, name: string): Job | undefined {
  for (const job of view.jobs.values()) if (!job.Stop && isJobNamed(job, name)) return job
  return undefined
}

/** The roll-out that is under way, of a job or by its own id. */
function findDeployment(view: StateView, name: string): Deployment | undefined {
  const isUnderWay = (deployment: Deployment) =>
    isDeploymentActive(deployment) && deployment.JobVersion === view.jobs.get(ownerKey(deployment))?.Version
  const job = findJob(view, name)
  if (job !== undefined) return view.deployments.by('job', jobKey(job)).find(isUnderWay)
  const found = findOnly(view.deployments.values(), name)
  return typeof found !== 'string' && isUnderWay(found) ? found : undefined
}

/** The one whose id begins like this, or why there is none. */
function findOnly<Row extends Pick<Allocation, 'ID'>>(rows: Iterable<Row>, prefix: string): Row | string {
  if (prefix.length < ID_LENGTH_MIN) return `give at least ${ID_LENGTH_MIN} characters of its id`
  const found = [...rows].filter((row) => row.ID.startsWith(prefix))
  if (found.length === 1) return found[0]!
  return found.length === 0 ? 'there is none of this id' : `the ids of ${found.length} begin like this`
}
