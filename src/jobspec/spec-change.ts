/** Would registering a job make a new version of it? */
import type { Job } from '../domain/index.js'
import { compareBytes } from './hcl/values.js'

/** What the server keeps and no author writes. */
const NOT_SPECIFICATION: ReadonlySet<string> = new Set([
  'Status',
  'StatusDescription',
  'Version',
  'Stable',
  'CreateIndex',
  'ModifyIndex',
  'JobModifyIndex',
  'SubmitTime',
  'NomadTokenID',
  'VaultToken',
  'ConsulToken',
  'VersionTag',
])

/** Compares specifications member by member; the order of object members says nothing, the order of lists does. */
export function isSpecChanged(old: Job, next: Job): boolean {
  const names = new Set([...Object.keys(old), ...Object.keys(next)].filter((name) => !NOT_SPECIFICATION.has(name)))
  const left = old as unknown as Readonly<Record<string, unknown>>
  const right = next as unknown as Readonly<Record<string, unknown>>
  return [...names].some((name) => !isSame(left[name], right[name]))
}

function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (Array.isArray(left) && Array.isArray(right)) return left.length === right.length && left.every((item, at) => isSame(item, right[at]))
  if (!isPlain(left) || !isPlain(right)) return false
  const names = membersOf(left)
  const others = membersOf(right)
  return names.length === others.length && names.every((name, at) => name === others[at] && isSame(left[name], right[name]))
}

/** Members that are absent and those that are undefined are alike; a policy's id says nothing of what it does. */
function membersOf(object: Readonly<Record<string, unknown>>): readonly string[] {
  const isPolicy = 'Target' in object && 'Policy' in object
  const ignored = (name: string): boolean => isPolicy && (name === 'ID' || name === 'CreateIndex' || name === 'ModifyIndex')
  return Object.keys(object)
    .filter((name) => object[name] !== undefined && !ignored(name))
    .sort(compareBytes)
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A text that is the same for two jobs exactly when `isSpecChanged` says that nothing differs between them: a hash of it stands for the
 * specification where the job itself is too large to be sent.
 */
export function specText(job: Job): string {
  return textOf(specOf(job))
}

/** What its author has said of a job, or could have. */
export function specOf(job: Job): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(job).filter(([name]) => !NOT_SPECIFICATION.has(name)))
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
  if (!isPlain(value)) return JSON.stringify(value) ?? 'null'
  return `{${membersOf(value)
    .map((name) => `${JSON.stringify(name)}:${textOf(value[name])}`)
    .join()}}`
}
