/** Some routes may be asked by pages of other origins (Nomad API docs, "HTTP API"). */
import type { IncomingMessage } from 'node:http'

export function isPreflight(request: IncomingMessage): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}

export function preflightHeaders(request: IncomingMessage): Record<string, string> {
  return {
    Vary: 'Accept-Encoding, Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': String(request.headers['access-control-request-method']),
    'Access-Control-Allow-Headers': String(request.headers['access-control-request-headers'] ?? '*'),
    'Access-Control-Allow-Credentials': 'true',
  }
}

/** Also said when no origin was given, so that caches keep the answers apart. */
export function crossOriginHeaders(request: IncomingMessage): Record<string, string> {
  if (request.headers.origin === undefined) return { Vary: 'Origin' }
  return { Vary: 'Origin', 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Credentials': 'true' }
}
