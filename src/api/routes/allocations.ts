/** `/v1/allocations`, `/v1/allocation/:id…` (Nomad API docs, "Allocations"). */
import type { Allocation } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { notFound } from '../errors.js'
import { byCreation, byId, computePage } from '../pages.js'
import type { Call, Route } from '../router.js'
import { checkUuid, uuidPrefix } from '../uuid-prefix.js'
import { allocationJson, allocationStubJson, allocationView } from '../views/allocation-view.js'
import { atLeastOne, inNamespace, reading, tableReading } from './reading.js'

const BY_CREATION = byCreation<Allocation>()
const BY_ID = byId<Allocation>((allocation) => allocation.ID, true)

export function allocationRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/allocations', methods: { GET: reading(deps, listAllocations) } },
    { pattern: '/v1/allocation/:id/services', methods: { GET: reading(deps, readServices) } },
    { pattern: '/v1/allocation/:id', methods: { GET: reading(deps, readAllocation) } },
  ]
}

function listAllocations(view: StateView, call: Call): Reading {
  const { parameters } = call
  const prefix = parameters.text('prefix')
  const fields = { resources: parameters.boolean('resources'), taskStates: parameters.boolean('task_states', true) }
  const hasPrefix = uuidPrefix(prefix, 'alloc')
  const isHere = inNamespace(call)
  const allocations = view.allocations.all().filter((allocation) => isHere(allocation) && (prefix === '' || hasPrefix(allocation.ID)))
  const page = computePage(allocations, parameters, {
    order: prefix === '' ? BY_CREATION : BY_ID,
    filterable: 'Allocation',
    filterView: (allocation) => allocationView(view, allocation),
  })
  const fragments = page.rows.map((allocation) => allocationStubJson(view, allocation, fields))
  return tableReading(view.allocations, fragments, [{ table: 'allocations' }], page.nextToken)
}

function readAllocation(view: StateView, call: Call): Reading {
  if (call.id.includes('/')) throw notFound('resource not found')
  checkUuid(call.id, 'alloc')
  const allocation = view.allocations.get(call.id)
  return {
    index: allocation?.ModifyIndex ?? view.allocations.index,
    covers: Math.max(allocation?.ModifyIndex ?? 0, view.jobVersions.index),
    watch: [{ table: 'allocations', key: call.id }],
    body: allocation === undefined ? notFound('alloc not found') : allocationJson(view, allocation),
    isOfStateOnly: true,
  }
}

function readServices(view: StateView, call: Call): Reading {
  const allocation = view.allocations.get(call.id)
  const watch = [{ table: 'services', group: ['allocation', call.id] }] as const
  if (allocation === undefined || !inNamespace(call)(allocation)) {
    return { index: 0, covers: view.allocations.index, watch, body: notFound('allocation not found') }
  }
  return { index: atLeastOne(view.services.index), watch, body: encodeJson(view.services.by('allocation', call.id)) }
}
