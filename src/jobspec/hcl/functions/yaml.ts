/** Values as the YAML that Nomad's `yamlencode` writes: block style, every key and text quoted. */
import { formatNumeric } from '../numbers.js'
import type { Value } from '../values.js'

export function toYamlText(value: Value): string {
  return `${write(value, 0).replace(/^\n/, '')}\n`
}

/** Nested blocks begin with a newline; scalars do not. */
function write(value: Value, indent: number): string {
  switch (value.kind) {
    case 'unknown':
    case 'null':
      return 'null'
    case 'string':
      return value.value.includes('\n') ? literalBlock(value.value, indent) : JSON.stringify(value.value)
    case 'number':
      return formatNumeric(value.value)
    case 'bool':
      return String(value.value)
    case 'tuple':
    case 'list':
    case 'set':
      return value.items.length === 0 ? '[]' : value.items.map((item) => `\n${pad(indent)}- ${writeItem(item, indent + 2)}`).join('')
    case 'object':
    case 'map':
      return value.entries.size === 0 ? '{}' : writeMap(value.entries, indent)
  }
}

function writeMap(entries: ReadonlyMap<string, Value>, indent: number): string {
  return [...entries].map(([name, entry]) => `\n${pad(indent)}${JSON.stringify(name)}:${writeMember(entry, indent)}`).join('')
}

/** A list under a key is not indented further, a map is. */
function writeMember(value: Value, indent: number): string {
  const inner = write(value, value.kind === 'object' || value.kind === 'map' || value.kind === 'string' ? indent + 2 : indent)
  return inner.startsWith('\n') ? inner : ` ${inner}`
}

/** The first line of a nested block goes on the line of its dash. */
function writeItem(value: Value, indent: number): string {
  const inner = write(value, indent)
  return inner.startsWith('\n') ? inner.slice(1 + indent) : inner
}

function literalBlock(text: string, indent: number): string {
  const trailing = /\n*$/.exec(text)?.[0].length ?? 0
  const chomping = trailing === 0 ? '-' : trailing === 1 ? '' : '+'
  const lines = (trailing > 0 ? text.slice(0, -1) : text).split('\n')
  const hint = /^[ \n]/.test(text) ? '2' : ''
  const margin = pad(Math.max(indent, 2))
  return `|${hint}${chomping}\n${lines.map((line) => (line === '' ? '' : margin + line)).join('\n')}`
}

function pad(width: number): string {
  return ' '.repeat(width)
}
