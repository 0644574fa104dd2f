/**
 * What commits of several repositories, scalers and the order of changes bring about, watched as it becomes durable: told by rules of its own
 * over what the log says, not by those of the server.
 *
 * I29 A change that waits is carried out only when nothing is there that it waits for.
 * I30 A job that goes from one repository while another one says it runs on, as the version that it was.
 * I31 A count that a scaler has moved stays within the bounds of the file, and commits do not move it.
 * I32 A variable is what a file says, and who may open it what the access file says.
 * I33 The audit trail tells of every version that a commit makes once, and of nothing that is not durable.
 */
import { type AuditFact, isDeploymentActive, isServerTerminal, type JobRef, type JobSource, sourceIdOf } from '../../src/domain/index.js'
import { type Command, jobKey, jobSourceKey, type State } from '../../src/state/index.js'
import { Violation } from '../checkers.js'

type Register = Extract<Command, { kind: 'job-register' }>

export class GitopsWitness {
  readonly #state: State
  readonly #fail: (violation: Violation) => void
  /** Indexes of the Commands by which commits made versions. */
  readonly #made: number[] = []

  constructor(state: State, fail: (violation: Violation) => void) {
    this.#state = state
    this.#fail = fail
  }

  /** A job that is wanted by some repository all the time, and never changes. */
  keepsRunning(jobId: string): void {
    this.#state.jobs.observe((_before, after) => {
      if (after?.ID !== jobId) return
      if (after.Stop) this.#fail(new Violation('I30', `${jobId} is stopped, and some repository says it all the time`))
      if (after.Version > 0) this.#fail(new Violation('I30', `${jobId} is version ${after.Version}, and its files all say the same`))
    })
  }

  checkCommand(command: Command): void {
    if (command.kind === 'job-scale' && command.count !== null) this.#checkBounds(command)
    if (command.kind !== 'job-register' || command.source === null) return
    this.#made.push(this.#state.index + 1)
    this.#checkOrder(command, command.source)
    this.#checkCounts(command, command.source)
  }

  #checkOrder({ job, atMs }: Register, { order, ...source }: JobSource): void {
    if (order === undefined) return
    const early = (why: string) => this.#fail(new Violation('I29', `${job.ID} version ${job.Version} has begun, and ${why}`))
    if (order.suspend !== null && atMs < order.suspend.untilMs) early(`is suspended for ${order.suspend.untilMs - atMs} ms more`)
    for (const on of order.dependsOn) {
      const missing = this.#missingOf(on)
      if (missing !== undefined) early(`${on.jobId}, which it depends on, ${missing}`)
    }
    if (order.bundle === '') return
    const isOfBundle = (file: { namespace: string | null; bundle?: string; sourceId?: string }) =>
      file.bundle === order.bundle && file.namespace === source.namespace && sourceIdOf(file) === sourceIdOf(source)
    const broken = this.#state.frozenFiles.all().find(isOfBundle)
    if (broken !== undefined) early(`${broken.path} of its bundle cannot be read`)
  }

  #missingOf(on: JobRef): string | undefined {
    const state = this.#state
    const key = jobSourceKey(on)
    const job = state.jobs.get(key)
    if (job === undefined || job.Stop) return 'is not there'
    if (state.waitingChanges.get(key) !== undefined) return 'is to change itself'
    const isOfVersion = (row: { JobVersion: number; JobCreateIndex: number }) =>
      row.JobVersion === job.Version && row.JobCreateIndex === job.CreateIndex
    if (state.deployments.by('job', key).some((row) => isOfVersion(row) && isDeploymentActive(row))) return 'is being rolled out'
    const running = state.allocations
      .by('job', key)
      .filter((row) => isOfVersion(row) && row.ClientStatus === 'running' && !isServerTerminal(row))
    const wanted = job.TaskGroups.reduce((sum, group) => sum + group.Count, 0)
    return running.length < wanted ? `runs ${running.length} of ${wanted}` : undefined
  }

  #checkBounds({ namespace, jobId, group: name, count }: Extract<Command, { kind: 'job-scale' }>): void {
    const group = this.#state.jobs.get(jobSourceKey({ namespace, jobId }))?.TaskGroups.find(({ Name }) => Name === name)
    const { Min, Max } = group?.Scaling ?? { Min: 0, Max: -1 }
    if (count! < Min || count! > Max) this.#fail(new Violation('I31', `${jobId} is scaled to ${count}, its file says ${Min} to ${Max}`))
  }

  #checkCounts({ job }: Register, source: JobSource): void {
    const known = this.#state.jobs.get(jobKey(job))
    const before = this.#state.jobSources.get(jobKey(job))?.counts ?? {}
    for (const { Name, Count, Scaling } of job.TaskGroups) {
      if (Scaling?.Enabled !== true) continue
      const told = source.counts?.[Name]
      const live = known?.Stop === false ? known.TaskGroups.find((group) => group.Name === Name)?.Count : undefined
      const isMoved = live !== undefined && before[Name] !== undefined && live !== before[Name]
      const wanted = isMoved ? Math.min(Math.max(live, Scaling.Min), Scaling.Max) : told
      if (Count !== wanted) this.#fail(new Violation('I31', `a commit makes ${job.ID} ${Count}, and it is to stay ${wanted}`))
    }
  }

  /** @param facts of one server @param since the index from which on it was listened to */
  checkAudit(facts: readonly AuditFact[], since: number): void {
    const told = facts.flatMap(({ action, index = 0 }) => (action === 'job-register' && index > since ? [index] : []))
    const made = this.#made.filter((index) => index > since)
    if (JSON.stringify(told) !== JSON.stringify(made))
      this.#fail(new Violation('I33', `since index ${since} commits made versions at ${made.join(' ')}, told are ${told.join(' ')}`))
  }

  checkTold({ action, index }: AuditFact): void {
    if ((index ?? 0) > this.#state.index)
      this.#fail(new Violation('I33', `${action} at index ${index} is told, durable is ${this.#state.index}`))
  }

  /** @param wanted items and readers by path */
  checkVariables(
    wanted: ReadonlyMap<string, { readonly items: Readonly<Record<string, string>>; readonly readers: readonly string[] }>,
  ): void {
    const text = (rows: readonly (readonly [string, unknown, readonly string[]])[]) =>
      JSON.stringify([...rows].sort(([a], [b]) => (a < b ? -1 : 1)))
    const found = text(this.#state.variables.all().map(({ Path, Items, readers = [] }) => [Path, Items, readers]))
    const said = text([...wanted].map(([path, { items, readers }]) => [path, items, readers]))
    if (found !== said) this.#fail(new Violation('I32', `variables are ${found}, files say ${said}`))
  }

  /** Everything has settled: each job is of a repository whose newest commit says it. */
  checkOwners(saidBy: ReadonlyMap<string, ReadonlySet<string>>): void {
    for (const source of this.#state.jobSources.all()) {
      const owner = sourceIdOf(source)
      if (saidBy.get(owner)?.has(source.jobId) !== true)
        this.#fail(new Violation('I30', `${source.jobId} is of the source ${owner}, whose files do not say it`))
    }
  }
}
