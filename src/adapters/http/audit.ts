/** Which requests an auditor is told of: acts, and refusals of what is more than reading. */
import type { IncomingMessage } from 'node:http'
import type { Route } from '../../api/index.js'
import { type AuditFact, OrchestratorError } from '../../domain/index.js'

/** Somebody wanted what is not theirs. Malformed questions and absent things are no such news. */
const REFUSALS: ReadonlySet<string> = new Set(['WRITE_REFUSED', 'HOST_REFUSED', 'WITHHELD', 'UNAUTHORIZED', 'TOO_MANY'])
const PROGRAM_LENGTH_MAX = 200

/** @param route undefined: it was refused before its path was looked at @param error undefined: it was answered */
export function auditOf(request: IncomingMessage, route: Route | undefined, error: unknown): AuditFact | undefined {
  const { method = 'GET', url = '/' } = request
  const isRefusal = error instanceof OrchestratorError && REFUSALS.has(error.code)
  if (!isRefusal && !isAct(method, route)) return undefined
  const path = url.split('?')[0]!
  const namespace = new URLSearchParams(url.slice(path.length + 1)).get('namespace')
  return {
    actor: {
      kind: 'api',
      address: request.socket.remoteAddress ?? '',
      program: (request.headers['user-agent'] ?? '').slice(0, PROGRAM_LENGTH_MAX),
    },
    action: route?.act ?? 'request',
    subject: { method, path, ...(namespace === null ? {} : { namespace }) },
    outcome: error === undefined ? 'done' : 'refused',
    reason: error === undefined ? '' : error instanceof OrchestratorError ? error.message : 'the server has failed',
  }
}

/** Clients of Nomad ask for some acts with GET, and open a websocket for others. */
function isAct(method: string, route: Route | undefined): boolean {
  if (route?.act === undefined) return false
  return method !== 'GET' || route.socket !== undefined || route.methods['GET'] === route.methods['PUT']
}
