/** Ids by prefix, as strict as Nomad (Nomad API docs, "HTTP API"). */
import { requestFailed } from './errors.js'

const UUID_LENGTH = 36
const HYPHENS_MAX = 4

/**
 * @param kind how Nomad calls the object in its message (`alloc lookup failed: …`); empty for deployments
 * @returns whether an id begins with the prefix, hyphens apart
 * @throws ApiError REQUEST_FAILED
 */
export function uuidPrefix(prefix: string, kind: string): (id: string) => boolean {
  const reason = prefixFault(prefix)
  if (reason !== undefined) throw requestFailed(`${lookup(kind)}index error: ${reason}`)
  const digits = prefix.replaceAll('-', '').toLowerCase()
  return (id) => id.replaceAll('-', '').startsWith(digits)
}

function prefixFault(prefix: string): string | undefined {
  if (prefix.length > UUID_LENGTH) return `Invalid UUID length. UUID have 36 characters; got ${prefix.length}`
  const hyphens = prefix.split('-').length - 1
  if (hyphens > HYPHENS_MAX) return `UUID should have maximum of 4 "-"; got ${hyphens}`
  const digits = prefix.replaceAll('-', '')
  if (digits.length % 2 !== 0) return 'Input (without hyphens) must be even length'
  const wrong = /[^0-9a-fA-F]/u.exec(digits)?.[0]
  if (wrong === undefined) return undefined
  return `Invalid UUID: encoding/hex: invalid byte: U+${wrong.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${wrong}'`
}

/**
 * @param kind as above; empty where Nomad's message names none
 * @throws ApiError REQUEST_FAILED unless `id` has the length of a whole id
 */
export function checkUuid(id: string, kind: string): void {
  if (id.length !== UUID_LENGTH) throw requestFailed(`${lookup(kind)}index error: UUID must be 36 characters`)
}

function lookup(kind: string): string {
  return kind === '' ? '' : `${kind} lookup failed: `
}
