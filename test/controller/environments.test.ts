/** One spec for several environments, and for several jobs: overlays and templates, as the reconciler and the command line read them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { readJobFile } from '../../src/controller/job-file-reader.js'
import { classifyPath } from '../../src/controller/repository-layout.js'
import type { Job } from '../../src/domain/index.js'
import { treeOf } from '../jobspec/read.js'
import { hcl, SourcesWorld } from './sources/sources-world.js'

const spec = (id: string) => `variable "count" {
  default = 1
}
variable "instance" {
  default = "none"
}
${hcl(id, { more: 'datacenters = ["dc-${var.instance}"]' }).replace('group "g" {', 'group "g" {\n    count = var.count')}`
const counted = (count: number) => `count = ${count}\n`
const patch = (priority: number) => `- { op: replace, path: /Priority, value: ${priority} }\n`

async function read(path: string, files: Readonly<Record<string, string>>, overlay?: string) {
  const outcome = await readJobFile(path, treeOf(files), new InProcessSyntaxReader(), { namespace: 'default', overlay })
  if (outcome.kind !== 'job') return outcome
  const { ID, Name, Priority, TaskGroups, Datacenters } = outcome.job
  return { ID, Name, Priority, count: TaskGroups[0]!.Count, Datacenters, inputs: outcome.inputs.map((input) => input.path) }
}

describe('a file with its overlay', () => {
  const files = {
    'jobs/web.nomad.hcl': spec('web'),
    'jobs/web.vars.hcl': counted(2),
    'jobs/web.prod.vars.hcl': counted(5),
    'jobs/web.prod.patch.yaml': patch(80),
    'jobs/web.patch.yaml': patch(70),
  }

  test.each([
    [undefined, 2, 70],
    ['prod', 5, 80],
    ['staging', 2, 70],
  ])('with the overlay %s', async (overlay, count, Priority) => {
    expect(await read('jobs/web.nomad.hcl', files, overlay)).toMatchObject({ ID: 'web', count, Priority })
  })

  test('what the overlay has alone is enough', async () => {
    const own = { 'jobs/web.nomad.hcl': spec('web'), 'jobs/web.prod.vars.hcl': counted(5) }
    expect(await read('jobs/web.nomad.hcl', own, 'prod')).toMatchObject({
      count: 5,
      inputs: ['jobs/web.nomad.hcl', 'jobs/web.prod.vars.hcl'],
    })
  })
})

describe('a template', () => {
  const files = {
    'jobs/web@.nomad.hcl': spec('web'),
    'jobs/web@.vars.hcl': counted(2),
    'jobs/web@.prod.vars.hcl': counted(3),
    'jobs/web@eu.vars.hcl': '',
    'jobs/web@us.vars.hcl': counted(4),
    'jobs/web@us.prod.vars.hcl': counted(9),
    'jobs/web@us.patch.yaml': patch(90),
  }

  test.each([
    ['eu', undefined, 2, 50],
    ['us', undefined, 4, 90],
    ['eu', 'prod', 3, 50],
    ['us', 'prod', 9, 90],
  ])('is a job for %s with the overlay %s', async (instance, overlay, count, Priority) => {
    const id = `web-${instance}`
    expect(await read(`jobs/web@${instance}.vars.hcl`, files, overlay)).toMatchObject({
      ID: id,
      Name: id,
      count,
      Priority,
      Datacenters: [`dc-${instance}`],
    })
  })

  test('an instance that gives a variable no value is told by its own file', async () => {
    const asking = {
      'jobs/a@.nomad.hcl': `variable "image" {\n}\n${hcl('a')}`,
      'jobs/a@b.vars.hcl': '',
      'jobs/a@c.vars.hcl': 'image = "redis"',
    }
    expect(await read('jobs/a@b.vars.hcl', asking)).toMatchObject({
      mistakes: [{ summary: 'Unset variable "image"', detail: expect.stringContaining('give it one in jobs/a@b.vars.hcl, or a default') }],
    })
    expect(await read('jobs/a@c.vars.hcl', asking)).toMatchObject({ ID: 'a-c' })
  })

  test('without a template, or with two, the file of values is a mistake', async () => {
    expect(await read('jobs/a@b.vars.hcl', { 'jobs/a@b.vars.hcl': '' })).toMatchObject({
      mistakes: [{ path: 'jobs/a@b.vars.hcl', summary: 'values of a job without a template' }],
    })
    const two = { 'jobs/a@b.vars.hcl': '', 'jobs/a@.nomad.hcl': spec('a'), 'jobs/a@.nomad': spec('a') }
    expect(await read('jobs/a@b.vars.hcl', two)).toMatchObject({
      mistakes: [{ summary: 'there are 2 templates: jobs/a@.nomad.hcl, jobs/a@.nomad' }],
    })
  })

  test('a mistake of the template is one of each job, which is known by its name', async () => {
    const broken = { ...files, 'jobs/web@.nomad.hcl': spec('web').replace('group', 'wrong = 1\n  group') }
    expect(await read('jobs/web@eu.vars.hcl', broken)).toMatchObject({
      kind: 'mistakes',
      names: { namespace: 'default', jobId: 'web-eu' },
      mistakes: [{ path: 'jobs/web@.nomad.hcl', line: expect.any(Number) as number, summary: 'Unsupported argument' }],
    })
  })
})

test.each([
  ['jobs/web@.nomad.hcl', { kind: 'template', namespace: 'default' }],
  ['jobs/shop/deep/web@.nomad.yaml', { kind: 'template', namespace: 'shop' }],
  ['jobs/shop/web@eu.vars.hcl', { kind: 'job', namespace: 'shop' }],
  ['jobs/web@eu.prod.vars.hcl', { kind: 'other' }],
  ['jobs/web@.vars.hcl', { kind: 'other' }],
  ['jobs/web.prod.vars.hcl', { kind: 'other' }],
  ['jobs/@eu.vars.hcl', { kind: 'other' }],
])('%s means %j', (path, meaning) => {
  expect(classifyPath(path)).toEqual(meaning)
})

describe('of a cluster', () => {
  const counts = (world: SourcesWorld) =>
    Object.fromEntries(world.state.jobs.all().flatMap((job: Job) => (job.Stop ? [] : [[job.ID, job.TaskGroups[0]!.Count]])))
  const versions = (world: SourcesWorld) => world.state.jobs.all().map(({ ID, Version }) => `${ID} ${Version}`)

  test('each file of values is a job that comes and goes with it; the others stay what they are', async () => {
    const world = await SourcesWorld.start({ limits: {} })
    world.commit('default', { 'jobs/web@.nomad.hcl': spec('web'), 'jobs/web@eu.vars.hcl': counted(2), 'jobs/web@us.vars.hcl': counted(3) })
    await world.settle()
    expect(counts(world)).toEqual({ 'web-eu': 2, 'web-us': 3 })
    world.commit('default', { 'jobs/web@us.vars.hcl': null, 'jobs/web@asia.vars.hcl': counted(4) })
    await world.settle()
    expect(counts(world)).toEqual({ 'web-eu': 2, 'web-asia': 4 })
    world.commit('default', { 'jobs/web@.vars.hcl': counted(7), 'jobs/web@asia.vars.hcl': '' })
    await world.settle()
    expect([counts(world), versions(world)]).toEqual([{ 'web-eu': 2, 'web-asia': 7 }, ['web-asia 1', 'web-eu 0', 'web-us 1']])
    world.commit('default', { 'jobs/web@.nomad.hcl': 'job "web" {' })
    await world.settle()
    expect([counts(world), Object.keys(world.frozen())]).toEqual([
      { 'web-eu': 2, 'web-asia': 7 },
      ['default:jobs/web@asia.vars.hcl', 'default:jobs/web@eu.vars.hcl'],
    ])
  })

  test('another overlay in the configuration makes of the same commit what that one says', async () => {
    const world = await SourcesWorld.start({ limits: {} })
    world.commit('default', {
      'jobs/web.nomad.hcl': spec('web'),
      'jobs/web.prod.vars.hcl': counted(5),
      'jobs/db.nomad.hcl': spec('db'),
      'jobs/db.test.vars.hcl': counted(8),
    })
    await world.settle()
    expect(counts(world)).toEqual({ web: 1, db: 1 })
    const commits = world.state.commitTraces.count
    for (const [overlay, expected] of [
      ['prod', { web: 5, db: 1 }],
      ['test', { web: 1, db: 8 }],
      [undefined, { web: 1, db: 1 }],
    ] as const) {
      world.overlay = overlay
      world.restart()
      await world.settle()
      expect(counts(world)).toEqual(expected)
    }
    expect(world.state.commitTraces.count).toBe(commits)
  })

  test('whatever files come, go and change, and with whatever overlay: what runs is what reading each job says', async () => {
    const name = fc.constantFrom(
      'web@.nomad.hcl',
      'web@a.vars.hcl',
      'web@b.vars.hcl',
      'web@a.prod.vars.hcl',
      'web@.vars.hcl',
      'web@.prod.vars.hcl',
      'web@b.patch.yaml',
    )
    const change = fc.record({ name, count: fc.option(fc.integer({ min: 1, max: 9 })) })
    const step = fc.record({ changes: fc.array(change, { maxLength: 3 }), overlay: fc.option(fc.constant('prod'), { nil: undefined }) })
    const textOf = (file: string, count: number) =>
      file.endsWith('.nomad.hcl') ? spec('web') : file.endsWith('.yaml') ? patch(40 + count) : counted(count)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const world = await SourcesWorld.start({ limits: {} })
        const files = new Map<string, string>()
        for (const { changes, overlay } of steps) {
          for (const { name: file, count } of changes)
            count === null ? files.delete(`jobs/${file}`) : files.set(`jobs/${file}`, textOf(file, count))
          const paths = changes.map(({ name: file }) => `jobs/${file}`)
          world.commit('default', Object.fromEntries(paths.map((path) => [path, files.get(path) ?? null])), { 'Drover-Allow-Delete': '*' })
          world.overlay = overlay
          world.restart()
          await world.settle()
        }
        const { overlay } = steps.at(-1)!
        for (const instance of ['a', 'b']) {
          const path = `jobs/web@${instance}.vars.hcl`
          const known = world.state.jobs.get(`default\u0000web-${instance}`)
          const running = known === undefined || known.Stop ? undefined : { count: known.TaskGroups[0]!.Count, Priority: known.Priority }
          const wanted = files.has(path) ? await read(path, Object.fromEntries(files), overlay) : undefined
          if (wanted === undefined) expect(running).toBeUndefined()
          else if ('ID' in wanted) expect(running).toEqual({ count: wanted.count, Priority: wanted.Priority })
          else expect(world.frozen()[`default:${path}`]).toBe(wanted.kind === 'mistakes' ? wanted.mistakes[0]!.summary : '')
        }
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})
