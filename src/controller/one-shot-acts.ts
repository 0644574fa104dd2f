/**
 * Acts that a commit asks for by trailer, once (docs/repository.md). A job is named by its id or as `<namespace>/<id>`, everything else by
 * its id or the beginning of it.
 */
import { type Allocation, type Commit, type Deployment, isDeploymentActive, type Job, type Node, SOURCE_DEFAULT } from '../domain/index.js'
import { type CommandBody, jobKey, ownerKey, type StateView } from '../state/index.js'
import { type ActEnv, type Decided, refused } from './acts/act.js'
import { ACTS } from './acts/index.js'
import { promotableGroups } from './deployment-watcher.js'
import { type PayloadFiles, readDispatchTrailer } from './dispatch-trailer.js'
import { readDrainTrailer } from './drain-trailer.js'
import { FIRST_SOURCE, mayActOn, type SourceScope } from './sources/source-scope.js'
import { ALLOW_DELETE, ALLOW_REWIND, APPROVE, DISPATCH, isJobNamed, trailerWords } from './trailers.js'

/** What the trailers come to, and for each that comes to nothing why. */
export interface OneShotActs {
  readonly done: readonly string[]
  readonly ignored: readonly string[]
}

export interface TrailerContext {
  readonly env: ActEnv
  /** Of the commit: what jobs are dispatched with. */
  readonly payloads: PayloadFiles
  /** Whose commit it is: of others than the first only what is their own is acted on. Absent: the only one. */
  readonly scope?: SourceScope | undefined
  /** Called for each act in turn, so that the next one sees what it did. */
  readonly propose: (commands: readonly CommandBody[]) => void
}

export function performTrailers(view: StateView, trailers: Commit['trailers'], context: TrailerContext): OneShotActs {
  const done: string[] = []
  const ignored: string[] = []
  for (const { key, value } of trailers) {
    if (READ_ELSEWHERE.has(key.toLowerCase())) continue
    const act = ACTS_BY_KEY.get(key.toLowerCase()) ?? UNKNOWN
    for (const asked of act.isOfWords ? trailerWords(value) : [value]) {
      const outcome = act.decide(view, asked, context)
      if (outcome.kind === 'refused') {
        ignored.push(`${key}: ${asked}: ${outcome.text}`)
        continue
      }
      context.propose(outcome.commands)
      done.push(`${key}: ${asked}`)
    }
  }
  return { done, ignored }
}

/** The guards of deletions and rewinds, and those of signatures, ask for these. */
const GUARDS = [ALLOW_DELETE, ALLOW_REWIND, APPROVE]
const READ_ELSEWHERE: ReadonlySet<string> = new Set(GUARDS.map((name) => name.toLowerCase()))

interface TrailerAct {
  /** Each word of the value is an act of its own. */
  readonly isOfWords: boolean
  readonly decide: (view: StateView, asked: string, context: TrailerContext) => Decided<unknown> | ReturnType<typeof refused>
}

const ofWords = (decide: TrailerAct['decide']): TrailerAct => ({ isOfWords: true, decide })
const ofLine = (decide: TrailerAct['decide']): TrailerAct => ({ isOfWords: false, decide })

/** An act on a job that is named by one word. */
function ofJobs(decide: (view: StateView, job: Job, env: ActEnv) => ReturnType<TrailerAct['decide']>): TrailerAct {
  return ofWords((view, name, { env, scope }) => {
    const job = findJob(view, scope, name)
    return job === undefined ? refused('no job of this id is registered') : decide(view, job, env)
  })
}

/** An act on the roll-out that is under way, of a job or by its own id. */
function ofDeployments(decide: (view: StateView, deployment: Deployment, env: ActEnv) => ReturnType<TrailerAct['decide']>): TrailerAct {
  return ofWords((view, name, { env, scope }) => {
    const deployment = findDeployment(view, scope, name)
    return deployment === undefined ? refused('no roll-out of this job or id is under way') : decide(view, deployment, env)
  })
}

function ofAllocations(decide: (view: StateView, allocation: Allocation, env: ActEnv) => ReturnType<TrailerAct['decide']>): TrailerAct {
  return ofWords((view, name, { env, scope }) => {
    const allocation = findOnly(ownRows(view, scope, view.allocations.values()), name)
    return typeof allocation === 'string' ? refused(allocation) : decide(view, allocation, env)
  })
}

function markOne(view: StateView, { ID, DeploymentID }: Allocation, isHealthy: boolean, env: ActEnv): ReturnType<TrailerAct['decide']> {
  if (DeploymentID === undefined) return refused('the allocation belongs to no roll-out')
  const marks = { healthy: isHealthy ? [ID] : [], unhealthy: isHealthy ? [] : [ID] }
  return ACTS['deployment-health'](view, { deploymentId: DeploymentID, ...marks }, env)
}

