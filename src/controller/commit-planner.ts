/**
 * What a commit would change, said before there is one: by the code that the reconciler itself goes through, so that a plan promises
 * nothing that the server would not do. Nothing is proposed.
 */
import {
  type Clock,
  type Commit,
  type CommitPlan,
  type CommitSummary,
  type FrozenFile,
  type Mistake,
  mistakeOfFile,
  namespacedKey,
  type PlannedJob,
  type Random,
  SOURCE_DEFAULT,
  type SummarizedAgents,
  type SummarizedJob,
  sourced,
  type UnsoundFile,
} from '../domain/index.js'
import { type JobKind, poolProblems, transitionProblem } from '../jobspec/index.js'
import { poolCapacities } from '../scheduler/index.js'
import { type CommandBody, jobKey, type StateView, standingOf } from '../state/index.js'
import { computeAgentsChanges } from './agents/agents-changes.js'
import { computeChangesInSlices, type DesiredChanges, type FileReading, type ReadJob } from './desired-state.js'
import type { Leader } from './leader.js'
import { jobRules, namespacesOf } from './namespaces/enforce-namespaces.js'
import { performTrailers } from './one-shot-acts.js'
import { bundleMember } from './order/check-dependencies.js'
import { WaitJudge } from './order/wait-judge.js'
import { guardRewind } from './rewind.js'
import type { SourceScope } from './sources/source-scope.js'
import { specHash } from './spec-hash.js'

type HashedJob = ReadJob & JobKind & { readonly spec: string }

/** What a question needs of the leader. */
type Asked = Pick<Leader, 'state' | 'breathe' | 'whenDurable'> & { readonly clock: Pick<Clock, 'wallMs'> }

/** Of one source. */
export interface SourceRules {
  readonly scope: SourceScope
  readonly rewind: 'hold' | 'follow'
}

/** What a file would hand over is not part of the question. */
const ANY_PAYLOAD = { get: () => ({ kind: 'bytes' as const, bytes: new Uint8Array(1) }) }

export class CommitPlanner {
  readonly #leader: Asked
  readonly #random: Random
  readonly #rulesOf: (sourceId: string) => SourceRules

  /** @param rulesOf throws OrchestratorError UNKNOWN_SOURCE */
  constructor(leader: Asked, random: Random, rulesOf: (sourceId: string) => SourceRules) {
    this.#leader = leader
    this.#random = random
    this.#rulesOf = rulesOf
  }

