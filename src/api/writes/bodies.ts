/** Bodies of writes, read as Nomad's clients send them. */
import { type JsonObject, memberOf, readJsonBody } from '../body.js'
import { encodeJson } from '../encode.js'
import { badRequest } from '../errors.js'
import { type ApiResponse, jsonAnswer } from '../request.js'
import type { Call } from '../router.js'

/** @throws ApiError BAD_REQUEST */
export function bodyOf(call: Call): JsonObject {
  return readJsonBody(call.request.body)
}

/** A body that may be missing. @throws ApiError BAD_REQUEST */
export function optionalBodyOf(call: Call): JsonObject {
  return call.request.body.length === 0 ? {} : readJsonBody(call.request.body)
}

/** Absent and null are empty. @throws ApiError BAD_REQUEST */
export function textOf(body: JsonObject, name: string): string {
  const value = memberOf(body, name) ?? ''
  if (typeof value !== 'string') throw wrongType(name, 'string')
  return value
}

/** Absent and null are false. @throws ApiError BAD_REQUEST */
export function flagOf(body: JsonObject, name: string): boolean {
  const value = memberOf(body, name) ?? false
  if (typeof value !== 'boolean') throw wrongType(name, 'bool')
  return value
}

/** Absent and null are 0. @throws ApiError BAD_REQUEST */
export function numberOf(body: JsonObject, name: string): number {
  const value = memberOf(body, name) ?? 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType(name, 'int')
  return value
}

/** Absent and null are empty. @throws ApiError BAD_REQUEST */
export function textsOf(body: JsonObject, name: string): readonly string[] {
  const value = memberOf(body, name) ?? []
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw wrongType(name, '[]string')
  return value
}

/** Absent and null are empty. @throws ApiError BAD_REQUEST */
export function mapOf(body: JsonObject, name: string): Readonly<Record<string, string>> {
  const value = memberOf(body, name) ?? {}
  const isMap = typeof value === 'object' && !Array.isArray(value) && Object.values(value).every((item) => typeof item === 'string')
  if (!isMap) throw wrongType(name, 'map[string]string')
  return value as Readonly<Record<string, string>>
}

/** Absent and null are null. @throws ApiError BAD_REQUEST */
export function objectOf(body: JsonObject, name: string): JsonObject | null {
  const value = memberOf(body, name) ?? null
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) throw badRequest(`json: the member ${name} must be an object`)
  return value as JsonObject | null
}

/** @throws ApiError BAD_REQUEST where the body names another object than the path does */
export function checkSame(call: Call, named: string, text: string): void {
  if (named !== '' && named !== call.id) throw badRequest(text)
}

/** What every write is answered with besides its own. */
export function written(index: number, answer: object): ApiResponse {
  return jsonAnswer(encodeJson({ ...answer, Index: index, LastContact: 0, KnownLeader: false, NextToken: '' }), {
    'X-Nomad-Index': String(index),
  })
}

function wrongType(name: string, type: string) {
  return badRequest(`json: cannot unmarshal the member ${name} into a value of type ${type}`)
}
