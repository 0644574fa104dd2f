import type { Client, Query } from '../client.js'
import { type Column, type Listing, listCommand } from '../listing.js'
import { formatMib, shortId } from '../table.js'
import { type Amounts, capacityOf, readAsked, readUsed, share } from '../usage.js'
import type { NodeStub } from '../wire.js'

interface Row extends NodeStub {
  readonly capacity: Amounts
  readonly asked: Amounts & { readonly count: number }
  /** Measured only for the wide form; undefined where the agent cannot be asked. */
  readonly used: Amounts | undefined
}

const COLUMNS: readonly Column<Row>[] = [
  { head: 'ID', cell: ({ ID }) => shortId(ID) },
  { head: 'NAME', cell: ({ Name }) => Name },
  { head: 'POOL', cell: ({ NodePool }) => NodePool },
  { head: 'STATUS', cell: describeNodeStatus, isStatus: true },
  { head: 'ALLOCS', cell: ({ asked }) => String(asked.count), order: ({ asked }) => asked.count },
  {
    head: 'CPU',
    cell: ({ asked, capacity }) => `${asked.cpuMhz}/${capacity.cpuMhz} MHz ${share(asked.cpuMhz, capacity.cpuMhz)}`,
    order: ({ asked, capacity }) => asked.cpuMhz / Math.max(1, capacity.cpuMhz),
  },
  {
    head: 'MEMORY',
    cell: ({ asked, capacity }) =>
      `${formatMib(asked.memoryMb)}/${formatMib(capacity.memoryMb)} ${share(asked.memoryMb, capacity.memoryMb)}`,
    order: ({ asked, capacity }) => asked.memoryMb / Math.max(1, capacity.memoryMb),
  },
  { head: 'CPU-USED', cell: ({ used, capacity }) => share(used?.cpuMhz ?? 0, used === undefined ? 0 : capacity.cpuMhz), isWide: true },
  { head: 'MEMORY-USED', cell: ({ used }) => (used === undefined ? '-' : formatMib(used.memoryMb)), isWide: true },
  { head: 'CLASS', cell: ({ NodeClass }) => NodeClass || '-', isWide: true },
  { head: 'DATACENTER', cell: ({ Datacenter }) => Datacenter, isWide: true },
  { head: 'ADDRESS', cell: ({ Address }) => Address || '-', isWide: true },
  { head: 'VERSION', cell: ({ Version }) => Version, isWide: true },
]

export function describeNodeStatus({
  Status,
  SchedulingEligibility,
  Drain,
}: Pick<NodeStub, 'Status' | 'SchedulingEligibility' | 'Drain'>): string {
  if (Drain) return `${Status}, draining`
  return SchedulingEligibility === 'eligible' ? Status : `${Status}, ${SchedulingEligibility}`
}

const listing: Listing<Row> = {
  name: 'nodes',
  aliases: ['hosts'],
  summary: 'list nodes: how they are, and what is asked of them; with --wide also what is in use',
  completes: 'node',
  nameOf: ({ Name }) => Name,
  columns: COLUMNS,
  read: readNodes,
}

async function readNodes(client: Client, query: Query, isWide: boolean): Promise<readonly Row[]> {
  const [nodes, asked] = await Promise.all([
    client.get<readonly NodeStub[]>('/v1/nodes', { ...query, resources: 'true' }),
    readAsked(client),
  ])
  const used = await Promise.all(nodes.map(({ ID, Status }) => (isWide && Status === 'ready' ? readUsed(ID, client) : undefined)))
  return nodes
    .map((node, at) => ({
      ...node,
      capacity: capacityOf(node),
      asked: asked.get(node.ID) ?? { cpuMhz: 0, memoryMb: 0, count: 0 },
      used: used[at],
    }))
    .sort((a, b) => (a.Name < b.Name ? -1 : 1))
}

export const nodesCommand = listCommand(listing)