  /** @throws OrchestratorError UNKNOWN_SOURCE */
  async plan(summary: CommitSummary): Promise<CommitPlan> {
    const { state } = this.#leader
    const { scope, rewind } = this.#rulesOf(summary.source ?? SOURCE_DEFAULT)
    const held =
      summary.leaves === null ? null : guardRewind(summary.leaves, COMMIT.id, summary.trailers, { rewind, isShallow: summary.isShallow })
    if (held !== null) return { ...NOTHING, held }
    const changes = await this.#compare(summary, scope)
    const acts = performTrailers(state, summary.trailers, { env: this.#env, payloads: ANY_PAYLOAD, scope, propose: () => {} })
    const plan = {
      jobs: this.#withWaits(planJobs(state, summary, changes), changes, scope.id),
      capacity: poolCapacities(state, changes.removals),
      held: changes.held,
      namespaces: newNamespaces(state, changes),
      ...(summary.agents === null || scope.id !== SOURCE_DEFAULT ? NO_HOSTS : planAgents(state, summary.agents)),
      acts: acts.done,
      ignored: acts.ignored,
      refusals: changes.frozen.flatMap(({ mistakes }) => mistakes),
    }
    await this.#leader.whenDurable(state.index)
    return plan
  }

  get #env() {
    return { random: this.#random, nowMs: this.#leader.clock.wallMs() }
  }

  /** What each change would wait for. One that is free to go is waited for like the others, by those that depend on it. */
  #withWaits(
    jobs: readonly PlannedJob[],
    { registrations, removals, frozen }: DesiredChanges<HashedJob>,
    sourceId: string,
  ): readonly PlannedJob[] {
    const from = sourced(sourceId)
    const { state, clock } = this.#leader
    const removed = removals.flatMap((job) => state.jobSources.get(jobKey(job)) ?? [])
    const wanted = registrations.map(({ job, source: { namespace, jobId, order } }) => ({
      namespace,
      jobId,
      ...from,
      order,
      spec: () => job.spec,
    }))
    const changes = [...wanted, ...removed.map(({ namespace, jobId, order }) => ({ namespace, jobId, ...from, order }))]
    const judge = new WaitJudge(state, clock.wallMs(), { changes, frozen: frozen.map((file) => ({ ...file, ...from })) })
    const byKey = new Map(changes.map((change) => [namespacedKey(change.namespace, change.jobId), change]))
    return jobs.map((job) => {
      const change = byKey.get(namespacedKey(job.namespace, job.id))
      return change === undefined ? job : { ...job, waitsFor: judge.reasonsOf(change).map(({ text }) => text) }
    })
  }

  async #compare(summary: CommitSummary, scope: SourceScope): Promise<DesiredChanges<HashedJob>> {
    const { state } = this.#leader
    // Those of the commit itself were read by whoever asks.
    const rules = jobRules(namespacesOf(state, scope, { said: [], frozen: [], aborted: [] }), scope)
    // Of a repository that declares no hosts nobody who reads it knows the pools.
    const pools = scope.id === SOURCE_DEFAULT ? undefined : new Set(state.nodePools.keys())
    const mistakesOf = (job: SummarizedJob) => [...(rules?.(job.namespace, job.needs, job.path) ?? []), ...poolMistakes(job, pools)]
    const read = [...summary.jobs.map((job) => asReading(job, mistakesOf(job))), ...summary.unsound.map(asMistakes)]
    const readings = { unchanged: summary.isWhole ? new Map() : sourcesBeside(state, scope, summary), read }
    const hashes = new Map<object, string>()
    const isChanged = (asked: Parameters<typeof specHash>[0], { spec }: HashedJob) => {
      const known = hashes.get(asked) ?? specHash(asked)
      hashes.set(asked, known)
      return known !== spec
    }
    const slices = computeChangesInSlices(state, COMMIT, summary.trailers, readings, { scope, isChanged, transitionProblem })
    for (;;) {
      const { done, value } = slices.next()
      if (done === true) return value
      await this.#leader.breathe()
    }
  }
}

/** There is none yet. */
const COMMIT: Commit = { id: '', author: '', authorEmail: '', atMs: 0, subject: '', trailers: [] }

const NO_HOSTS = { hosts: [], pools: [], isSchedulerChanged: false }
const NOTHING: CommitPlan = { jobs: [], capacity: [], held: null, namespaces: [], ...NO_HOSTS, acts: [], ignored: [], refusals: [] }

function poolMistakes({ path, id, needs }: SummarizedJob, pools: ReadonlySet<string> | undefined): readonly Mistake[] {
  const detail = 'The first source declares the pools: ask for one that it has, or have this one added.'
  return poolProblems({ ID: id, NodePool: needs.nodePool }, pools).map(({ text }) => mistakeOfFile(path, text, detail))
}

function asReading(summarized: SummarizedJob, mistakes: readonly Mistake[]): FileReading<HashedJob> {
  const { path, namespace, id, spec, type, isPeriodic, isParameterized, order } = summarized
  if (mistakes.length > 0)
    return { kind: 'mistakes', path, blob: '', mistakes, names: { namespace, jobId: id, ...bundleMember(order?.bundle) } }
  const kind = { Type: type, Periodic: isPeriodic ? {} : null, ParameterizedJob: isParameterized ? {} : null }
  return { kind: 'job', path, blob: '', job: { Namespace: namespace, ID: id, Version: 0, spec, ...kind }, inputs: [], order }
}

function asMistakes({ path, namespace, jobId, bundle }: UnsoundFile): FileReading<HashedJob> {
  const names = namespace === null || jobId === null ? undefined : { namespace, jobId, ...bundleMember(bundle) }
  return { kind: 'mistakes', path, blob: '', mistakes: [], names }
}

