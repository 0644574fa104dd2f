/** Request bodies. Members are matched without regard to case at the first level, as clients written for Nomad expect. */
import { badRequest } from './errors.js'

const decoder = new TextDecoder()

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws ApiError BAD_REQUEST for nothing, for what is no JSON, and for what is no object */
export function readJsonBody(body: Uint8Array): JsonObject {
  const text = decoder.decode(body)
  if (text.trim() === '') throw badRequest('Request body is empty')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw badRequest(endsTooEarly(cause as Error, text) ? 'unexpected EOF' : `invalid JSON: ${(cause as Error).message}`, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('json: the body must be an object')
  return value as JsonObject
}

/** The parser tells either that the text ended, or the place where it wanted more. */
function endsTooEarly({ message }: Error, text: string): boolean {
  const position = /at position (\d+)/.exec(message)?.[1]
  return /end of JSON|Unterminated/i.test(message) || (position !== undefined && Number(position) >= text.length)
}

/** The member of that name, whatever its case; the exact one wins. */
export function memberOf(body: JsonObject, name: string): unknown {
  if (Object.hasOwn(body, name)) return body[name]
  const lower = name.toLowerCase()
  const found = Object.keys(body).find((key) => key.toLowerCase() === lower)
  return found === undefined ? undefined : body[found]
}
