/** `/v1/deployments`, `/v1/deployment/…` (Nomad API docs, "Deployments"). */
import type { Deployment } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { notFound } from '../errors.js'
import { byCreation, byId, computePage } from '../pages.js'
import type { Call, Route } from '../router.js'
import { checkUuid, uuidPrefix } from '../uuid-prefix.js'
import { allocationStubJson } from '../views/allocation-view.js'
import { deploymentJson } from '../views/deployment-view.js'
import { inNamespace, reading, tableReading } from './reading.js'

const BY_CREATION = byCreation<Deployment>()
const BY_ID = byId<Deployment>((deployment) => deployment.ID, true)

export function deploymentRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/deployments', methods: { GET: reading(deps, listDeployments) } },
    { pattern: '/v1/deployment/allocations/:id', methods: { GET: reading(deps, readAllocations) } },
    { pattern: '/v1/deployment/:id', methods: { GET: reading(deps, readDeployment) } },
  ]
}

function listDeployments(view: StateView, call: Call): Reading {
  const prefix = call.parameters.text('prefix')
  const hasPrefix = uuidPrefix(prefix, '')
  const isHere = inNamespace(call)
  const deployments = view.deployments.all().filter((deployment) => isHere(deployment) && (prefix === '' || hasPrefix(deployment.ID)))
  const page = computePage(deployments, call.parameters, { order: prefix === '' ? BY_CREATION : BY_ID, filterable: 'Deployment' })
  const fragments = page.rows.map((deployment) => deploymentJson.of(deployment))
  return tableReading(view.deployments, fragments, [{ table: 'deployments' }], page.nextToken)
}

function readDeployment(view: StateView, call: Call): Reading {
  checkUuid(call.id, 'deployment')
  const deployment = view.deployments.get(call.id)
  return {
    index: deployment?.ModifyIndex ?? view.deployments.index,
    watch: [{ table: 'deployments', key: call.id }],
    body: deployment === undefined ? notFound('deployment not found') : deploymentJson.of(deployment),
  }
}

function readAllocations(view: StateView, call: Call): Reading {
  checkUuid(call.id, '')
  const fragments = view.allocations.by('deployment', call.id).map((allocation) => allocationStubJson(view, allocation))
  return tableReading(view.allocations, fragments, [{ table: 'allocations', group: ['deployment', call.id] }])
}
