/** One route that asks for an act: its request, and what its outcome is answered with. */
import type { ActName, ActOutcome, ActRefusal, ActRequests } from '../../domain/index.js'
import { type ApiError, badRequest, notFound, requestFailed, writeRefused } from '../errors.js'
import type { Actor } from '../ports.js'
import type { ApiResponse } from '../request.js'
import type { Call, Handler, Route } from '../router.js'

export interface ActRoute<Name extends ActName> {
  readonly act: Name
  readonly methods: string
  readonly pattern: string
  /** @throws ApiError for a request that cannot be understood */
  readonly read: (call: Call) => ActRequests[Name]
  readonly answer: (done: Extract<ActOutcome<Name>, { readonly kind: 'done' }>, call: Call) => ApiResponse
}

export const WRITE = 'PUT POST'

export function actRoute<Name extends ActName>(actor: Actor, { act, methods, pattern, read, answer }: ActRoute<Name>): Route {
  const handler: Handler = async (call) => {
    const outcome = await actor.perform(act, read(call))
    if (outcome.kind === 'refused') throw refusalOf(outcome)
    return answer(outcome, call)
  }
  return { pattern, methods: Object.fromEntries(methods.split(' ').map((method) => [method, handler])), isAct: true, act }
}

/** Nomad answers what is impossible with 500, and so its clients expect it. */
function refusalOf({ reason, text }: ActRefusal): ApiError {
  switch (reason) {
    case 'malformed':
      return badRequest(text)
    case 'missing':
      return notFound(text)
    case 'desired':
      return writeRefused(text)
    default:
      return requestFailed(text)
  }
}
