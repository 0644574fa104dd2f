/** `/v1/evaluations`, `/v1/evaluation/:id…` (Nomad API docs, "Evaluations"). */
import type { Evaluation } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { badRequest, notFound, requestFailed } from '../errors.js'
import { createFilter, FilterSyntaxError, FilterValueError } from '../filter/filter.js'
import { byCreation, byId, computePage } from '../pages.js'
import type { Call, Route } from '../router.js'
import { checkUuid, uuidPrefix } from '../uuid-prefix.js'
import { allocationStubJson } from '../views/allocation-view.js'
import { evaluationJson, evaluationWithRelatedJson } from '../views/evaluation-view.js'
import { inNamespace, reading, tableReading } from './reading.js'

const BY_CREATION = byCreation<Evaluation>()
const BY_ID = byId<Evaluation>((evaluation) => evaluation.ID, true)

export function evaluationRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/evaluations', methods: { GET: reading(deps, listEvaluations) } },
    { pattern: '/v1/evaluations/count', methods: { GET: reading(deps, countEvaluations) } },
    { pattern: '/v1/evaluation/:id/allocations', methods: { GET: reading(deps, readAllocations) } },
    { pattern: '/v1/evaluation/:id', methods: { GET: reading(deps, readEvaluation) } },
  ]
}

function selectEvaluations(view: StateView, call: Call): readonly Evaluation[] {
  const prefix = call.parameters.text('prefix')
  const hasPrefix = uuidPrefix(prefix, 'eval')
  const isHere = inNamespace(call)
  return view.evaluations.all().filter((evaluation) => isHere(evaluation) && (prefix === '' || hasPrefix(evaluation.ID)))
}

function listEvaluations(view: StateView, call: Call): Reading {
  const { parameters } = call
  const [jobId, status] = [parameters.text('job'), parameters.text('status')]
  if (parameters.text('filter') !== '' && (jobId !== '' || status !== '')) {
    throw badRequest('Filter expression cannot be used with other filter parameters')
  }
  const isWanted = (evaluation: Evaluation) =>
    (jobId === '' || evaluation.JobID === jobId) && (status === '' || evaluation.Status === status)
  const order = parameters.text('prefix') === '' ? BY_CREATION : BY_ID
  const page = computePage(selectEvaluations(view, call).filter(isWanted), parameters, { order, filterable: 'Evaluation' })
  const fragments = page.rows.map((evaluation) => evaluationJson.of(evaluation))
  return tableReading(view.evaluations, fragments, [{ table: 'evaluations' }], page.nextToken)
}

/** A filter that fits no evaluation counts none; one that cannot be read is a failure. */
function countEvaluations(view: StateView, call: Call): Reading {
  const index = view.evaluations.index
  const Count = countFitting(selectEvaluations(view, call), call.parameters.text('filter'))
  const body = encodeJson({ Count, Index: index, LastContact: 0, KnownLeader: true, NextToken: '' })
  return { index, watch: [{ table: 'evaluations' }], body }
}

function countFitting(evaluations: readonly Evaluation[], filter: string): number {
  if (filter === '') return evaluations.length
  try {
    return evaluations.filter(createFilter(filter, 'Evaluation')).length
  } catch (error) {
    if (error instanceof FilterValueError) return 0
    if (error instanceof FilterSyntaxError) throw requestFailed(error.message, error)
    throw error
  }
}

function readEvaluation(view: StateView, call: Call): Reading {
  checkUuid(call.id, 'eval')
  const evaluation = view.evaluations.get(call.id)
  const watch = [{ table: 'evaluations', key: call.id }] as const
  if (evaluation === undefined) return { index: view.evaluations.index, watch, body: notFound('eval not found') }
  const withRelated = call.parameters.boolean('related')
  const body = withRelated ? evaluationWithRelatedJson(view, evaluation) : evaluationJson.of(evaluation)
  return { index: evaluation.ModifyIndex, ...(withRelated ? { covers: view.evaluations.index } : {}), watch, body }
}

function readAllocations(view: StateView, call: Call): Reading {
  checkUuid(call.id, '')
  const fragments = view.allocations.by('evaluation', call.id).map((allocation) => allocationStubJson(view, allocation))
  return tableReading(view.allocations, fragments, [{ table: 'allocations', group: ['evaluation', call.id] }])
}
