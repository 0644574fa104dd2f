import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyJobPatch, canonicalizeJob, diffJobs, isSpecChanged, LIMITS, readApiJob, readJson } from '../../src/jobspec/index.js'
import { readJob } from './read.js'

const RUNS = { numRuns: 60 }
/** `{ for` begins an expression. */
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/).filter((text) => text !== 'for')

interface Written {
  readonly id: string
  readonly meta: Readonly<Record<string, string>>
  readonly priority: number
  readonly groups: readonly {
    readonly name: string
    readonly count: number
    readonly env: Readonly<Record<string, string>>
    readonly cpu: number
  }[]
}

const written: fc.Arbitrary<Written> = fc.record({
  id: word,
  meta: fc.dictionary(word, word, { maxKeys: 4 }),
  priority: fc.integer({ min: 1, max: 100 }),
  groups: fc.uniqueArray(
    fc.record({
      name: word,
      count: fc.integer({ min: 0, max: 9 }),
      env: fc.dictionary(word, word, { maxKeys: 3 }),
      cpu: fc.integer({ min: 1, max: 999 }),
    }),
    {
      selector: ({ name }) => name,
      minLength: 1,
      maxLength: 4,
    },
  ),
})

type Style = { readonly indent: string; readonly comment: string; readonly isReversed: boolean }
const style: fc.Arbitrary<Style> = fc.record({
  indent: fc.constantFrom('', '  ', '\t'),
  comment: fc.constantFrom('', '# note\n', '// note\n', '/* note\n*/\n'),
  isReversed: fc.boolean(),
})

/** The order of blocks of different kinds and of members says nothing; the order of groups does. */
function render(job: Written, { indent, comment, isReversed }: Style): string {
  const order = <Item>(items: readonly Item[]): readonly Item[] => (isReversed ? [...items].reverse() : items)
  const groups = job.groups.map(
    (group) =>
      `${indent}group "${group.name}" {\n${order([
        `count = ${group.count}\n`,
        `${comment}task "t" {\n${order([
          `driver = "x"\n`,
          `resources {\n cpu = ${group.cpu}\n}\n`,
          `env = {\n${order(Object.entries(group.env))
            .map(([name, value]) => ` ${name} = "${value}"\n`)
            .join('')}}\n`,
        ]).join('')}}\n`,
      ]).join('')}}\n`,
  )
  const meta = `meta {\n${order(Object.entries(job.meta))
    .map(([name, value]) => `${indent}${name}   = "${value}"\n`)
    .join('')}}\n`
  return `${comment}job "${job.id}" {\n${order([`priority = ${job.priority}\n`, meta, groups.join(comment)]).join(`\n${comment}`)}}\n`
}

describe('a job is what it says, not how it is written', () => {
  test('comments, formatting and the order of members never change it', async () => {
    await fc.assert(
      fc.asyncProperty(written, style, style, async (job, one, other) => {
        expect(await readJob(render(job, one))).toEqual(await readJob(render(job, other)))
      }),
      RUNS,
    )
  })

  test('canonicalizing twice changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(written, style, async (job, one) => {
        const once = await readJob(render(job, one))
        expect(canonicalizeJob(readApiJob(JSON.parse(JSON.stringify(once))))).toEqual(once)
      }),
      RUNS,
    )
  })

  test('a job does not differ from itself, and differs from another', async () => {
    await fc.assert(
      fc.asyncProperty(written, style, async (job, one) => {
        const once = await readJob(render(job, one))
        expect(diffJobs(once, once, { contextual: true }).Type).toBe('None')
        expect(isSpecChanged(once, once)).toBe(false)
        const other = { ...once, Priority: once.Priority + 1 }
        expect(diffJobs(once, other, { contextual: false })).toMatchObject({ Type: 'Edited', Fields: [{ Name: 'Priority' }] })
        expect(isSpecChanged(once, other)).toBe(true)
      }),
      RUNS,
    )
  })

  test('an empty patch changes nothing', async () => {
    const empty = readJson('p.patch.yaml', '[]', LIMITS)
    if (empty.kind !== 'read') throw new Error(empty.fault.summary)
    await fc.assert(
      fc.asyncProperty(written, style, async (job, one) => {
        const once = await readJob(render(job, one))
        expect(applyJobPatch(once, empty.value)).toEqual({ kind: 'patched', job: once })
      }),
      RUNS,
    )
  })
})
