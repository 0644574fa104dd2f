/** Type expressions, as variables and `convert` have them: `list(string)`, `object({ name = string })`. */
import type { Call, Expression } from '../syntax.js'
import { literalName } from './names.js'
import type { Type } from './values.js'

export type TypeReading = { readonly type: Type } | { readonly refusal: string; readonly at: Expression }

const PRIMITIVES: ReadonlySet<string> = new Set(['string', 'number', 'bool'])
const KNOWN = 'The types are string, number, bool, list(…), set(…), map(…), object({…}) and tuple([…]).'

export function readType(expression: Expression): TypeReading {
  if (expression.kind === 'paren') return readType(expression.inner)
  if (expression.kind === 'traversal' && expression.steps.length === 0) return readKeyword(expression.root, expression)
  if (expression.kind === 'call') return readConstructor(expression)
  return { refusal: `A type specification is either a primitive type keyword or a complex type constructor call. ${KNOWN}`, at: expression }
}

function readKeyword(word: string, at: Expression): TypeReading {
  if (PRIMITIVES.has(word)) return { type: word as 'string' | 'number' | 'bool' }
  if (word === 'any') return { refusal: 'The keyword "any" cannot be used in this type specification: an exact type is required.', at }
  if (['list', 'set', 'map', 'object', 'tuple'].includes(word))
    return { refusal: `The ${word} type constructor requires one argument that says what is in it.`, at }
  return { refusal: `The keyword "${word}" is not a valid type specification. ${KNOWN}`, at }
}

function readConstructor(call: Call): TypeReading {
  const { name } = call
  const [argument] = call.args
  if (argument === undefined || call.args.length > 1)
    return { refusal: `The ${name} type constructor requires one argument that says what is in it.`, at: call }
  if (name === 'list' || name === 'set' || name === 'map') {
    const element = readType(argument)
    return 'refusal' in element ? element : { type: { kind: name, of: element.type } }
  }
  if (name === 'tuple') return readTuple(argument)
  if (name === 'object') return readObject(argument)
  return { refusal: `Keyword "${name}" is not a valid type constructor. ${KNOWN}`, at: call }
}

function readTuple(argument: Expression): TypeReading {
  if (argument.kind !== 'tuple') return { refusal: 'Tuple type constructor requires a list of element types.', at: argument }
  const items: Type[] = []
  for (const item of argument.items) {
    const read = readType(item)
    if ('refusal' in read) return read
    items.push(read.type)
  }
  return { type: { kind: 'tuple', items } }
}

function readObject(argument: Expression): TypeReading {
  if (argument.kind !== 'object')
    return {
      refusal:
        'Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.',
      at: argument,
    }
  const entries = new Map<string, Type>()
  for (const item of argument.items) {
    const name = literalName(item.key)
    if (name === undefined) return { refusal: 'Object constructor map keys must be attribute names.', at: item.key }
    const read = readType(item.value)
    if ('refusal' in read) return read
    entries.set(name, read.type)
  }
  return { type: { kind: 'object', entries } }
}
