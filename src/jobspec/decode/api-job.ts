/**
 * A job as authors and clients write it: members under the API's names, each of which may be missing. What it becomes when
 * it is stored is `canonicalize.ts`'s to say.
 */
export type ApiValue = string | number | boolean | null | undefined | readonly ApiValue[] | ApiObject

export interface ApiObject {
  readonly [member: string]: ApiValue
}

export type ApiJob = ApiObject

/** An object with exactly these members, in this order; safe for any name, `__proto__` included. */
export function apiObject(entries: Iterable<readonly [string, ApiValue]>): ApiObject {
  return Object.fromEntries(entries)
}

export function isApiObject(value: unknown): value is ApiObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member as an object; `undefined` when it is missing, null or something else. */
export function objectIn(object: ApiObject, member: string): ApiObject | undefined {
  const value = object[member]
  return isApiObject(value) ? value : undefined
}

/** The member as a list of objects; empty when it is missing. */
export function objectsIn(object: ApiObject, member: string): readonly ApiObject[] {
  const value = object[member]
  return Array.isArray(value) ? value.filter(isApiObject) : []
}

export function textIn(object: ApiObject, member: string): string {
  const value = object[member]
  return typeof value === 'string' ? value : ''
}