const TRAILERS: Readonly<Record<string, TrailerAct>> = {
  'Drover-Promote': ofDeployments((view, deployment, env) => {
    const groups = promotableGroups(view, deployment)
    if (groups.length === 0) return refused('no canaries wait to be promoted, or not all of them are healthy')
    return ACTS['deployment-promote'](view, { deploymentId: deployment.ID, groups }, env)
  }),
  'Drover-Fail': ofDeployments((view, { ID }, env) => ACTS['deployment-fail'](view, { deploymentId: ID }, env)),
  'Drover-Pause': ofDeployments((view, { ID }, env) => ACTS['deployment-pause'](view, { deploymentId: ID, isPaused: true }, env)),
  'Drover-Resume': ofDeployments((view, { ID }, env) => ACTS['deployment-pause'](view, { deploymentId: ID, isPaused: false }, env)),
  'Drover-Healthy': ofAllocations((view, allocation, env) => markOne(view, allocation, true, env)),
  'Drover-Unhealthy': ofAllocations((view, allocation, env) => markOne(view, allocation, false, env)),
  'Drover-Evaluate': ofJobs((view, job, env) => ACTS['job-evaluate'](view, { ...named(job), forceReschedule: false }, env)),
  'Drover-Force': ofJobs((view, job, env) => ACTS['job-force'](view, named(job), env)),
  'Drover-Stop': ofJobs((view, job, env) => ACTS['child-stop'](view, { ...named(job), purge: false }, env)),
  // Another takes its place, perhaps elsewhere.
  'Drover-Restart': ofAllocations((view, { ID }, env) => {
    return ACTS['allocation-stop'](view, { allocationId: ID, skipsShutdownDelay: false }, env)
  }),
  // A host each, or * for all.
  'Drover-Replace-Lost': ofWords((view, name, { env, scope }) => {
    if (scope !== undefined && scope.id !== SOURCE_DEFAULT) return refused(HOSTS_OF_FIRST)
    const node = name === '*' ? undefined : findNode(view, name)
    return typeof node === 'string' ? refused(node) : ACTS['losses-release'](view, { nodeIds: node === undefined ? null : [node.ID] }, env)
  }),
  'Drover-Drain': ofLine((view, line, { env, scope }) => {
    if (scope !== undefined && scope.id !== SOURCE_DEFAULT) return refused(HOSTS_OF_FIRST)
    const reading = readDrainTrailer(line)
    if (reading.kind === 'mistake') return refused(reading.problem)
    const node = findNode(view, reading.host)
    return typeof node === 'string' ? refused(node) : ACTS['node-drain'](view, { nodeId: node.ID, ...reading.request }, env)
  }),
  [DISPATCH]: ofLine((view, line, { env, payloads, scope }) => {
    const reading = readDispatchTrailer(line, payloads)
    if (reading.kind === 'mistake') return refused(reading.problem)
    const priorityMax = scope?.limits?.priorityMax ?? Number.POSITIVE_INFINITY
    if (reading.request.priority > priorityMax)
      return refused(`priority ${reading.request.priority} is above ${priorityMax}, the highest that is allowed to this source`)
    const parent = findJob(view, scope, reading.job)
    return parent === undefined
      ? refused('no job of this id is registered')
      : ACTS['job-dispatch'](view, { ...named(parent), ...reading.request }, env)
  }),
}

const ACTS_BY_KEY: ReadonlyMap<string, TrailerAct> = new Map(Object.entries(TRAILERS).map(([name, act]) => [name.toLowerCase(), act]))
const KNOWN = [...Object.keys(TRAILERS), ...GUARDS]
const UNKNOWN = ofWords(() => refused(`there is no such trailer; there are ${KNOWN.join(', ')}`))
const ID_LENGTH_MIN = 8

function named(job: Job): { readonly namespace: string; readonly jobId: string } {
  return { namespace: job.Namespace, jobId: job.ID }
}

const HOSTS_OF_FIRST = 'hosts are in the hands of the first source'

type Owned = { readonly Namespace: string; readonly JobID: string }

/** What the trailers of a source may act on. */
function* ownRows<Row extends Owned>(view: StateView, scope: SourceScope | undefined, rows: Iterable<Row>): Iterable<Row> {
  for (const row of rows) if (mayActOn(view, scope ?? FIRST_SOURCE, ownerKey(row))) yield row
}

function findJob(view: StateView, scope: SourceScope | undefined, name: string): Job | undefined {
  for (const job of view.jobs.values())
    if (!job.Stop && isJobNamed(job, name) && mayActOn(view, scope ?? FIRST_SOURCE, jobKey(job))) return job
  return undefined
}

/** The roll-out that is under way, of a job or by its own id. */
function findDeployment(view: StateView, scope: SourceScope | undefined, name: string): Deployment | undefined {
  const isUnderWay = (deployment: Deployment) =>
    isDeploymentActive(deployment) && deployment.JobVersion === view.jobs.get(ownerKey(deployment))?.Version
  const job = findJob(view, scope, name)
  if (job !== undefined) return view.deployments.by('job', jobKey(job)).find(isUnderWay)
  const found = findOnly(ownRows(view, scope, view.deployments.values()), name)
  return typeof found !== 'string' && isUnderWay(found) ? found : undefined
}

/** By its name, or the beginning of its id. */
function findNode(view: StateView, name: string): Node | string {
  for (const node of view.nodes.values()) if (node.Name === name) return node
  const found = findOnly(view.nodes.values(), name)
  return typeof found === 'string' ? 'there is no host of this name or id' : found
}

/** The one whose id begins like this, or why there is none. */
function findOnly<Row extends Pick<Allocation, 'ID'>>(rows: Iterable<Row>, prefix: string): Row | string {
  if (prefix.length < ID_LENGTH_MIN) return `give at least ${ID_LENGTH_MIN} characters of its id`
  const found = [...rows].filter((row) => row.ID.startsWith(prefix))
  if (found.length === 1) return found[0]!
  return found.length === 0 ? 'there is none of this id' : `the ids of ${found.length} begin like this`
}
