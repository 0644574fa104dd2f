/** `api/lists/*`: filters, prefixes, pages and order of the list routes over the recorded objects. */
import type { Job } from '../../../src/domain/index.js'
import { job } from '../../fixtures.js'
import type { VectorKind } from '../kind.js'
import { compareAnswer, type RecordedAnswer, type RecordedObjects, recordedCluster } from './recorded-cluster.js'

interface ListFile {
  readonly list: string
  readonly results: readonly (RecordedAnswer & { readonly path: string })[]
  readonly objects: readonly never[]
}

type Item = Readonly<Record<string, unknown>>

/** How the objects of each list are stored, and how its elements are named. */
const LISTS: Readonly<
  Record<string, { readonly store: (objects: readonly never[]) => RecordedObjects; readonly keyOf: (item: Item) => string }>
> = {
  jobs: { store: (jobs) => ({ jobs }), keyOf: jobName },
  // Only list objects were recorded: what filters look at is made into a job.
  'jobs-statuses': { store: (statuses) => ({ jobs: (statuses as readonly Partial<Job>[]).map((status) => job(status)) }), keyOf: jobName },
  allocations: { store: (allocations) => ({ allocations }), keyOf: (item) => String(item['ID']) },
  evaluations: { store: (evaluations) => ({ evaluations }), keyOf: (item) => String(item['ID']) },
  deployments: { store: (deployments) => ({ deployments }), keyOf: (item) => String(item['ID']) },
  nodes: { store: (nodes) => ({ nodes }), keyOf: (item) => String(item['Name']) },
  'service-lamp-web': { store: (services) => ({ services }), keyOf: (item) => String(item['ID']) },
}

function jobName(item: Item): string {
  return `${item['Namespace']}/${item['ID']}`
}

export const LIST_KINDS: readonly VectorKind[] = Object.entries(LISTS).map(([name, { store, keyOf }]) => ({
  kind: `api/lists/${name}`,
  async *run(content) {
    const { results, objects } = content as ListFile
    const world = recordedCluster(store(objects))
    for (const result of results) yield { name: result.path, mismatches: await compareAnswer(world, result.path, result, keyOf) }
  },
}))
