/** `pure/filter` and `pure/paginate`: list routes over the small made-up cluster of `fleet.json`. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compareJson } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'
import { compareAnswer, type RecordedObjects, recordedCluster } from './recorded-cluster.js'

interface ListCase {
  readonly name: string
  readonly route: string
  readonly params?: Readonly<Record<string, string>>
  readonly filter?: string
  readonly status: number
  readonly ids?: readonly string[]
  readonly text?: string
  readonly body?: unknown
  readonly next_token?: string
}

type Item = Readonly<Record<string, unknown>>

export const pureFilter = listKind('pure/filter')
export const purePaginate = listKind('pure/paginate')

function listKind(kind: string): VectorKind {
  return {
    kind,
    async *run(content, path) {
      const world = recordedCluster(readFleet(path))
      for (const record of content as readonly ListCase[]) yield await compareCase(world, record)
    },
  }
}

/** The cluster beside the file, else the project's own. */
function readFleet(path: string): RecordedObjects {
  const beside = join(dirname(path), 'fleet.json')
  const own = fileURLToPath(new URL('../data/pure/fleet.json', import.meta.url))
  const fleet = JSON.parse(readFileSync(existsSync(beside) ? beside : own, 'utf8')) as Readonly<Record<string, Item>>
  return Object.fromEntries(Object.entries(fleet).map(([kind, byId]) => [kind, Object.values(byId)]))
}

async function compareCase(world: ReturnType<typeof recordedCluster>, record: ListCase): Promise<CaseResult> {
  const { name, route, params = {}, filter, ids, next_token, ...expected } = record
  const query = new URLSearchParams({ ...params, ...(filter === undefined ? {} : { filter }) })
  const path = query.size === 0 ? route : `${route}?${query}`
  if (expected.body !== undefined) {
    const body: unknown = JSON.parse((await world.get(path)).text)
    return { name, mismatches: compareJson(expected.body, body) }
  }
  const answer = {
    ...expected,
    ...(ids === undefined ? {} : { keys: ids }),
    ...(next_token === undefined ? {} : { nextToken: next_token }),
  }
  return { name, mismatches: await compareAnswer(world, path, answer, (item) => nameOf(item, route)) }
}

function nameOf(item: Item, route: string): string {
  if (route === '/v1/services') {
    const names = (item['Services'] as readonly Item[]).map((service) => String(service['ServiceName']))
    return `${item['Namespace']}: ${names.sort().join(', ')}`
  }
  if (route === '/v1/namespaces' || route === '/v1/node/pools') return String(item['Name'])
  const isNamed = route === '/v1/jobs' || route === '/v1/jobs/statuses' || route.endsWith('/jobs') || route.startsWith('/v1/service/')
  return isNamed ? `${item['Namespace']}.${item['ID']}` : String(item['ID'])
}
