import { expect, test } from 'vitest'
import { InProcessJobReader, InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { KnownMistakes } from '../../src/controller/known-mistakes.js'
import { SourceTree } from '../../src/controller/source-tree.js'

const PATH = 'jobs/web.nomad.hcl'
const POOLS = new Set(['default'])

const JOB = (config: string) => `job "web" {
  group "main" {
    task "main" {
      driver = "raw_exec"
      config {
        ${config}
      }
    }
  }
}
`

/** A blob of the tree is its text. */
function treeOf(files: Readonly<Record<string, string>>): SourceTree {
  const read = async (blobs: readonly string[]) =>
    new Map(blobs.map((blob) => [blob, { kind: 'bytes', bytes: new TextEncoder().encode(blob) }] as const))
  const paths = Object.keys(files).sort()
  return new SourceTree(
    { read },
    paths.map((path) => ({ path, blob: files[path]!, mode: 'file' })),
  )
}

/** The mistakes of a file at one commit, as they are known at the next. */
async function lookTwice(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>, pools = POOLS) {
  const tree = treeOf(before)
  const outcome = await new InProcessJobReader(new InProcessSyntaxReader()).read(PATH, tree, { namespace: 'default', nodePools: POOLS })
  if (outcome.kind !== 'mistakes' || outcome.inputs === undefined) throw new Error(`${outcome.kind} is not what was expected`)
  const known = new KnownMistakes()
  const { mistakes, inputs } = outcome
  known.keep({ reading: { kind: 'mistakes', path: PATH, blob: before[PATH]!, mistakes }, inputs, nodePools: POOLS })
  return known.find(treeOf(after), PATH, pools)
}

test('mistakes of a file that has not changed are known', async () => {
  const files = { [PATH]: JOB('command = ') }
  expect((await lookTwice(files, { ...files, 'jobs/other.nomad.hcl': 'anything' }))?.mistakes).toHaveLength(1)
})

test.each([
  ['the file', { [PATH]: JOB('command = ') }, { [PATH]: JOB('command = "/bin/true"') }],
  ['a file that it reads', { [PATH]: JOB('command = file("jobs/x")\n wrong = 1'), 'jobs/x': '1' }, { 'jobs/x': '2' }],
  ['a file that it reads and that was not there', { [PATH]: JOB('command = file("jobs/x")') }, { 'jobs/x': '/bin/true' }],
  ['the variables beside it', { [PATH]: JOB('command = var.x') }, { 'jobs/web.vars.hcl': 'x = 1' }],
  ['the patch beside it', { [PATH]: JOB('command = "/bin/true"'), 'jobs/web.patch.yaml': 'a: [' }, { 'jobs/web.patch.yaml': '' }],
])('they are not, once %s is another', async (_what, before, change) => {
  expect(await lookTwice(before, before)).toBeDefined()
  expect(await lookTwice(before, { ...before, ...change })).toBeUndefined()
})

test('nor once there are other node pools', async () => {
  const files = { [PATH]: JOB('command = ') }
  expect(await lookTwice(files, files, new Set(['default', 'gpu']))).toBeUndefined()
})

test('nothing is kept of files that are gone', async () => {
  const known = new KnownMistakes()
  const reading = { kind: 'mistakes', path: PATH, blob: 'x', mistakes: [] } as const
  known.keep({ reading, inputs: [{ path: PATH, blob: 'x' }], nodePools: POOLS })
  expect(known.find(treeOf({ [PATH]: 'x' }), PATH, POOLS)).toBe(reading)
  known.retain(treeOf({}))
  expect(known.find(treeOf({ [PATH]: 'x' }), PATH, POOLS)).toBeUndefined()
})
