/** Dispatching, forcing, evaluating, and stopping what was made from another job (Nomad API docs, "Jobs"). */
import type { ActRequests } from '../../domain/index.js'
import type { JsonObject } from '../body.js'
import { memberOf } from '../body.js'
import { badRequest } from '../errors.js'
import type { Actor } from '../ports.js'
import type { Call, Route } from '../router.js'
import { type ActRoute, actRoute, WRITE } from './act-route.js'
import { bodyOf, checkSame, flagOf, mapOf, numberOf, objectOf, optionalBodyOf, textOf, written } from './bodies.js'

export function jobActRoutes(actor: Actor): readonly Route[] {
  return [
    actRoute(actor, dispatch),
    actRoute(actor, dispatchPayload),
    actRoute(actor, force),
    actRoute(actor, evaluate),
    actRoute(actor, scale),
    actRoute(actor, stop),
  ]
}

const dispatch: ActRoute<'job-dispatch'> = {
  act: 'job-dispatch',
  methods: WRITE,
  pattern: '/v1/job/:id/dispatch',
  read: (call) => dispatchOf(call, bodyOf(call), undefined),
  answer: ({ answer, index }) =>
    written(index, {
      DispatchedJobID: answer.childId,
      EvalID: answer.evaluationId,
      EvalCreateIndex: answer.evaluationId === '' ? 0 : answer.childCreateIndex,
      JobCreateIndex: answer.childCreateIndex,
    }),
}

/** The body is the payload itself. */
const dispatchPayload: ActRoute<'job-dispatch'> = {
  ...dispatch,
  pattern: '/v1/job/:id/dispatch/payload',
  read: (call) => dispatchOf(call, {}, base64Of(call.request.body)),
}

function dispatchOf(call: Call, body: JsonObject, payload: string | undefined): ActRequests['job-dispatch'] {
  checkSame(call, textOf(body, 'JobID'), 'Job ID does not match')
  return {
    ...jobOf(call),
    payload: payload ?? checkedBase64(textOf(body, 'Payload')),
    meta: mapOf(body, 'Meta'),
    token: call.parameters.text('idempotency_token'),
    idPrefix: textOf(body, 'IdPrefixTemplate'),
    priority: numberOf(body, 'Priority'),
  }
}

/** In the words of Go, which clients show. */
function checkedBase64(text: string): string {
  const bad = /[^A-Za-z0-9+/]/.exec(text.replace(/={0,2}$/, ''))
  if (bad !== null) throw badRequest(`illegal base64 data at input byte ${bad.index}`)
  if (text.length % 4 !== 0) throw badRequest(`illegal base64 data at input byte ${text.length - (text.length % 4)}`)
  return text
}

function base64Of(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

const force: ActRoute<'job-force'> = {
  act: 'job-force',
  methods: WRITE,
  pattern: '/v1/job/:id/periodic/force',
  read: jobOf,
  answer: ({ answer, index }) => written(index, { EvalID: answer.evaluationId, EvalCreateIndex: index }),
}

const evaluate: ActRoute<'job-evaluate'> = {
  act: 'job-evaluate',
  methods: WRITE,
  pattern: '/v1/job/:id/evaluate',
  read: (call) => {
    const body = optionalBodyOf(call)
    checkSame(call, textOf(body, 'JobID'), 'JobID not same as job name')
    return { ...jobOf(call), forceReschedule: flagOf(objectOf(body, 'EvalOptions') ?? {}, 'ForceReschedule') }
  },
  answer: ({ answer, index }) => written(index, { EvalID: answer.evaluationId, EvalCreateIndex: index, JobModifyIndex: 0, Warnings: '' }),
}

const scale: ActRoute<'job-scale'> = {
  act: 'job-scale',
  methods: WRITE,
  pattern: '/v1/job/:id/scale',
  read: (call) => {
    const body = bodyOf(call)
    const target = objectOf(body, 'Target') ?? {}
    checkSame(call, textOf(target, 'Job'), 'job ID in payload did not match URL')
    return {
      ...jobOf(call),
      group: textOf(target, 'Group'),
      count: countOf(body),
      message: textOf(body, 'Message'),
      isError: flagOf(body, 'Error'),
      meta: objectOf(body, 'Meta'),
      overridesPolicy: flagOf(body, 'PolicyOverride'),
    }
  },
  answer: ({ answer, index }) =>
    written(index, {
      EvalID: answer.evaluationId,
      EvalCreateIndex: answer.evaluationId === '' ? 0 : index,
      JobModifyIndex: answer.jobModifyIndex,
      Warnings: '',
    }),
}

function countOf(body: JsonObject): number | null {
  const count = memberOf(body, 'Count') ?? null
  if (count === null) return null
  if (typeof count === 'number' && Number.isSafeInteger(count)) return count
  throw badRequest(`json: cannot unmarshal ${typeof count} into Go struct field ScalingRequest.Count of type int64`)
}

const stop: ActRoute<'child-stop'> = {
  act: 'child-stop',
  methods: 'DELETE',
  pattern: '/v1/job/:id',
  read: (call) => ({ ...jobOf(call), purge: call.parameters.boolean('purge') }),
  answer: ({ answer, index }) =>
    written(index, {
      EvalID: answer.evaluationId,
      EvalCreateIndex: answer.evaluationId === '' ? 0 : index,
      JobModifyIndex: index,
      VolumeEvalID: '',
      VolumeEvalIndex: 0,
    }),
}

function jobOf(call: Call): { readonly namespace: string; readonly jobId: string } {
  return { namespace: call.parameters.namespace, jobId: call.id }
}
