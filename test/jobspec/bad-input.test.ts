import { describe, expect, test } from 'vitest'
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { readJobFile } from '../../src/controller/job-file-reader.js'
import { LIMITS } from '../../src/jobspec/index.js'
import { mistakesIn, readFiles, readJob, readText, treeOf, withConfig, withGroup } from './read.js'

/** A few levels inside each other: the guards are tried with low limits. */
const LEVELS = 12
const NESTED: Readonly<Record<string, string>> = {
  'brackets inside each other': withConfig(`a = ${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`),
  'parentheses inside each other': withConfig(`a = ${'('.repeat(LEVELS)}1${')'.repeat(LEVELS)}`),
  'templates inside each other': withConfig(`a = ${'"${'.repeat(LEVELS)}1${'}"'.repeat(LEVELS)}`),
  'blocks inside each other': withConfig(`${'b {\n'.repeat(LEVELS)}${'}\n'.repeat(LEVELS)}`),
  'negations in a row': withConfig(`a = ${'!'.repeat(LEVELS)}true`),
  'conditions in a row': withConfig(`a = ${'true ? 1 : '.repeat(LEVELS)}2`),
}

describe('what an author commits can neither hang nor crash the reader', () => {
  test.each(Object.entries(NESTED))('%s are refused beyond the limit, and read below it', async (_, text) => {
    const shallow = new InProcessSyntaxReader({ ...LIMITS, nestingMax: 10 })
    const refused = await readJobFile('jobs/web.nomad.hcl', treeOf({ 'jobs/web.nomad.hcl': text }), shallow)
    expect(refused).toMatchObject({ kind: 'mistakes', mistakes: [{ summary: 'Nesting too deep' }] })
    expect((await readText(text)).kind).toBe('job')
  })

  test.each([
    ['a set product of millions', 'a = setproduct(range(1000), range(1000), range(1000))'],
    ['a width of a billion', 'a = format("%1000000000d", 1)'],
    ['an indentation of a million lines', `a = indent(1000000, join("\\n", range(1000)))`],
    ['a loop in a loop in a loop', 'a = [for x in range(1000) : [for y in range(1000) : [for z in range(1000) : z]]]'],
    ['texts doubled over and over', 'a = join(",", [for x in range(1000) : join(",", [for y in range(1000) : "0123456789"])])'],
  ])('%s is stopped by the budget or by a limit', async (_, config) => {
    const outcome = await readText(withConfig(config))
    expect(outcome.kind).toBe('mistakes')
  })

  test('numbers without end are refused where they stand', async () => {
    expect(await mistakesIn(withConfig('a = 1/0'))).toEqual(['6: Operation failed'])
    expect(await mistakesIn(withConfig('a = 1e400'))).toEqual(['6: Number too large'])
  })

  test('a file beyond the limit is refused by its size', async () => {
    expect(await mistakesIn(`# ${'x'.repeat(LIMITS.fileBytesMax)}`)).toEqual(['0: File too large'])
  })

  test('names like __proto__ are names like any other', async () => {
    const job = await readJob(
      `job "__proto__" {\n  meta = { "__proto__" = "x", constructor = "y" }\n  group "g" {\n    task "t" {\n      driver = "x"\n      config {\n        __proto__ = { polluted = true }\n      }\n    }\n  }\n}\n`,
    )
    expect(job.ID).toBe('__proto__')
    expect(Object.keys(job.Meta ?? {})).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('every refusal names the place and the remedy', () => {
  test('an unknown argument is told with the one that is near', async () => {
    const outcome = await readText('job "j" {\n  dataceners = ["x"]\n}\n')
    expect(outcome).toMatchObject({
      kind: 'mistakes',
      mistakes: [
        { line: 2, column: 3, detail: expect.stringContaining('"datacenters"') as string, snippet: '  dataceners = ["x"]\n  ^^^^^^^^^^' },
      ],
    })
  })

  test('a syntax error is told in the words of HCL', async () => {
    const outcome = await readText('job "j" {\n  a = = 1\n}\n')
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ line: 2, column: 7, summary: 'Invalid expression' }] })
  })

  test('what is wrong with the finished job points at its attribute', async () => {
    const outcome = await readText(withGroup('    count = -1'))
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ line: 3, summary: "Task group count can't be negative" }] })
  })

  test('a driver that is known is given what it takes', async () => {
    const text =
      'job "j" {\n  group "g" {\n    task "t" {\n      driver = "raw_exec"\n      config {\n        comand = "x"\n      }\n    }\n  }\n}\n'
    expect(await mistakesIn(text)).toEqual([
      '5: task "t": driver raw_exec requires config "command"',
      '6: task "t": driver raw_exec has no config "comand"; did you mean "command"?',
    ])
  })

  test('all mistakes of a file are told at once', async () => {
    expect(await mistakesIn('job "j" {\n  foo = 1\n  bar = 2\n  group "g" {\n    baz {}\n  }\n}\n')).toHaveLength(3)
  })
})

describe('files are those of the repository', () => {
  const read = (call: string) =>
    readFiles('jobs/ops/web.nomad.hcl', { 'jobs/ops/web.nomad.hcl': withConfig(`a = ${call}`), 'jobs/greeting.txt': 'hello', secret: 's' })

  test('a path may climb within the repository', async () => {
    const outcome = await read('file("../greeting.txt")')
    expect(outcome).toMatchObject({ kind: 'job', inputs: [{}, { path: 'jobs/greeting.txt', blob: 'blob of hello' }] })
  })

  test.each(['file("../../../etc/passwd")', 'file("/etc/passwd")', 'file("a\\u0000b")', 'pathexpand("~/x")', 'file("missing.txt")'])(
    '%s is refused',
    async (call) => {
      expect(await read(call)).toMatchObject({ kind: 'mistakes', mistakes: [{ line: 6, summary: 'Invalid function argument' }] })
    },
  )
})

describe('the same commit always gives the same job', () => {
  test('what Nomad draws at random is derived from the file', async () => {
    const text = withConfig('a = uuidv4()\nb = uuidv4()')
    const [first, second] = [await readJob(text), await readJob(text)]
    expect(first).toEqual(second)
    expect(first.TaskGroups[0]?.Tasks[0]?.Config?.['a']).not.toBe(first.TaskGroups[0]?.Tasks[0]?.Config?.['b'])
  })

  test('a salted hash is refused', async () => {
    expect(await mistakesIn(withConfig('a = bcrypt("x")'))).toEqual(['6: Error in function call'])
  })

  test('a scaling policy keeps its id', async () => {
    const text = withGroup('    scaling {\n      max = 3\n    }')
    expect((await readJob(text)).TaskGroups[0]?.Scaling?.ID).toBe((await readJob(text)).TaskGroups[0]?.Scaling?.ID)
  })
})
