/** What people commit in a simulated world: jobs that come, change, break, move and go. Job files are API JSON. */
import type { Commit } from '../../src/domain/index.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimulatedRepository } from './simulated-git.js'

/** Launched at its times, and by hand too. */
export const FORCED_JOB = 'tick'
/** Launched at its times only, and never beside itself. */
export const LONE_JOB = 'tock'
export const DISPATCHED_JOB = 'courier'
/** Rolled out one by one. */
export const PACED_JOB = 'paced'
const PARENTS: readonly string[] = [FORCED_JOB, LONE_JOB, DISPATCHED_JOB]
const JOB_IDS = ['web', 'api', 'mail', 'cron', 'feed', 'node-agent', ...PARENTS]

export interface JobShape {
  readonly id: string
  readonly type: 'service' | 'batch' | 'system'
  readonly priority: number
  readonly count: number
  readonly cpu: number
  /** Changes the task, so that a new version replaces the old one. */
  readonly generation: number
  readonly maxParallel: number
  /** How many of a new version are tried beside the old ones; they are promoted by themselves. */
  readonly canaries: number
  readonly hasAutoRevert: boolean
  readonly runForMs: number
  /** How often a task is started again where it is, and after how long an allocation elsewhere. */
  readonly restarts: number
  readonly rescheduleDelaySeconds: number
  /** For how long it may be out of sight before it counts as lost; 0: not at all. */
  readonly lostAfterSeconds: number
  /** Canaries wait for a person. */
  readonly isPromotedByHand?: boolean
  /** Launched every so many seconds. */
  readonly everySeconds?: number
}

/** A service that nothing is the matter with. */
export function serviceShape(over: Pick<JobShape, 'id' | 'count'> & Partial<JobShape>): JobShape {
  return {
    type: 'service',
    priority: 50,
    cpu: 10,
    generation: 1,
    maxParallel: over.count,
    canaries: 0,
    hasAutoRevert: false,
    runForMs: 0,
    restarts: 0,
    rescheduleDelaySeconds: 5,
    lostAfterSeconds: 0,
    ...over,
  }
}

export function jobFile(shape: JobShape): string {
  const update =
    shape.type === 'batch'
      ? {}
      : {
          Update: {
            MaxParallel: shape.maxParallel,
            MinHealthyTime: 500_000_000,
            HealthyDeadline: 60_000_000_000,
            ProgressDeadline: 120_000_000_000,
            AutoRevert: shape.hasAutoRevert,
            ...(shape.canaries > 0 ? { Canary: shape.canaries, AutoPromote: shape.isPromotedByHand !== true } : {}),
          },
        }
  return JSON.stringify({
    Job: {
      ID: shape.id,
      Type: shape.type,
      Priority: shape.priority,
      ...update,
      ...parentOf(shape),
      TaskGroups: [
        {
          Name: 'main',
          Count: shape.count,
          EphemeralDisk: { SizeMB: 10 },
          RestartPolicy: { Attempts: shape.restarts, Delay: 1_000_000_000, Interval: 60_000_000_000, Mode: 'fail' },
          ...(shape.type === 'service' ? { ReschedulePolicy: reschedulePolicy(shape.rescheduleDelaySeconds) } : {}),
          ...(shape.lostAfterSeconds > 0 ? { Disconnect: { LostAfter: shape.lostAfterSeconds * 1e9, Replace: true } } : {}),
          Tasks: [
            {
              Name: 'task',
              Driver: 'mock_driver',
              Config: { run_for: shape.runForMs === 0 ? '0s' : `${shape.runForMs}ms` },
              Env: { GENERATION: String(shape.generation) },
              Resources: { CPU: shape.cpu, MemoryMB: 32 },
              LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
            },
          ],
        },
      ],
    },
  })
}

function parentOf({ id, everySeconds }: JobShape) {
  if (id === DISPATCHED_JOB) return { ParameterizedJob: { Payload: 'optional', MetaOptional: ['serial'] } }
  if (everySeconds === undefined) return {}
  return { Periodic: { Enabled: true, Specs: [`*/${everySeconds} * * * * * *`], SpecType: 'cron', ProhibitOverlap: id === LONE_JOB } }
}

function reschedulePolicy(delaySeconds: number) {
  return { Delay: delaySeconds * 1e9, DelayFunction: 'constant', Unlimited: true, Attempts: 0, Interval: 0, MaxDelay: 0 }
}

