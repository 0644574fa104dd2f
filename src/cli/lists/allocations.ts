import { type Column, type Listing, listCommand } from '../listing.js'
import { formatAge, shortId } from '../table.js'
import type { AllocationStub } from '../wire.js'

const COLUMNS: readonly Column<AllocationStub>[] = [
  { head: 'ID', cell: ({ ID }) => shortId(ID) },
  { head: 'NAME', cell: ({ Name }) => Name },
  { head: 'NODE', cell: ({ NodeName }) => NodeName },
  { head: 'VERSION', cell: ({ JobVersion }) => `v${JobVersion}`, order: ({ JobVersion }) => JobVersion },
  { head: 'DESIRED', cell: ({ DesiredStatus }) => DesiredStatus },
  { head: 'STATUS', cell: ({ ClientStatus }) => ClientStatus, isStatus: true },
  { head: 'RESTARTS', cell: (row) => String(restartsOf(row)), order: restartsOf },
  { head: 'AGE', cell: ({ CreateTime }, nowMs) => formatAge(CreateTime, nowMs), order: ({ CreateTime }) => -CreateTime },
  { head: 'CHANGED', cell: ({ ModifyTime }, nowMs) => formatAge(ModifyTime, nowMs), order: ({ ModifyTime }) => -ModifyTime, isWide: true },
  { head: 'DESCRIPTION', cell: ({ ClientDescription, DesiredDescription }) => DesiredDescription || ClientDescription, isWide: true },
]

function restartsOf({ TaskStates }: AllocationStub): number {
  return Object.values(TaskStates ?? {}).reduce((sum, { Restarts }) => sum + Restarts, 0)
}

const listing: Listing<AllocationStub> = {
  name: 'allocations',
  aliases: ['allocs'],
  summary: 'list allocations: what runs where, and what has run',
  completes: 'allocation',
  nameOf: ({ ID }) => ID,
  namespaceOf: ({ Namespace }) => Namespace,
  columns: COLUMNS,
  read: async (client, query) => [...(await client.get<readonly AllocationStub[]>('/v1/allocations', query))].sort(byNewest),
}

function byNewest(a: AllocationStub, b: AllocationStub): number {
  return b.CreateIndex - a.CreateIndex || (a.Name < b.Name ? -1 : 1)
}

export const allocationsCommand = listCommand(listing)
