/** Local values, in any order: each is evaluated after those that it names. What names itself, also by detour, finds nothing. */
import { type Attribute, attributesOf, type Block } from '../decode/body.js'
import { walk } from './constants.js'
import { evaluate } from './evaluate.js'
import type { Evaluation } from './evaluation.js'
import { objectValue, type Value } from './values.js'

const EVERYTHING = Symbol('everything')

/** The object that `local` is. `scopeNames` is where the locals' own scope finds it while it grows. */
export function resolveLocals(evaluation: Evaluation, blocks: readonly Block[], scopeNames: Map<string, Value>): void {
  const locals = new Map<string, Attribute>()
  for (const block of blocks) {
    for (const attribute of attributesOf(evaluation, block.body)) locals.set(attribute.name, attribute)
  }
  const needs = new Map([...locals].map(([name, attribute]) => [name, referencesOf(attribute)]))
  const isWhole = (name: string): boolean => needs.get(name)?.has(EVERYTHING) === true
  const entries = new Map<string, Value>()
  const order = [
    ...sortByNeeds(
      [...locals.keys()].filter((name) => !isWhole(name)),
      needs,
    ),
    ...[...locals.keys()].filter(isWhole),
  ]
  for (const name of order) {
    scopeNames.set('local', isWhole(name) ? objectValue(entries) : { kind: 'object', entries })
    const attribute = locals.get(name)!
    const { result, faults } = evaluation.withoutFaults(() => evaluate(evaluation, attribute.scope, attribute.expression))
    entries.set(name, result)
    const circle = faults.length === 0 ? undefined : circleOf(name, needs)
    evaluation.faults.push(...faults.map((one) => (circle === undefined ? one : { ...one, detail: `${one.detail} ${circle}` })))
  }
  scopeNames.set('local', objectValue(entries))
}

function referencesOf(attribute: Attribute): ReadonlySet<string | typeof EVERYTHING> {
  const names = new Set<string | typeof EVERYTHING>()
  for (const part of walk(attribute.expression)) {
    if (part.kind !== 'traversal' || part.root !== 'local') continue
    const [step] = part.steps
    if (step?.kind === 'name') names.add(step.name)
    else if (step?.kind === 'key' && step.key.kind === 'string') names.add(step.key.value)
    else names.add(EVERYTHING)
  }
  return names
}

/** A sentence on the shortest way from the local back to itself; undefined where there is none. */
function circleOf(name: string, needs: ReadonlyMap<string, ReadonlySet<string | symbol>>): string | undefined {
  const ways: (readonly string[])[] = [[name]]
  const seen = new Set<string | symbol>()
  for (const way of ways) {
    for (const need of needs.get(way.at(-1)!) ?? []) {
      if (need === name) return `Local values go round in a circle: ${[...way, name].map((each) => `local.${each}`).join(' → ')}.`
      if (typeof need === 'string' && !seen.has(need)) ways.push([...way, need])
      seen.add(need)
    }
  }
  return undefined
}

/** Depth first, without recursion: a chain of locals may be as long as the file. */
function sortByNeeds(names: readonly string[], needs: ReadonlyMap<string, ReadonlySet<string | symbol>>): readonly string[] {
  const sorted: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  for (const root of names) {
    const stack = [root]
    while (stack.length > 0) {
      const name = stack.at(-1)!
      if (state.get(name) === undefined) {
        state.set(name, 'open')
        for (const need of needs.get(name) ?? []) {
          if (typeof need === 'string' && needs.has(need) && state.get(need) === undefined && needs.get(need)?.has(EVERYTHING) !== true)
            stack.push(need)
        }
        continue
      }
      stack.pop()
      if (state.get(name) === 'done') continue
      state.set(name, 'done')
      sorted.push(name)
    }
  }
  return sorted
}
