/** The questions of one case, put to both sides: each answers a list of places where they differ. */
import type { PlanAnnotations } from '../../src/domain/index.js'
import type { ApiObject } from '../../src/jobspec/decode/api-job.js'
import { compareJson, type Mismatch } from '../vectors/compare.js'
import { isExpected } from './expected-differences.js'
import { writeHcl, writeHclJson } from './hcl-writer.js'
import { diff, hasWrongType, parseText, store, validate } from './ours.js'
import type { Reference } from './reference.js'

export const QUESTIONS = ['validate', 'store', 'diff', 'hcl', 'hcl-canonical', 'hcl-json'] as const
export type Question = (typeof QUESTIONS)[number]

export interface Case {
  readonly job: ApiObject
  /** Planned over `job`. */
  readonly next: ApiObject
}

/** Undefined where the question cannot be put: the reference takes no such job, or is known to answer otherwise. */
export async function ask(reference: Reference, question: Question, one: Case): Promise<readonly Mismatch[] | undefined> {
  switch (question) {
    case 'validate':
      return askValidate(reference, one.job)
    case 'store':
      return askStore(reference, one.job)
    case 'diff':
      return askDiff(reference, one)
    case 'hcl':
      return askParse(reference, writeHcl(one.job), false)
    case 'hcl-canonical':
      return askParse(reference, writeHcl(one.job), true)
    case 'hcl-json':
      return askParse(reference, writeHclJson(one.job), false)
  }
}

/** What depends on the cluster and not on the job. */
const CLUSTER = /^job ".*" is in nonexistent node pool|^job ".*" is in nonexistent namespace/

async function askValidate(reference: Reference, job: ApiObject): Promise<readonly Mismatch[] | undefined> {
  const { status, text } = await reference.ask('PUT', '/v1/validate/job', { Job: job })
  if (isExpected([job], text)) return undefined
  // Which of several members is named first is a matter of order.
  if (text.startsWith('json: cannot unmarshal') && hasWrongType(job)) return []
  if (status !== 200) return [{ path: '$.status', expected: `${status} ${text}`, got: 200 }]
  const answer = JSON.parse(text) as { readonly ValidationErrors: readonly string[] | null; readonly Warnings: string }
  const errors = (answer.ValidationErrors ?? []).filter((error) => error !== '')
  if (errors.some((error) => CLUSTER.test(error)) || isExpected([job], errors.join('\n'))) return undefined
  const got = validate(job)
  return [
    ...compareLines('$.errors', errors.join('\n'), got.errors.join('\n')),
    ...compareLines('$.warnings', answer.Warnings, got.warnings),
  ]
}

/** The first line that differs; counts of what follows them say less than the line itself. */
function compareLines(path: string, expected: string, got: string): readonly Mismatch[] {
  if (expected === got) return []
  const withoutCounts = (text: string): readonly string[] =>
    text.split('\n').map((line) => line.replace(/\d+ (error|warning)s?( occurred)?:/, 'N $1s$2:'))
  const [theirs, ours] = [withoutCounts(expected), withoutCounts(got)]
  const at = theirs.findIndex((line, index) => line !== ours[index])
  const line = at < 0 ? theirs.length : at
  return [{ path, expected: theirs[line] ?? expected, got: ours[line] ?? '' }]
}

const SERVER_OWNED: ReadonlySet<string> = new Set([
  'SubmitTime',
  'JobModifyIndex',
  'Stable',
  'Status',
  'ConsulToken',
  'VaultToken',
  'CreateIndex',
  'ModifyIndex',
  'Version',
])

/** A service of Consul is registered by the server here, and asks for no Consul on its host. */
const isOfConsul = (item: unknown): boolean => String((item as { LTarget?: unknown } | null)?.LTarget ?? '').startsWith('${attr.consul.')

/** Members that the server draws are left out, and those of sparse objects that are zero. */
function comparable(value: unknown, member: string): unknown {
  if (Array.isArray(value) && member === 'Constraints') {
    const others = value.filter((item) => !isOfConsul(item))
    return others.length === 0 ? null : others.map((item) => comparable(item, member))
  }
  if (Array.isArray(value)) return value.map((item) => comparable(item, member))
  if (typeof value !== 'object' || value === null) return value
  const isPort = member === 'ReservedPorts' || member === 'DynamicPorts'
  const isPolicy = 'Target' in value && 'Policy' in value
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([name, inner]) => !(member === '' && SERVER_OWNED.has(name)) && !(isPort && (inner === 0 || inner === '' || inner === false)),
      )
      .filter(([name]) => !(isPolicy && ['ID', 'CreateIndex', 'ModifyIndex'].includes(name)))
      .map(([name, inner]) => [name, comparable(inner, name)]),
  )
}

