/** Set algebra. */
import { convert, unify } from '../convert.js'
import { areEqual, itemsOf, listValue, setValue, type Type, tupleValue, typeOf, type Value, weightOf } from '../values.js'
import { anything, type CallContext, type FunctionTable, type Parameter, refuse } from './signature.js'

const set = (name: string): Parameter => ({ name, type: { kind: 'set', of: 'dynamic' } })

/** The element type of all sets, and their items under it. */
function alike(sets: readonly Value[]): { readonly of: Type; readonly lists: readonly (readonly Value[])[] } {
  const of =
    unify(sets.flatMap((one) => ('of' in one && (itemsOf(one)?.length ?? 0) > 0 ? [one.of] : []))) ??
    refuse('all sets must have elements of the same type')
  const lists = sets.map((one, at) => {
    const converted = convert(one, { kind: 'set', of })
    return 'value' in converted ? (itemsOf(converted.value) ?? []) : refuse(converted.refusal, at)
  })
  return { of, lists }
}

function setproduct(sets: readonly Value[], context: CallContext): Value {
  if (sets.length < 2) refuse('at least two arguments are required')
  const lists = sets.map((one, at) => itemsOf(one) ?? refuse('a set or a list is required', at))
  const count = lists.reduce((product, list) => product * list.length, 1)
  context.produce(count * lists.length)
  // Each row is described by its type as a whole.
  for (const list of lists) context.spend((count / Math.max(1, list.length)) * weightOf(tupleValue(list)).steps)
  let rows: Value[][] = [[]]
  for (const list of lists) rows = rows.flatMap((row) => list.map((item) => [...row, item]))
  const tuples = count === 0 ? [] : rows.map(tupleValue)
  const of = unify(tuples.map(typeOf))
  const isOrdered = sets.some((one) => one.kind !== 'set')
  if (of === undefined) return tupleValue(tuples)
  return isOrdered ? listValue(of, tuples) : setValue(of, tuples)
}

export const SET_FUNCTIONS: FunctionTable = {
  setunion: {
    parameters: [set('first_set')],
    rest: set('other_sets'),
    run: (sets) => {
      const { of, lists } = alike(sets)
      return setValue(of, lists.flat())
    },
  },
  setintersection: {
    parameters: [set('first_set')],
    rest: set('other_sets'),
    run: (sets, context) => {
      const { of, lists } = alike(sets)
      const [first = [], ...others] = lists
      for (const list of others) context.spend(first.length * list.length)
      return setValue(
        of,
        first.filter((item) => others.every((list) => list.some((other) => areEqual(item, other)))),
      )
    },
  },
  setproduct: { parameters: [], rest: anything('sets'), run: setproduct },
}
