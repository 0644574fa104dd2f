/** A request and an answer, free of any HTTP library. */
import type { LogIndex } from '../domain/index.js'

export interface ApiRequest {
  readonly method: string
  /** Path as sent, still percent-encoded, without the query. */
  readonly path: string
  /** Query as sent, without `?`; empty when there is none. */
  readonly query: string
  /** Host as the client named it, for answers that hold addresses. */
  readonly host: string
  /** By name in lower case; several of one name as a list, or joined. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Empty when nothing was sent. */
  readonly body: Uint8Array
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal
}

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A stream is flushed part by part. */
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array | string>
  /** As long as the state is that of this index, the same request is answered the same. Absent: it may not be. */
  readonly sameAt?: LogIndex
}

const JSON_TYPE = { 'Content-Type': 'application/json' }
const TEXT_TYPE = { 'Content-Type': 'text/plain; charset=utf-8' }

export function jsonAnswer(body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}): ApiResponse {
  return { status: 200, headers: { ...JSON_TYPE, ...headers }, body }
}

export function textAnswer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): ApiResponse {
  return { status, headers: { ...TEXT_TYPE, ...headers }, body }
}

/** 200 without a body and without a type, where Nomad has nothing to say. */
export function emptyAnswer(status = 200, headers: Readonly<Record<string, string>> = {}): ApiResponse {
  return { status, headers, body: '' }
}
