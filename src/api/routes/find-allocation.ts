/** What every route of a client begins with: the allocation, and with it the node to ask. */
import type { Allocation } from '../../domain/index.js'
import { badRequest, notFound } from '../errors.js'
import type { AgentCaller, StateReader } from '../ports.js'
import type { Call } from '../router.js'
import { checkUuid } from '../uuid-prefix.js'

export interface ClientDeps {
  readonly reader: StateReader
  readonly agents: AgentCaller
}

/** @throws ApiError NOT_FOUND when there is no such allocation */
export async function findAllocation({ reader }: ClientDeps, call: Call): Promise<Allocation> {
  if (call.id === '') throw badRequest('must provide a valid alloc id')
  checkUuid(call.id, 'alloc')
  const { allocation } = await reader.read((view) => ({ index: 0, allocation: view.allocations.get(call.id) }))
  if (allocation === undefined) throw notFound(`Unknown allocation "${call.id}"`)
  return allocation
}
