/** Promoting, failing, pausing, and saying what is healthy (Nomad API docs, "Deployments"). */
import type { ActName, ActOutcome, DeploymentAnswer } from '../../domain/index.js'
import { badRequest } from '../errors.js'
import type { Actor } from '../ports.js'
import type { Call, Route } from '../router.js'
import { checkUuid } from '../uuid-prefix.js'
import { type ActRoute, actRoute, WRITE } from './act-route.js'
import { bodyOf, checkSame, flagOf, optionalBodyOf, textOf, textsOf, written } from './bodies.js'

export function deploymentActRoutes(actor: Actor): readonly Route[] {
  return [actRoute(actor, promote), actRoute(actor, fail), actRoute(actor, pause), actRoute(actor, unblock), actRoute(actor, health)]
}

type DeploymentAct = Extract<ActName, `deployment-${string}`>
type Done = Extract<ActOutcome<DeploymentAct>, { readonly kind: 'done' }>

function answer({ answer: { evaluationId, revertedTo }, index }: Done) {
  return written(index, {
    EvalID: evaluationId,
    EvalCreateIndex: evaluationId === '' ? 0 : index,
    DeploymentModifyIndex: index,
    RevertedJobVersion: revertedTo,
  } satisfies Record<string, unknown> & { RevertedJobVersion: DeploymentAnswer['revertedTo'] })
}

const promote: ActRoute<'deployment-promote'> = {
  act: 'deployment-promote',
  methods: WRITE,
  pattern: '/v1/deployment/promote/:id',
  read: (call) => {
    const body = checkedBody(call)
    return { deploymentId: call.id, groups: flagOf(body, 'All') ? null : textsOf(body, 'Groups') }
  },
  answer,
}

const fail: ActRoute<'deployment-fail'> = {
  act: 'deployment-fail',
  methods: WRITE,
  pattern: '/v1/deployment/fail/:id',
  read: (call) => ({ deploymentId: idOf(call) }),
  answer,
}

const pause: ActRoute<'deployment-pause'> = {
  act: 'deployment-pause',
  methods: WRITE,
  pattern: '/v1/deployment/pause/:id',
  read: (call) => ({ deploymentId: call.id, isPaused: flagOf(checkedBody(call), 'Pause') }),
  answer,
}

const unblock: ActRoute<'deployment-unblock'> = {
  act: 'deployment-unblock',
  methods: WRITE,
  pattern: '/v1/deployment/unblock/:id',
  read: (call) => {
    checkSame(call, textOf(optionalBodyOf(call), 'DeploymentID'), 'Deployment ID does not match')
    return { deploymentId: idOf(call) }
  },
  answer,
}

const health: ActRoute<'deployment-health'> = {
  act: 'deployment-health',
  methods: WRITE,
  pattern: '/v1/deployment/allocation-health/:id',
  read: (call) => {
    const body = checkedBody(call)
    return {
      deploymentId: call.id,
      healthy: textsOf(body, 'HealthyAllocationIDs'),
      unhealthy: textsOf(body, 'UnhealthyAllocationIDs'),
    }
  },
  answer,
}

function checkedBody(call: Call) {
  const body = bodyOf(call)
  const named = textOf(body, 'DeploymentID')
  if (named === '') throw badRequest('DeploymentID must be specified')
  checkSame(call, named, 'Deployment ID does not match')
  checkUuid(call.id, 'deployment')
  return body
}

function idOf(call: Call): string {
  checkUuid(call.id, 'deployment')
  return call.id
}
