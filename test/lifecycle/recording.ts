/** What the event stream told while a story went on: the past of each object, as stories record it. */
import type { Row } from './histories.js'
import type { Names } from './names.js'

export interface StreamEvent {
  readonly Topic: string
  readonly Type: string
  readonly Key: string
  readonly Index: number
  readonly Payload: Readonly<Record<string, unknown>>
}

interface PastAllocation {
  readonly ID: string
  readonly Name: string
  readonly JobID: string
  readonly NodeName: string
  readonly CreateIndex: number
  readonly DesiredStatus: string
  readonly ClientStatus: string
  readonly DeploymentStatus?: { readonly Healthy?: boolean | null; readonly Canary?: boolean } | null
}

interface PastDeployment {
  readonly ID: string
  readonly Status: string
  readonly StatusDescription: string
  readonly TaskGroups: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

interface PastService {
  readonly ServiceName: string
  readonly AllocID: string
  readonly Tags: readonly string[] | null
}

export class Recording {
  readonly #events: StreamEvent[] = []

  /** @param line of the stream: what one write did, or a sign of life */
  add(line: string): void {
    const { Events = [] } = JSON.parse(line) as { readonly Events?: readonly StreamEvent[] }
    this.#events.push(...Events)
  }

  /** Where who follows anew goes on. */
  get nextIndex(): number {
    return (this.#events.at(-1)?.Index ?? 0) + 1
  }

  /** In order of creation, those that are gone as well. */
  get allocations(): readonly PastAllocation[] {
    const first = new Map<string, PastAllocation>()
    for (const allocation of this.#told<PastAllocation>('Allocation')) if (!first.has(allocation.ID)) first.set(allocation.ID, allocation)
    return [...first.values()]
  }

  /** [DesiredStatus, ClientStatus, health and canary], each row once. */
  historyOfAllocation(id: string): readonly Row[] {
    return withoutRepeats(
      this.#told<PastAllocation>('Allocation', id).map(
        ({ DesiredStatus, ClientStatus, DeploymentStatus }) => [DesiredStatus, ClientStatus, healthOf(DeploymentStatus)] as const,
      ),
    )
  }

  /** [Status, StatusDescription, { group: [placed, healthy, unhealthy, promoted] }], each row once. */
  historyOfDeployment(id: string): readonly unknown[] {
    return withoutRepeats(
      this.#told<PastDeployment>('Deployment', id).map(({ Status, StatusDescription, TaskGroups }) => [
        Status,
        StatusDescription,
        Object.fromEntries(
          Object.entries(TaskGroups)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, group]) => [name, [group.PlacedAllocs, group.HealthyAllocs, group.UnhealthyAllocs, group.Promoted]]),
        ),
      ]),
    )
  }

  /** Each as it was told last, those that are gone as well. */
  lastOf<Told extends { readonly ID: string }>(topic: string): readonly Told[] {
    return [...new Map(this.#told<Told>(topic).map((row) => [row.ID, row])).values()]
  }

  historyOfEvaluation(id: string): readonly unknown[] {
    return withoutRepeats(this.#told<{ readonly Status: string }>('Evaluation', id).map(({ Status }) => Status))
  }

  /** What became of services, as a multiset. */
  services(names: Names): readonly object[] {
    return this.#events
      .filter(({ Topic }) => Topic === 'Service')
      .map(({ Type, Payload }) => {
        const { ServiceName, AllocID, Tags } = Payload.Service as PastService
        return { type: Type, service: ServiceName, alloc: `<alloc ${names.allocation(AllocID)}>`, tags: Tags ?? [] }
      })
  }

  /** Object → types of its events, each once in a row. */
  typesOf(topic: string, key: string): readonly unknown[] {
    const isIt = (event: StreamEvent) =>
      event.Topic === topic && (topic === 'Service' ? (event.Payload.Service as PastService).ServiceName : event.Key) === key
    return withoutRepeats(this.#events.filter(isIt).map(({ Type }) => Type))
  }

  #told<Told>(topic: string, id?: string): readonly Told[] {
    return this.#events
      .filter((event) => event.Topic === topic && (id === undefined || event.Key === id))
      .map(({ Payload }) => Payload[topic] as Told)
  }
}

function healthOf(status: PastAllocation['DeploymentStatus']): string {
  const health = status?.Healthy === true ? 'healthy' : status?.Healthy === false ? 'unhealthy' : ''
  return [health, status?.Canary === true ? 'canary' : ''].filter((word) => word !== '').join(' ')
}

export function withoutRepeats<Told>(rows: readonly Told[]): readonly Told[] {
  return rows.filter((row, at) => at === 0 || JSON.stringify(row) !== JSON.stringify(rows[at - 1]))
}