const PREEMPTION = `scheduler_config {
  preemption_config {
    service_scheduler_enabled = true
    batch_scheduler_enabled   = true
  }
}
`

export const SYSTEM_JOB = 'node-agent'

export class Workload {
  readonly #repository: SimulatedRepository
  readonly #random: SeededRandom
  readonly #shapes = new Map<string, JobShape>()
  /** Where the branch was before it was reset. */
  #leftHead: string | undefined

  constructor(repository: SimulatedRepository, random: SeededRandom) {
    this.#repository = repository
    this.#random = random
  }

  /** The first commit: a job or two. In some worlds the more important ones may end others to make room. */
  begin(): void {
    const changes = Object.fromEntries(this.#ids(2).map((id) => [pathOf(id), jobFile(this.#newShape(id))]))
    const settings = this.#random.chance(0.5) ? { 'agents/_cluster.hcl': PREEMPTION } : {}
    this.#repository.commit({ ...settings, ...changes }, { subject: 'first jobs' })
  }

  /** One more commit of one of the kinds that people make. */
  step(): void {
    const kinds = [
      () => this.#change(),
      () => this.#change(),
      () => this.#add(),
      () => this.#remove(),
      () => this.#breakFile(),
      () => this.#move(),
      () => this.#duplicate(),
      () => this.#rewrite(),
      () => this.#goBack(),
      () => this.#declareHost(),
    ]
    this.#random.pick(kinds)()
  }

  /**
   * A last commit in which every file is sound, each job stands in one place, nothing is held, and every host may be used as far as its file
   * says. No roll-out is held up by a person any more.
   */
  settle(trailers: Commit['trailers'] = []): void {
    const changes: Record<string, string | null> = {}
    for (const path of this.#repository.pathsIn('agents')) if (isHostFile(path)) changes[path] = hostFile(this.#random, true)
    for (const path of this.#repository.pathsIn('jobs')) changes[path] = null
    for (const [id, shape] of this.#shapes) changes[pathOf(id)] = jobFile(shape)
    this.#repository.commit(changes, { subject: 'settled', trailers: [{ key: 'Drover-Allow-Delete', value: '*' }, ...trailers] })
  }

  /** Nothing is launched at its times any more. */
  endTimes(): void {
    for (const id of [FORCED_JOB, LONE_JOB]) this.#shapes.delete(id)
  }

  get jobIds(): readonly string[] {
    return [...this.#shapes.keys()]
  }

  /** Two jobs of which each takes more than half of every host: the second must wait. */
  crowd(cpuMhz: number, hosts: number): void {
    for (const id of ['crowd-first', 'crowd-second']) {
      const shape = { ...this.#newShape(id), type: 'service' as const, count: hosts, cpu: cpuMhz, runForMs: 0, isPromotedByHand: false }
      this.#shapes.set(id, shape)
      this.#repository.commit({ [pathOf(id)]: jobFile(shape) }, { subject: `add ${id}` })
    }
  }

  /** The first of them goes: the second has its room. */
  makeRoom(): void {
    this.#shapes.delete('crowd-first')
    this.settle()
  }

  /** A service whose allocations are replaced one after the other; each call is one more version of it. */
  pace(count: number): void {
    const generation = (this.#shapes.get(PACED_JOB)?.generation ?? 0) + 1
    this.#put(serviceShape({ id: PACED_JOB, count, generation, maxParallel: 1 }))
  }

  #change(): void {
    const shape = this.#some()
    if (shape === undefined) return this.#add()
    const changed = this.#random.chance(0.5)
      ? { ...shape, generation: shape.generation + 1 }
      : { ...shape, count: shape.type === 'system' || PARENTS.includes(shape.id) ? 1 : this.#random.between(0, 5) }
    this.#put(changed)
  }

  #add(): void {
    this.#put(this.#newShape(this.#random.pick(JOB_IDS)))
  }

  #remove(): void {
    const shape = this.#some()
    if (shape === undefined) return
    this.#shapes.delete(shape.id)
    this.#repository.commit({ [pathOf(shape.id)]: null, [movedPathOf(shape.id)]: null }, { subject: `remove ${shape.id}` })
  }

  #breakFile(): void {
    const shape = this.#some()
    if (shape !== undefined) this.#repository.commit({ [pathOf(shape.id)]: '{ "Job": ' }, { subject: `break ${shape.id}` })
  }

  #move(): void {
    const shape = this.#some()
    if (shape !== undefined)
      this.#repository.commit({ [pathOf(shape.id)]: null, [movedPathOf(shape.id)]: jobFile(shape) }, { subject: `move ${shape.id}` })
  }

  #duplicate(): void {
    const shape = this.#some()
    if (shape !== undefined)
      this.#repository.commit({ [`jobs/default/copy-${shape.id}.nomad.json`]: jobFile(shape) }, { subject: `copy ${shape.id}` })
  }

  /** A forced push: the head goes back and something else is put on top. */
  #rewrite(): void {
    const shape = this.#newShape(this.#random.pick(JOB_IDS))
    this.#shapes.set(shape.id, shape)
    this.#repository.commit({ [pathOf(shape.id)]: jobFile(shape) }, { parent: this.#repository.root, subject: 'rewritten' })
  }

  /** The branch is reset by some commits, and sometimes later set to where it was: what its commits asked for has been done. */
  #goBack(): void {
    const { head } = this.#repository
    if (this.#leftHead === undefined) {
      this.#leftHead = head ?? undefined
      this.#repository.move(this.#repository.behind(this.#random.between(1, 5)))
      return
    }
    this.#repository.move(this.#leftHead)
    this.#leftHead = undefined
  }

