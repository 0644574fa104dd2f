/** What stories call things: the k-th allocation of a name, the k-th deployment of a job; and texts in which ids stand for these names. */
import type { StoryCluster } from './cluster.js'

export interface SeenTask {
  readonly State: string
  readonly Failed: boolean
  readonly Restarts: number
  readonly StartedAt: string | null
  readonly FinishedAt: string | null
  readonly Events: readonly SeenEvent[] | null
}

export interface SeenEvent {
  readonly Type: string
  /** Unix time, ns. */
  readonly Time: number
  readonly DisplayMessage: string
  readonly Details: Readonly<Record<string, string>> | null
  readonly FailsTask: boolean
}

export interface SeenAllocation {
  readonly ID: string
  readonly Name: string
  readonly JobID: string
  readonly TaskGroup: string
  readonly JobVersion: number
  readonly NodeID: string
  readonly NodeName: string
  readonly DesiredStatus: string
  readonly DesiredDescription: string
  readonly ClientStatus: string
  readonly ClientDescription: string
  readonly DeploymentStatus: { readonly Healthy: boolean | null; readonly Canary: boolean } | null
  readonly TaskStates: Readonly<Record<string, SeenTask>> | null
  readonly CreateIndex: number
}

/** What is told of one allocation and not in lists. */
export interface SeenWholeAllocation extends SeenAllocation {
  readonly EvalID: string
  readonly FollowupEvalID?: string
  readonly PreviousAllocation?: string
  readonly NextAllocation?: string
  readonly DesiredTransition?: Readonly<Record<string, boolean | null>>
  readonly RescheduleTracker?: {
    readonly Events: readonly { readonly PrevAllocID: string; readonly PrevNodeID: string; readonly Delay: number }[] | null
  } | null
}

export interface SeenDeployment {
  readonly ID: string
  readonly JobID: string
  readonly JobVersion: number
  readonly Status: string
  readonly StatusDescription: string
  readonly TaskGroups: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly CreateIndex: number
}

export interface SeenJob {
  readonly ID: string
  readonly ParentID: string
  readonly Status: string
  readonly CreateIndex: number
}

const CHILD_ID = /^(.*\/(?:dispatch|periodic)-)/
const ALLOCATION_NAME = /^\S+\[\d+\]#\d+/

export class Names {
  /** Child → what it is called. Those of a parent are counted in order of creation, also when some are gone. */
  readonly #children = new Map<string, string>()
  readonly #allocations = new Map<string, { readonly name: string; readonly createIndex: number }>()
  readonly #deployments = new Map<string, { readonly jobId: string; readonly createIndex: number }>()

  learnJobs(jobs: readonly SeenJob[]): void {
    const children = jobs.filter(({ ID, ParentID }) => ParentID !== '' && !this.#children.has(ID))
    for (const { ID } of children.toSorted((a, b) => a.CreateIndex - b.CreateIndex)) {
      const [, beginning] = CHILD_ID.exec(ID) ?? []
      if (beginning === undefined) continue
      const known = [...this.#children.values()].filter((name) => name.startsWith(`${beginning}#`)).length
      this.#children.set(ID, `${beginning}#${known + 1}`)
    }
  }

  job(id: string): string {
    return this.#children.get(id) ?? id
  }

  /** The id of `mill/dispatch-#1`, or of a job that is called by its id. */
  jobIdOf(called: string): string {
    for (const [id, name] of this.#children) if (name === called) return id
    return called
  }

  learnAllocations(allocations: readonly SeenAllocation[]): void {
    // Of those that are gone nobody speaks any more: who comes next of that name is the first again.
    this.#allocations.clear()
    for (const { ID, Name, CreateIndex } of allocations)
      this.#allocations.set(ID, { name: this.#withChildName(Name), createIndex: CreateIndex })
  }

  learnDeployments(deployments: readonly SeenDeployment[]): void {
    this.#deployments.clear()
    for (const { ID, JobID, CreateIndex } of deployments) this.#deployments.set(ID, { jobId: this.job(JobID), createIndex: CreateIndex })
  }

  allocation(id: string): string {
    const own = this.#allocations.get(id)
    if (own === undefined) return id
    return `${own.name}#${numberAmong(id, this.#idsCalled(own.name))}`
  }

  /** The id of `inn.bar[0]#2`; undefined while there is no such allocation. */
  idOf(called: string): string | undefined {
    // Names of children hold a # of their own.
    const [, name = called, number = '1'] = /^(.*)#(\d+)$/.exec(called) ?? []
    return this.#idsCalled(name)[Number(number) - 1]
  }

  deploymentIdOf(called: string): string | undefined {
    return [...this.#deployments.keys()].find((id) => this.deployment(id) === called)
  }

  deployment(id: string): string {
    const own = this.#deployments.get(id)
    if (own === undefined) return id
    const ofJob = [...this.#deployments].filter(([, { jobId }]) => jobId === own.jobId)
    ofJob.sort(([, a], [, b]) => a.createIndex - b.createIndex)
    return `${own.jobId}#${numberAmong(
      id,
      ofJob.map(([other]) => other),
    )}`
  }

  /** The same value with all its texts and port numbers as the record has them. */
  anonymized<Value>(value: Value, world: StoryCluster): Value {
    if (typeof value === 'string') return this.anonymize(value, world) as Value
    if (typeof value === 'number') {
      const name = value === world.fixture.port ? '<fixture port>' : value === world.staticPort ? '<static port>' : value
      return name as Value
    }
    if (Array.isArray(value)) return value.map((item) => this.anonymized(item, world)) as Value
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        ALLOCATION_NAME.test(key) ? key : this.anonymize(key, world),
        this.anonymized(item, world),
      ]),
    ) as Value
  }

  /** The text with every id, folder and port of this run replaced by what the record calls it. */
  anonymize(text: string, world: StoryCluster): string {
    let result = text
    for (const id of this.#allocations.keys()) {
      const called = this.allocation(id)
      result = result.replaceAll(id, `<alloc ${called}>`).replaceAll(id.slice(0, 8), `<short alloc ${called}>`)
    }
    for (const id of this.#deployments.keys()) result = result.replaceAll(id, `<deployment ${this.deployment(id)}>`)
    for (const [id, name] of this.#children) result = result.replaceAll(id, name)
    for (const [own, name] of world.placeholders()) result = result.replaceAll(own, name)
    return result
  }

  /** Names of allocations begin with the id of their job. */
  #withChildName(name: string): string {
    for (const [id, called] of this.#children) if (name.startsWith(`${id}.`)) return `${called}${name.slice(id.length)}`
    return name
  }

  #idsCalled(name: string): readonly string[] {
    const called = [...this.#allocations].filter(([, own]) => own.name === name)
    return called.sort(([, a], [, b]) => a.createIndex - b.createIndex).map(([id]) => id)
  }
}

function numberAmong(id: string, ids: readonly string[]): number {
  return ids.indexOf(id) + 1
}
