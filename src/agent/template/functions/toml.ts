/** TOML in the layout of the encoder that consul-template uses: values first, then tables, two spaces a level. */
import { type Bytes, runeAt } from '../bytes.js'
import { refuse } from '../failure.js'
import { formatFloat } from '../format/floats.js'
import { type MapValue, mapTypes, NIL, stringValue, type Value } from '../values.js'
import { anyArguments, type FunctionTable } from './signature.js'

type Key = readonly Bytes[]

class TomlWriter {
  private output = ''

  write(value: Value): Bytes {
    if (value.kind === 'map') this.table([], value)
    else if (isTables(value)) refuse('toml: cannot encode an array as a document')
    else this.output += inline(value)
    return this.output
  }

  private line(key: Key, text: Bytes): void {
    this.output += `${'  '.repeat(Math.max(0, key.length - 1))}${text}\n`
  }

  private blank(): void {
    if (this.output !== '') this.output += '\n'
  }

  private table(key: Key, map: MapValue): void {
    if (key.length === 1) this.blank()
    if (key.length > 0) this.line(key, `[${dotted(key)}]`)
    this.members(key, map)
  }

  private members(key: Key, map: MapValue): void {
    if (mapTypes(map.type)[0] !== 'string') refuse('toml: cannot encode a map with non-string key type')
    const members = [...map.entries.values()]
      .map(({ key: name, value }) => [name.kind === 'string' ? name.value : '', value] as const)
      .filter(([, value]) => value.kind !== 'nil' && value.kind !== 'invalid')
      .sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [name, value] of members) if (!isTable(value)) this.line([...key, name], `${quoteKey(name)} = ${inline(value)}`)
    for (const [name, value] of members) {
      if (value.kind === 'map') this.table([...key, name], value)
      else if (isTables(value)) this.tables([...key, name], value.items)
    }
  }

  private tables(key: Key, items: readonly Value[]): void {
    for (const item of items) {
      this.blank()
      this.line(key, `[[${dotted(key)}]]`)
      if (item.kind === 'map') this.members(key, item)
    }
  }
}

function isTables(value: Value): value is Extract<Value, { kind: 'slice' }> {
  return value.kind === 'slice' && value.items.length > 0 && value.items.every((item) => item.kind === 'map')
}

function isTable(value: Value): boolean {
  return value.kind === 'map' || isTables(value)
}

function dotted(key: Key): Bytes {
  return key.map(quoteKey).join('.')
}

function quoteKey(name: Bytes): Bytes {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quote(name)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

function quote(bytes: Bytes): Bytes {
  let output = ''
  for (let at = 0; at < bytes.length; ) {
    const { rune, size } = runeAt(bytes, at)
    const code = rune.codePointAt(0) ?? 0
    const isControl = code < 0x20 || code === 0x7f
    output += ESCAPES[rune] ?? (isControl ? `\\u${code.toString(16).padStart(4, '0')}` : bytes.slice(at, at + size))
    at += size
  }
  return `"${output}"`
}

function tomlFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const text = formatFloat(value, 'f', undefined)
  return text.includes('.') ? text : `${text}.0`
}

function inline(value: Value): Bytes {
  switch (value.kind) {
    case 'string':
      return quote(value.value)
    case 'bool':
    case 'int':
    case 'uint':
      return String(value.value)
    case 'float':
      return tomlFloat(value.value)
    case 'slice':
      return `[${value.items.map((item) => (item.kind === 'nil' ? refuse('toml: cannot encode array with nil element') : inline(item))).join(', ')}]`
    case 'map': {
      const members = [...value.entries.values()].map(({ key, value: member }) => [key.kind === 'string' ? key.value : '', member] as const)
      members.sort(([a], [b]) => (a < b ? -1 : 1))
      return `{${members.map(([name, member]) => `${quoteKey(name)} = ${inline(member)}`).join(', ')}}`
    }
    default:
      return refuse(`toml: cannot encode ${'type' in value ? value.type : 'nothing'}`)
  }
}

export const TOML_FUNCTIONS: FunctionTable = {
  toTOML: anyArguments(1, ([value]) => stringValue(new TomlWriter().write(value ?? NIL).trim())),
}
