/** Draining and cordoning hosts, stopping allocations (Nomad API docs, "Nodes", "Allocations"). */
import { type ActName, type ActOutcome, type ActRequests, MILLISECOND } from '../../domain/index.js'
import { type JsonObject, memberOf } from '../body.js'
import type { Actor } from '../ports.js'
import type { Call, Route } from '../router.js'
import { checkUuid } from '../uuid-prefix.js'
import { type ActRoute, actRoute, WRITE } from './act-route.js'
import { bodyOf, checkSame, flagOf, mapOf, numberOf, objectOf, optionalBodyOf, textOf, textsOf, written } from './bodies.js'

export function hostActRoutes(actor: Actor): readonly Route[] {
  return [
    actRoute(actor, drain),
    actRoute(actor, eligibility),
    actRoute(actor, evaluate),
    actRoute(actor, stop),
    actRoute(actor, replaceLost),
  ]
}

type HostAct = Extract<ActName, `node-${string}`>

function answer({ answer: { evaluationIds }, index }: Extract<ActOutcome<HostAct>, { readonly kind: 'done' }>) {
  const hasEvaluations = evaluationIds.length > 0
  return written(index, {
    EvalIDs: hasEvaluations ? evaluationIds : null,
    EvalCreateIndex: hasEvaluations ? index : 0,
    NodeModifyIndex: index,
  })
}

const drain: ActRoute<'node-drain'> = {
  act: 'node-drain',
  methods: WRITE,
  pattern: '/v1/node/:id/drain',
  read: (call) => {
    const body = bodyOf(call)
    checkSame(call, textOf(body, 'NodeID'), 'Node ID does not match')
    return { nodeId: nodeOf(call), drain: drainOf(body), markEligible: flagOf(body, 'MarkEligible'), meta: metaOf(body) }
  },
  answer,
}

function drainOf(body: JsonObject): ActRequests['node-drain']['drain'] {
  const spec = objectOf(body, 'DrainSpec')
  if (spec === null) return null
  return {
    deadlineMs: numberOf(spec, 'Deadline') / MILLISECOND,
    ignoreSystemJobs: flagOf(spec, 'IgnoreSystemJobs'),
  }
}

function metaOf(body: JsonObject): Readonly<Record<string, string>> | null {
  const meta = mapOf(body, 'Meta')
  return Object.keys(meta).length === 0 ? null : meta
}

const eligibility: ActRoute<'node-eligibility'> = {
  act: 'node-eligibility',
  methods: WRITE,
  pattern: '/v1/node/:id/eligibility',
  read: (call) => {
    const body = bodyOf(call)
    checkSame(call, textOf(body, 'NodeID'), 'Node ID does not match')
    return { nodeId: nodeOf(call), eligibility: textOf(body, 'Eligibility') }
  },
  answer,
}

const evaluate: ActRoute<'node-evaluate'> = {
  act: 'node-evaluate',
  methods: WRITE,
  pattern: '/v1/node/:id/evaluate',
  read: (call) => ({ nodeId: nodeOf(call) }),
  answer,
}

const stop: ActRoute<'allocation-stop'> = {
  act: 'allocation-stop',
  methods: WRITE,
  pattern: '/v1/allocation/:id/stop',
  read: (call) => {
    checkUuid(call.id, 'alloc')
    return { allocationId: call.id, skipsShutdownDelay: call.parameters.boolean('no_shutdown_delay') }
  },
  answer: ({ answer: { evaluationId }, index }) => written(index, { EvalID: evaluationId }),
}

function nodeOf(call: Call): string {
  checkUuid(call.id, 'node')
  return call.id
}

/** Drover's own. `Nodes`: ids; absent or null: all. */
const replaceLost: ActRoute<'losses-release'> = {
  act: 'losses-release',
  methods: WRITE,
  pattern: '/drover/v1/lost/replace',
  read: (call) => {
    const body = optionalBodyOf(call)
    return { nodeIds: (memberOf(body, 'Nodes') ?? null) === null ? null : textsOf(body, 'Nodes') }
  },
  answer: ({ answer: { nodeIds }, index }) => written(index, { Nodes: nodeIds }),
}