/** Of jobs whose files were not asked about: they are taken for what they were. */
function sourcesBeside(view: StateView, { id }: SourceScope, { jobs, unsound }: CommitSummary) {
  const asked = new Set(jobs.map(({ namespace, id }) => namespacedKey(namespace, id)))
  const paths = new Set([...jobs, ...unsound].map(({ path }) => path))
  const beside = view.jobSources
    .by('source', id)
    .filter((source) => !asked.has(namespacedKey(source.namespace, source.jobId)) && !paths.has(source.path))
  return new Map(beside.map((source) => [namespacedKey(source.namespace, source.jobId), source]))
}

function planJobs(view: StateView, summary: CommitSummary, changes: DesiredChanges<HashedJob>): readonly PlannedJob[] {
  const registered = new Set(changes.registrations.map(({ job }) => jobKey(job)))
  const frozenPaths = new Set(changes.frozen.map(({ path }) => path))
  const kept = summary.jobs
    .filter(({ path }) => !frozenPaths.has(path))
    .map(({ path, namespace, id }): PlannedJob => {
      const key = namespacedKey(namespace, id)
      const job = view.jobs.get(key)
      if (registered.has(key))
        return { namespace, id, path, change: job === undefined || job.Stop ? 'new' : 'changed', setAside: null, waitsFor: [] }
      const setAside = job === undefined ? null : standingOf(view, job).setAside
      const isMoved = view.jobSources.get(key)?.path !== path
      return { namespace, id, path, change: setAside !== null ? 'set-aside' : isMoved ? 'moved' : 'none', setAside, waitsFor: [] }
    })
  const removed = changes.removals.map(({ Namespace, ID }): PlannedJob => {
    const path = view.jobSources.get(namespacedKey(Namespace, ID))?.path ?? ''
    return { namespace: Namespace, id: ID, path, change: 'removed', setAside: null, waitsFor: [] }
  })
  const handedOver = changes.handedOver.map(({ namespace, jobId, sourceId, path }): PlannedJob => {
    return { namespace, id: jobId, path: `${sourceId ?? SOURCE_DEFAULT}: ${path}`, change: 'moved', setAside: null, waitsFor: [] }
  })
  return [...kept, ...removed, ...handedOver, ...changes.frozen.map(asFrozen)]
}

function asFrozen({ path, namespace, jobId }: FrozenFile): PlannedJob {
  return { namespace: namespace ?? '', id: jobId ?? '', path, change: 'frozen', setAside: null, waitsFor: [] }
}

function newNamespaces(view: StateView, { registrations }: DesiredChanges<HashedJob>): readonly string[] {
  const wanted = new Set(registrations.map(({ job }) => job.Namespace))
  return [...wanted].filter((name) => view.namespaces.get(name) === undefined).sort()
}

function planAgents(view: StateView, agents: SummarizedAgents): Pick<CommitPlan, 'hosts' | 'pools' | 'isSchedulerChanged'> {
  const frozen = agents.unsound.map((path): FrozenFile => ({ path, blob: '', namespace: null, jobId: null, mistakes: [] }))
  const commands = computeAgentsChanges(view, {
    ...agents,
    poolNames: new Set(agents.poolNames),
    configuration: agents.configuration ?? undefined,
    frozen,
    aborted: [],
  })
  return {
    hosts: commands.flatMap((command) => hostChanges(view, command)),
    pools: commands.flatMap((command) => poolChanges(view, command)),
    isSchedulerChanged: commands.some(({ kind }) => kind === 'scheduler-configure'),
  }
}

function hostChanges(view: StateView, command: CommandBody): CommitPlan['hosts'] {
  if (command.kind !== 'node-declare') return []
  const declared = command.declarations.map(({ name }) => {
    return { name, change: view.nodeDeclarations.get(name) === undefined ? ('new' as const) : ('changed' as const) }
  })
  return [...declared, ...command.removed.map((name) => ({ name, change: 'removed' as const }))]
}

function poolChanges(view: StateView, command: CommandBody): CommitPlan['pools'] {
  if (command.kind === 'node-pool-delete') return [{ name: command.name, change: 'removed' }]
  if (command.kind !== 'node-pool-put') return []
  const name = command.pool.Name
  return [{ name, change: view.nodePools.get(name) === undefined ? 'new' : 'changed' }]
}
