/** Whether a value may be given where a type is wanted. */
import type { Operand } from './nodes.js'
import {
  ANY,
  ANYTHING,
  boolValue,
  canBeNil,
  type GoType,
  INVALID,
  intValue,
  mapTypes,
  stringValue,
  typeOf,
  uintValue,
  type Value,
  zeroOf,
} from './values.js'

/** The value as it is given, or why it cannot be. */
export type Fit = Value | { readonly problem: string }

type Constant = Extract<Operand, { kind: 'bool' | 'string' | 'number' }>

/** A constant takes the type of the parameter that it is given for. */
export function constant(operand: Constant, type: GoType): Fit {
  if (type === 'bool') return operand.kind === 'bool' ? boolValue(operand.value) : expected('bool', operand)
  if (type === 'string') return operand.kind === 'string' ? stringValue(operand.value) : expected('string', operand)
  const number = operand.kind === 'number' ? operand : undefined
  if (/^int\d*$/.test(type)) return number?.integer === undefined ? expected('integer', operand) : intValue(number.integer, type)
  if (/^uint\d*$/.test(type)) {
    const isUnsigned = number?.integer !== undefined && number.integer >= 0n
    return isUnsigned ? uintValue(number.integer, type) : expected('unsigned integer', operand)
  }
  if (type === 'float64') return number?.float === undefined ? expected('float', operand) : { kind: 'float', type, value: number.float }
  return { problem: `can't handle ${operand.source} for arg of type ${type}` }
}

function expected(what: string, operand: Constant): Fit {
  return { problem: `expected ${what}; found ${operand.source}` }
}

export function assignable(value: Value, type: GoType): Fit {
  if (type === ANYTHING) return value.kind === 'nil' && value.type === ANY ? INVALID : value
  if (value.kind === 'invalid') return canBeNil(type) ? zeroOf(type) : { problem: `invalid value; expected ${type}` }
  if (type === ANY || typeOf(value) === type) return value
  return value.kind === 'map' && isSameMap(value.type, type)
    ? value
    : { problem: `wrong type for value; expected ${type}; got ${typeOf(value)}` }
}

/** A named map type may stand for the map that it is. */
function isSameMap(type: GoType, wanted: GoType): boolean {
  const [key, element] = mapTypes(type)
  return !type.startsWith('map[') && `map[${key}]${element}` === wanted
}
