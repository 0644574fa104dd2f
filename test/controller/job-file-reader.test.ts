import { describe, expect, test } from 'vitest'
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { readJobFile } from '../../src/controller/job-file-reader.js'
import { readFiles, treeOf, withConfig } from '../jobspec/read.js'

const WEB = 'jobs/web.nomad.hcl'
const withVariable =
  'variable "size" {\n  default = 1\n}\n\njob "web" {\n  meta = { drover = "shared.vars.hcl" }\n  group "g" {\n    count = var.size\n    task "t" {\n      driver = "x"\n    }\n  }\n}\n'

describe('a job file with the files that belong to it', () => {
  test('takes values from the variables file of its stem, and later ones from those its meta lists', async () => {
    const files = { [WEB]: withVariable, 'jobs/shared.vars.hcl': 'size = 3\n', 'jobs/web.vars.hcl': 'size = 2\n' }
    const outcome = await readFiles(WEB, files)
    expect(outcome).toMatchObject({ kind: 'job', job: { TaskGroups: [{ Count: 3 }] } })
    expect(outcome.kind === 'job' && outcome.inputs.map(({ path }) => path).sort()).toEqual([
      'jobs/shared.vars.hcl',
      'jobs/web.nomad.hcl',
      'jobs/web.vars.hcl',
    ])
  })

  test('says so when a variables file that it lists is not there', async () => {
    const outcome = await readFiles(WEB, { [WEB]: withVariable, 'jobs/shred.vars.hcl': '' })
    expect(outcome).toMatchObject({
      kind: 'mistakes',
      mistakes: [{ line: 6, summary: 'Variables file not found', detail: expect.stringContaining('shred.vars.hcl') as string }],
    })
  })

  test('is patched in its canonical form', async () => {
    const patch = '- op: replace\n  path: /TaskGroups/0/Count\n  value: 7\n- op: add\n  path: /Meta/tier\n  value: gold\n'
    const outcome = await readFiles(WEB, { [WEB]: withVariable, 'jobs/shared.vars.hcl': '', 'jobs/web.patch.yaml': patch })
    expect(outcome).toMatchObject({
      kind: 'job',
      job: { TaskGroups: [{ Count: 7 }], Meta: { tier: 'gold' } },
      inputs: expect.arrayContaining([{ path: 'jobs/web.patch.yaml', blob: expect.any(String) as string }]) as unknown[],
    })
  })

  test.each([
    ['does not apply', '- op: replace\n  path: /TaskGroups/9/Count\n  value: 7\n', 'Patch does not apply'],
    ['is no list', 'op: add\n', 'Not a patch'],
    ['has an unknown operation', '- op: set\n  path: /Count\n', 'Unknown operation'],
    ['changes who the job is', '- op: replace\n  path: /ID\n  value: other\n', 'Patch changes the identity'],
    ['makes the job unsound', '- op: replace\n  path: /Priority\n  value: 5000\n', 'job priority must be between [1, 100]'],
  ])('a patch that %s is refused', async (_, patch, summary) => {
    const outcome = await readFiles(WEB, { [WEB]: withVariable, 'jobs/shared.vars.hcl': '', 'jobs/web.patch.yaml': patch })
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ summary }] })
  })

  test('depends on the files that it lists: a new one among them is a new reading', async () => {
    const outcome = await readFiles(WEB, {
      [WEB]: withConfig('a = fileset("conf", "*.txt")\nb = fileexists("x")'),
      'jobs/conf/a.txt': '',
      'jobs/conf/b.md': '',
    })
    expect(outcome).toMatchObject({ kind: 'job', inputs: [{}, { path: 'jobs/conf/', blob: 'a listing' }, { path: 'jobs/x', blob: '' }] })
    expect(outcome.kind === 'job' && outcome.job.TaskGroups[0]?.Tasks[0]?.Config).toEqual({ a: ['a.txt'], b: false })
  })
})

describe('the namespace', () => {
  const job = (namespace: string) => `job "web" {\n${namespace}  group "g" {\n    task "t" {\n      driver = "x"\n    }\n  }\n}\n`

  test('comes from the folder when the text has none', async () => {
    expect(await readFiles(WEB, { [WEB]: job('') }, { namespace: 'ops' })).toMatchObject({ kind: 'job', job: { Namespace: 'ops' } })
  })

  test('of folder and text must be one', async () => {
    const outcome = await readFiles(WEB, { [WEB]: job('  namespace = "dev"\n') }, { namespace: 'ops' })
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ detail: expect.stringMatching(/"ops".*"dev"/) as string }] })
  })
})

test('what the tree refuses to read is the mistake of the job', async () => {
  const mistake = { path: 'jobs/link', line: 0, column: 0, summary: 'a symbolic link', detail: '', snippet: '' }
  const tree = { ...treeOf({ [WEB]: withConfig('a = file("link")'), 'jobs/link': '' }) }
  const outcome = await readJobFile(
    WEB,
    { ...tree, read: async (path) => (path === 'jobs/link' ? { mistake } : tree.read(path)) },
    new InProcessSyntaxReader(),
  )
  expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [mistake] })
})

test('a reading that was aborted says nothing of the file', async () => {
  const reader = { read: async () => ({ kind: 'aborted', reason: 'worker died' }) as const, close: async () => {} }
  expect(await readJobFile(WEB, treeOf({ [WEB]: '' }), reader)).toEqual({ kind: 'aborted', reason: 'worker died' })
})
