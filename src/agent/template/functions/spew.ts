/** Values with their types, for whoever debugs a template. Source: the documentation of go-spew. */
import type { Bytes } from '../bytes.js'
import { printPlain, sprintf } from '../format/print.js'
import { quoteBytes } from '../format/quote.js'
import { ANY, elementType, mapTypes, sortedEntries, stringValue, typeOf, type Value } from '../values.js'
import { bytesOf, type FunctionTable, variadic } from './signature.js'

function shownType(value: Value): string {
  return value.kind === 'invalid' ? ANY : typeOf(value)
}

function dump(value: Value, indent: string): Bytes {
  const type = `(${shownType(value)})`
  switch (value.kind) {
    case 'string':
      return `${type}${value.value === '' ? '' : ` (len=${value.value.length})`} ${quoteBytes(value.value)}`
    case 'slice': {
      const size = value.items.length === 0 ? '' : ` (len=${value.items.length} cap=${value.capacity ?? value.items.length})`
      return `${type}${size} ${braces(
        value.items.map((item) => dump(item, `${indent} `)),
        indent,
      )}`
    }
    case 'map': {
      const members = sortedEntries(value).map(({ key, value: member }) => `${dump(key, `${indent} `)}: ${dump(member, `${indent} `)}`)
      return `${type}${members.length === 0 ? '' : ` (len=${members.length})`} ${braces(members, indent)}`
    }
    case 'struct': {
      if (value.text !== undefined) return `${type} ${value.text}`
      const fields = Object.entries(value.fields).map(([name, field]) => `${name}: ${dump(field, `${indent} `)}`)
      return `${type} ${braces(fields, indent)}`
    }
    default:
      return `${type} ${printPlain(value)}`
  }
}

function braces(lines: readonly Bytes[], indent: string): Bytes {
  const body = lines.map((line) => `${indent} ${line}`).join(',\n')
  return `{\n${body}${lines.length === 0 ? '' : '\n'}${indent}}`
}

/** `%#v`: every value with its type in front, except where the list or map around it says it already. */
function typed(value: Value): Bytes {
  return `(${shownType(value)})${typedBody(value)}`
}

function typedBody(value: Value): Bytes {
  if (value.kind === 'slice') return `[${value.items.map(within(elementType(value.type))).join(' ')}]`
  if (value.kind !== 'map') return printPlain(value)
  const [keyType, memberType] = mapTypes(value.type)
  const members = sortedEntries(value).map((entry) => `${within(keyType)(entry.key)}:${within(memberType)(entry.value)}`)
  return `map[${members.join(' ')}]`
}

function within(type: string): (value: Value) => Bytes {
  return type === ANY ? typed : typedBody
}

/** Marks what is printed with its types as text, so that the plain printer takes it as it is. */
function formatted(pattern: Bytes, args: readonly Value[], produce: (bytes: number) => void): Bytes {
  let argument = 0
  const shown = [...args]
  const plain = pattern.replace(/%([+#]*)([a-zA-Z%])/g, (found, flags: string, letter: string) => {
    if (letter === '%') return found
    const at = argument++
    const value = args[at]
    if (letter !== 'v' || value === undefined) return found
    if (flags.includes('#')) shown[at] = stringValue(typed(value))
    return '%v'
  })
  return sprintf(plain, shown, produce)
}

export const SPEW_FUNCTIONS: FunctionTable = {
  spew_sdump: variadic([ANY], (args) => stringValue(args.map((arg) => `${dump(arg, '')}\n`).join(''))),
  spew_sprintf: variadic(['string', ANY], ([pattern, ...args], context) => stringValue(formatted(bytesOf(pattern), args, context.produce))),
  // What these two print goes to the program's own output, which nobody reads here.
  spew_dump: variadic([ANY], () => stringValue('')),
  spew_printf: variadic(['string', ANY], () => stringValue('')),
}
