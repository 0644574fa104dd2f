/**
 * Refusals of the API. Their texts are Nomad's where clients look at them (Nomad API docs, "HTTP API"), so they do not
 * follow the style of other messages. Which status each code is answered with stands in `adapters/http/error-status.ts`.
 */
import { OrchestratorError } from '../domain/index.js'

export class ApiError extends OrchestratorError {
  /** Sent along: the index of a read that found no object. */
  readonly headers: Readonly<Record<string, string>>

  constructor(code: string, message: string, headers: Readonly<Record<string, string>> = {}, cause?: unknown) {
    super(code, message, {}, cause)
    this.headers = headers
  }

  with(headers: Readonly<Record<string, string>>): ApiError {
    return new ApiError(this.code, this.message, headers, this.cause)
  }
}

export type ApiErrorCode =
  /** 400: a parameter or a body that cannot be understood. */
  | 'BAD_REQUEST'
  /** 401: nothing proves that the sender may say this. */
  | 'UNAUTHORIZED'
  /** 429: more than this server listens to. */
  | 'TOO_MANY'
  /** 403: this server does not change what it was asked to change; the text says where it is changed. */
  | 'WRITE_REFUSED'
  /** 403: it is there and not shown; the text says what would show it. */
  | 'WITHHELD'
  /** 404: no such object. */
  | 'NOT_FOUND'
  /** 404, empty: no such path. */
  | 'UNKNOWN_PATH'
  /** 405 */
  | 'WRONG_METHOD'
  /** 500: every other refusal, among them malformed ids, as in Nomad. */
  | 'REQUEST_FAILED'
  /** 501: exists in Nomad and not in Drover. */
  | 'NOT_SUPPORTED'

export const badRequest = (text: string, cause?: unknown) => refusal('BAD_REQUEST', text, cause)
export const notFound = (text: string, cause?: unknown) => refusal('NOT_FOUND', text, cause)
export const wrongMethod = () => refusal('WRONG_METHOD', 'Invalid method')
export const requestFailed = (text: string, cause?: unknown) => refusal('REQUEST_FAILED', text, cause)
export const writeRefused = (text: string) => refusal('WRITE_REFUSED', text)
export const unauthorized = (text: string) => refusal('UNAUTHORIZED', text)
export const tooMany = (text: string) => refusal('TOO_MANY', text).with({ 'Retry-After': '10' })
export const withheld = (text: string) => refusal('WITHHELD', text)
export const notSupported = (text: string) => refusal('NOT_SUPPORTED', text)
export const unknownPath = () => refusal('UNKNOWN_PATH', '')

function refusal(code: ApiErrorCode, text: string, cause?: unknown): ApiError {
  return new ApiError(code, text, {}, cause)
}