async function register(reference: Reference, job: ApiObject): Promise<boolean> {
  return (await reference.ask('PUT', '/v1/jobs', { Job: job })).status === 200
}

async function askStore(reference: Reference, job: ApiObject): Promise<readonly Mismatch[] | undefined> {
  if (isExpected([job], '')) return undefined
  if (!(await register(reference, job))) return undefined
  const id = String(job['ID'])
  const { text } = await reference.ask('GET', `/v1/job/${encodeURIComponent(id)}`)
  await reference.purge(id)
  return compareJson(comparable(JSON.parse(text), ''), comparable(JSON.parse(JSON.stringify(store(job))), ''))
}

async function askDiff(reference: Reference, { job, next }: Case): Promise<readonly Mismatch[] | undefined> {
  if (!(await register(reference, job))) return undefined
  const id = String(job['ID'])
  try {
    return await comparePlans(reference, id, { job, next })
  } finally {
    await reference.purge(id)
  }
}

/** Objects that differ in two ways at once stand in an order of chance: some answers are looked at before one counts as another. */
const ANSWERS_LOOKED_AT = 16

async function comparePlans(reference: Reference, id: string, { job, next }: Case): Promise<readonly Mismatch[] | undefined> {
  let mismatches: readonly Mismatch[] = []
  const answers = new Set<string>()
  for (let at = 0; at < ANSWERS_LOOKED_AT; at++) {
    const planned = await reference.ask('PUT', `/v1/job/${encodeURIComponent(id)}/plan`, { Job: next, Diff: true })
    if (planned.status !== 200 || isExpected([job, next], planned.text)) return undefined
    const answer = JSON.parse(planned.text) as { readonly Diff: unknown; readonly Annotations: PlanAnnotations | null }
    const ours = JSON.parse(JSON.stringify(diff(job, next, answer.Annotations)))
    mismatches = compareJson(answer.Diff, ours)
    answers.add(JSON.stringify(answer.Diff))
    if (mismatches.length === 0 || (answers.size > 1 && compareJson(inOrder(answer.Diff), inOrder(ours)).length === 0)) return []
    if (isHollow(answer.Diff)) return undefined
  }
  return mismatches
}

/**
 * An empty list where none was: Nomad calls what holds it edited, and tells no change in it. So it does at times with a scaling policy
 * that says what it said, when its id is drawn anew.
 */
function isHollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isHollow)
  if (typeof value !== 'object' || value === null) return false
  const { Type, Name, Fields, Objects } = value as {
    Type?: unknown
    Name?: unknown
    Fields?: readonly { Type: string }[] | null
    Objects?: unknown
  }
  const isLeaf = Type === 'Edited' && typeof Name === 'string' && Fields != null && Objects === null
  if (Type === 'Edited' && Name === 'Scaling' && Fields === null && Objects === null) return true
  return (isLeaf && Fields.length > 1 && Fields.every((field) => field.Type === 'None')) || Object.values(value).some(isHollow)
}

/** The same whatever the order of its lists. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, inOrder(inner)]),
  )
}

const UNSUITABLE = 'Unsuitable value type'

async function askParse(reference: Reference, text: string, isCanonical: boolean): Promise<readonly Mismatch[]> {
  const [theirs, ours] = await Promise.all([
    reference.ask('PUT', '/v1/jobs/parse', { JobHCL: text, Canonicalize: isCanonical }),
    parseText(text, isCanonical),
  ])
  if (theirs.status === 200)
    return compareJson(
      { job: comparable(JSON.parse(theirs.text), 'job') },
      JSON.parse(JSON.stringify('job' in ours ? { job: comparable(ours.job, 'job') } : ours)),
    )
  const expected = /input\.hcl:(\d+,\d+)[-\d,]*: ([^;]+);/.exec(theirs.text)
  if ('job' in ours) return [{ path: '$.refused', expected: theirs.text, got: 'taken' }]
  const wanted = expected === null ? theirs.text : `${expected[1]}: ${expected[2]}`
  // In JSON a mistake in a map is told where the value is, not where the map begins.
  if (text.startsWith('{') && wanted.endsWith(UNSUITABLE) && ours.mistakes.some((mistake) => mistake.endsWith(UNSUITABLE))) return []
  // HCL reads on after a mistake of the grammar, and names what it finds then.
  if (wanted.endsWith('Invalid multi-line string') && isOfLine(ours.mistakes[0], wanted)) return []
  // One is named and the others are counted: which one, is a matter of order.
  return ours.mistakes.includes(wanted) ? [] : [{ path: '$.mistake', expected: wanted, got: ours.mistakes[0] }]
}

function isOfLine(mistake: string | undefined, wanted: string): boolean {
  return mistake?.split(',')[0] === wanted.split(',')[0]
}
