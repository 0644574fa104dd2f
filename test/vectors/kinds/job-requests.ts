/**
 * `jobid.json` and `scaling.json`: requests to dispatch, to force and to scale, and what they are answered with. Registering and stopping are
 * the repository's part: they stand for commits here. So is the count of a group without a `scaling` block: it is held that scaling such a one
 * is refused with the sentence that says so, and nothing after it is compared (docs/differences.md).
 */

import { dispatchChildId } from '../../../src/controller/child-jobs.js'
import type { Job } from '../../../src/domain/index.js'
import { canonicalizeJob, readApiJob, validateJob, warningsText } from '../../../src/jobspec/index.js'
import { ActingWorld } from '../../api/acting-world.js'
import { compareJson, type Mismatch } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

interface Step {
  readonly Method: string
  readonly Path: string
  readonly Body?: unknown
}

interface Result {
  readonly status: number
  readonly body?: unknown
  readonly text?: string
}

interface Case {
  readonly name: string
  readonly steps?: readonly Step[]
  readonly results?: readonly Result[]
  readonly parent?: string
  readonly prefix?: string
  readonly at?: string
  readonly id?: string
}

export const pureJobId: VectorKind = {
  kind: 'pure/jobid',
  async *run(content) {
    for (const each of content as readonly Case[]) yield each.steps === undefined ? formatCase(each) : await runCase(each)
  },
}

export const pureScaling: VectorKind = {
  kind: 'pure/scaling',
  async *run(content) {
    for (const each of content as readonly Case[]) yield await runCase(each)
  },
}

const EIGHT_HEX = '0123abcd'

function formatCase({ name, parent, prefix, at, id }: Case): CaseResult {
  const got = dispatchChildId(parent!, prefix!, Date.parse(at!), `${EIGHT_HEX}-0000-4000-8000-000000000000`)
  return { name, mismatches: compareJson(id!.replace('<8 hex>', EIGHT_HEX), got) }
}

async function runCase({ name, steps, results }: Case): Promise<CaseResult> {
  const world = await ActingWorld.start()
  const mismatches: Mismatch[] = []
  let child = ''
  for (const [at, step] of steps!.entries()) {
    if (isScaling(step) && isOfFile(world, step)) {
      mismatches.push(...(await compareRefusal(world, step, `$.results[${at}]`)))
      break
    }
    // What a commit makes of counts that were moved is tried elsewhere (test/controller/scaling.test.ts).
    if (isRegisteredAgain(world, step)) break
    const expected = results![at]!
    const got = await answer(world, { ...step, Path: step.Path.replace('{DispatchedJobID}', child) })
    child = (got.body as { DispatchedJobID?: string } | undefined)?.DispatchedJobID ?? child
    mismatches.push(...compareResult(expected, got, `$.results[${at}]`))
  }
  await world.stop()
  return { name, mismatches }
}

function isRegisteredAgain({ state }: ActingWorld, { Method, Path, Body }: Step): boolean {
  if (Method !== 'POST' || Path !== '/v1/jobs') return false
  return state.jobs.get(`default\u0000${(Body as { Job: { ID: string } }).Job.ID}`) !== undefined
}

function isScaling({ Method, Path }: Step): boolean {
  return (Method === 'POST' || Method === 'PUT') && Path.endsWith('/scale')
}

/** The count is to change, and it is the file's. */
function isOfFile({ state }: ActingWorld, { Path, Body }: Step): boolean {
  const { Count, Target } = Body as { Count?: unknown; Target?: { Group?: string; Job?: string } | null }
  const job = state.jobs.get(`default\u0000${Path.split('/')[3]}`)
  const group = job?.TaskGroups.find(({ Name }) => Name === Target?.Group)
  const isSound = typeof Count === 'number' && Count >= 0 && (Target?.Job ?? job?.ID) === job?.ID
  return isSound && group !== undefined && group.Scaling?.Enabled !== true
}

async function compareRefusal(world: ActingWorld, { Method, Path, Body }: Step, path: string): Promise<readonly Mismatch[]> {
  const { status, text } = await world.send(Method, Path, Body)
  if (status === 403 && text.includes("change the group's count there and commit")) return []
  return [{ path, expected: 'the refusal that names the file', got: `${status} ${text}` }]
}

async function answer(world: ActingWorld, { Method, Path, Body }: Step): Promise<Result> {
  if (Path === '/v1/jobs' && Method === 'POST') return register(world, (Body as { Job: unknown }).Job)
  const jobId = /^\/v1\/job\/([^/]+)$/.exec(Path)?.[1]
  if (Method === 'DELETE' && jobId !== undefined && world.state.jobs.get(`default\u0000${jobId}`)?.ParentID === '') {
    world.propose({ kind: 'job-deregister', namespace: 'default', jobId, purge: false, evaluations: [] })
    // A commit has no answer.
    return { status: 200 }
  }
  const { status, text } = await world.send(Method, Path, Body)
  return status === 200 ? { status, body: JSON.parse(text) } : { status, text }
}

function register(world: ActingWorld, written: unknown): Result {
  const job = canonicalizeJob(readApiJob(written))
  world.propose({ kind: 'job-register', job, source: null, evaluations: [] })
  return { status: 200, body: { Warnings: warningsText(validateJob(job).warnings) } }
}

/** Only what was recorded is compared; what differs from run to run by its shape. */
function compareResult(expected: Result, got: Result, path: string): readonly Mismatch[] {
  if (expected.status !== got.status) return [{ path: `${path}.status`, expected: expected.status, got: `${got.status} ${got.text ?? ''}` }]
  if (got.status === 200 && got.body === undefined) return []
  if (expected.body === undefined)
    return isShaped(expected.text ?? '', got.text ?? '') ? [] : [{ path: `${path}.text`, expected: expected.text, got: got.text }]
  if (Array.isArray(got.body) && typeof (expected.body as readonly unknown[])[0] === 'object')
    return compareShapes(expected.body, got.body, `${path}.body`)
  const seen = Array.isArray(got.body) ? got.body.map(({ ID }: Job) => ID) : { ...(got.body as object), Counts: countsOf(got.body as Job) }
  return compareShapes(expected.body, seen, `${path}.body`)
}

function countsOf({ TaskGroups }: Job): Readonly<Record<string, number>> {
  // How a job is scaled is told with its groups by name.
  return Object.fromEntries((Array.isArray(TaskGroups) ? TaskGroups : []).map((group) => [group.Name, group.Count]))
}

function compareShapes(expected: unknown, got: unknown, path: string): readonly Mismatch[] {
  if (typeof expected === 'string') return isShaped(expected, got) ? [] : [{ path, expected, got }]
  if (typeof expected !== 'object' || expected === null) return compareJson(expected, got, {}, path)
  if (Array.isArray(expected) && expected.length !== (got as unknown[])?.length) return [{ path, expected, got }]
  return Object.entries(expected).flatMap(([name, value]) =>
    compareShapes(value, (got as Record<string, unknown>)?.[name], `${path}.${name}`),
  )
}

const SHAPES: Readonly<Record<string, string>> = {
  '<unix>': '\\d+',
  '<8 hex>': '[0-9a-f]{8}',
  '<uuid>': '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  '<index>': '\\d+',
}

function isShaped(expected: string, got: unknown): boolean {
  const pattern = expected
    .split(/(<unix>|<8 hex>|<uuid>|<index>)/)
    .map((part) => SHAPES[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('')
  return typeof got === 'string' && new RegExp(`^${pattern}$`, 's').test(got)
}