  /** Hosts are bound to the files without a key in order of path. */
  #declareHost(): void {
    const path = `agents/host-${this.#random.between(1, 3)}.hcl`
    const isRemoved = this.#repository.text(path) !== undefined && this.#random.chance(0.3)
    const drain = this.#random.chance(0.2) ? `drain {\n  deadline = "${this.#random.between(3, 20)}s"\n}\n` : ''
    const content = isRemoved ? null : `${hostFile(this.#random, this.#random.chance(0.7))}${drain}`
    this.#repository.commit({ [path]: content }, { subject: `declare ${path}` })
  }

  #put(shape: JobShape): void {
    this.#shapes.set(shape.id, shape)
    this.#repository.commit({ [pathOf(shape.id)]: jobFile(shape) }, { subject: `${shape.id} generation ${shape.generation}` })
  }

  #some(): JobShape | undefined {
    return this.#shapes.size === 0 ? undefined : this.#random.pick([...this.#shapes.values()])
  }

  #newShape(id: string): JobShape {
    const isParent = PARENTS.includes(id)
    const isBatch = id === 'cron' || isParent
    const shape: JobShape = {
      id,
      type: id === SYSTEM_JOB ? 'system' : isBatch ? 'batch' : 'service',
      priority: this.#random.pick([20, 50, 50, 80]),
      count: id === SYSTEM_JOB || isParent ? 1 : this.#random.between(1, 4),
      cpu: isParent ? 20 : this.#random.pick([100, 200, 300, 600]),
      generation: this.#random.between(1, 1_000),
      maxParallel: this.#random.between(1, 3),
      canaries: id === SYSTEM_JOB ? 0 : this.#random.pick([0, 0, 1, 2]),
      hasAutoRevert: this.#random.chance(0.3),
      runForMs: isBatch ? this.#random.between(100, 20_000) : 0,
      restarts: this.#random.between(0, 2),
      rescheduleDelaySeconds: this.#random.between(5, 20),
      lostAfterSeconds: isBatch || id === SYSTEM_JOB ? 0 : this.#random.pick([0, 0, 15, 40]),
      isPromotedByHand: this.#random.chance(0.3),
      ...(id === FORCED_JOB || id === LONE_JOB ? { everySeconds: this.#random.pick([5, 10, 20]) } : {}),
    }
    this.#shapes.set(id, shape)
    return shape
  }

  #ids(count: number): readonly string[] {
    return [...JOB_IDS].sort(() => this.#random.fraction() - 0.5).slice(0, count)
  }
}

function pathOf(id: string): string {
  return `jobs/${id}.nomad.json`
}

function movedPathOf(id: string): string {
  return `jobs/default/moved/${id}.nomad.json`
}

function hostFile(random: SeededRandom, isEligible: boolean): string {
  return `class = "class-${random.between(1, 9)}"\neligible = ${isEligible}\n`
}

export function isHostFile(path: string): boolean {
  return path.startsWith('agents/host-')
}
