/**
 * Whatever several repositories went through, in whatever order they were looked at and however often one was away or the server was
 * started anew: in the end the cluster is what the newest commits say, each job and variable being that of one source that wants it.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimOwner } from '../../../src/controller/sources/source-scope.js'
import { OPEN_LIMITS } from '../../fixtures.js'
import { hcl, SourcesWorld } from './sources-world.js'

const SOURCES = ['default', 'one', 'two']
const RUNS = Number(process.env['CONVERGENCE_RUNS'] ?? 60)

type Content = { readonly id: string; readonly generation: number } | { readonly broken: string } | null
type Step =
  | {
      readonly kind: 'commit'
      readonly source: string
      readonly files: Readonly<Record<string, Content>>
      readonly variables: Readonly<Record<string, string | null>>
    }
  | { readonly kind: 'look' | 'leave' | 'return'; readonly source: string }
  | { readonly kind: 'restart' | 'settle' | 'together' }

const id = fc.constantFrom('a', 'b', 'c', 'd')
const source = fc.constantFrom(...SOURCES)
const content: fc.Arbitrary<Content> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ id, generation: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ broken: id }) },
  { weight: 2, arbitrary: fc.constant(null) },
)
const files = fc.dictionary(fc.constantFrom('f0', 'f1', 'f2', 'f3'), content, { maxKeys: 3, noNullPrototype: true })
const variables = fc.dictionary(fc.constantFrom('x', 'y'), fc.option(fc.constantFrom('1', '2')), { maxKeys: 2, noNullPrototype: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('commit' as const), source, files, variables }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('look' as const, 'leave' as const, 'return' as const), source }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'settle' as const, 'together' as const) }) },
)

const command = (generation: number) => `/bin/${generation}`
const textOf = (what: Content) => {
  if (what === null) return null
  return 'broken' in what ? `job "${what.broken}" {\n  wrong = 1\n}\n` : hcl(what.id, { command: command(what.generation) })
}

/** What the newest commit of each source says. */
class Wishes {
  readonly #files = new Map(SOURCES.map((name) => [name, new Map<string, Exclude<Content, null>>()]))
  readonly #variables = new Map(SOURCES.map((name) => [name, new Map<string, string>()]))

  take({ source: name, files: changed, variables: set }: Extract<Step, { kind: 'commit' }>): void {
    for (const [path, what] of Object.entries(changed)) replace(this.#files.get(name)!, path, what)
    for (const [path, value] of Object.entries(set)) replace(this.#variables.get(name)!, path, value)
  }

  variablesOf(name: string): ReadonlyMap<string, string> {
    return this.#variables.get(name)!
  }

  /** Jobs that are said once and soundly, with their paths. */
  wanted(name: string): ReadonlyMap<string, { readonly path: string; readonly generation: number }> {
    const sound = this.#sound(name)
    return new Map(
      sound
        .filter((one) => sound.filter((other) => other.id === one.id).length === 1)
        .map(({ path, id: jobId, generation }) => [jobId, { path, generation }]),
    )
  }

  /** Files that are wrong by themselves, or say the same job twice. */
  unsound(name: string): readonly { readonly path: string }[] {
    const broken = [...this.#files.get(name)!].flatMap(([path, what]) => ('broken' in what ? [{ path }] : []))
    const wanted = this.wanted(name)
    return [...broken, ...this.#sound(name).filter((one) => !wanted.has(one.id))]
  }

  #sound(name: string) {
    return [...this.#files.get(name)!].flatMap(([path, what]) => ('broken' in what ? [] : [{ path, ...what }]))
  }
}

function replace<Value>(map: Map<string, Value>, key: string, value: Value | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}

const path = (name: string) => `jobs/${name}.nomad.hcl`
const variable = (name: string) => `vars/default/${name}.yaml`
const rename = <Value>(rows: Readonly<Record<string, Value>>, pathOf: (name: string) => string) =>
  Object.entries(rows).map(([name, value]) => [pathOf(name), value] as const)

async function perform(world: SourcesWorld, wishes: Wishes, what: Step): Promise<void> {
  switch (what.kind) {
    case 'commit': {
      wishes.take(what)
      const texts = rename(what.files, path).map(([at, file]) => [at, textOf(file)] as const)
      const values = rename(what.variables, variable).map(([at, value]) => [at, value === null ? null : `k: "${value}"\n`] as const)
      world.commit(what.source, Object.fromEntries([...texts, ...values]), { 'Drover-Allow-Delete': '*' })
      return
    }
    case 'look':
      await world.look(what.source)
      return
    case 'together':
      await Promise.all(SOURCES.map((name) => world.look(name)))
      return
    case 'leave':
      world.away.add(what.source)
      return
    case 'return':
      world.away.delete(what.source)
      return
    case 'restart':
      return world.restart()
    case 'settle':
      await world.settle()
      return
  }
}

test('the cluster is what the newest commits of all sources say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      const world = await SourcesWorld.start({ limits: { one: OPEN_LIMITS, two: OPEN_LIMITS } })
      const wishes = new Wishes()
      for (const name of SOURCES) world.commit(name, { README: name })
      for (const what of steps) await perform(world, wishes, what)
      world.away.clear()
      await world.settle()
      checkJobs(world, wishes)
      checkVariables(world, wishes)
    }),
    { numRuns: RUNS },
  )
}, 120_000)

function checkJobs(world: SourcesWorld, wishes: Wishes): void {
  const owners = world.jobs()
  const frozen = new Set<string>()
  for (const name of SOURCES) for (const file of wishes.unsound(name)) frozen.add(`${name}:${path(file.path)}`)
  for (const jobId of ['a', 'b', 'c', 'd']) {
    const wanting = SOURCES.filter((name) => wishes.wanted(name).has(jobId))
    // A file that is wrong keeps the job that it said before.
    const keeping = SOURCES.filter((name) => wishes.unsound(name).length > 0)
    const owner = owners[`default/${jobId}`]
    if (owner === undefined) expect(wanting).toEqual([])
    else expect([...wanting, ...keeping]).toContain(owner)
    const said = owner === undefined ? undefined : wishes.wanted(owner).get(jobId)
    if (said !== undefined) {
      const job = world.state.jobs.get(`default\u0000${jobId}`)!
      expect(job.TaskGroups[0]!.Tasks[0]!.Config).toEqual({ command: command(said.generation) })
    }
    for (const other of wanting) if (other !== owner) frozen.add(`${other}:${path(wishes.wanted(other).get(jobId)!.path)}`)
  }
  const found = Object.keys(world.frozen()).filter((place) => place.endsWith('.hcl'))
  expect(found.sort()).toEqual([...frozen].sort())
}

function checkVariables(world: SourcesWorld, wishes: Wishes): void {
  for (const name of ['x', 'y']) {
    const wanting = SOURCES.filter((one) => wishes.variablesOf(one).has(name))
    const owner = claimOwner(world.state, { kind: 'variable', namespace: 'default', path: name })
    const items = world.state.variables.get(`default\u0000${name}`)?.Items
    if (wanting.length === 0) {
      expect([owner, items]).toEqual([undefined, undefined])
      continue
    }
    expect(wanting).toContain(owner)
    expect(items).toEqual({ k: wishes.variablesOf(owner!).get(name) })
    const refused = wanting.filter((one) => world.frozen()[`${one}:${variable(name)}`] !== undefined)
    expect(refused).toEqual(wanting.filter((one) => one !== owner))
  }
}
