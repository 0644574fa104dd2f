/** Values to and from JSON, as Nomad's `jsonencode` and `jsondecode` have it. */
import { formatNumeric, parseNumeric } from '../numbers.js'
import { FALSE, NULL, numberValue, objectValue, stringValue, TRUE, tupleValue, type Value } from '../values.js'

/** Compact, keys in order, `<>&` escaped when the text may end up in HTML, as Go does. */
export function toJsonText(value: Value, escapesHtml = true): string {
  switch (value.kind) {
    case 'unknown':
    case 'null':
      return 'null'
    case 'string':
      return quote(value.value, escapesHtml)
    case 'number':
      return formatNumeric(value.value)
    case 'bool':
      return String(value.value)
    case 'tuple':
    case 'list':
    case 'set':
      return `[${value.items.map((item) => toJsonText(item, escapesHtml)).join(',')}]`
    case 'object':
    case 'map':
      return `{${[...value.entries].map(([name, entry]) => `${quote(name, escapesHtml)}:${toJsonText(entry, escapesHtml)}`).join(',')}}`
  }
}

const HTML = /[<>&\u2028\u2029]/g

function quote(text: string, escapesHtml: boolean): string {
  const quoted = JSON.stringify(text)
  if (!escapesHtml) return quoted
  return quoted.replace(HTML, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** `undefined` when the text is no JSON. Numbers keep all their digits. */
export function fromJsonText(text: string): Value | undefined {
  try {
    return new JsonDecoder(text).decode()
  } catch (error) {
    if (error instanceof NotJson) return undefined
    throw error
  }
}

class NotJson extends Error {}

const TOKEN =
  /\s*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))\s*/y
const DEPTH_MAX = 200

class JsonDecoder {
  private at = 0

  constructor(private readonly text: string) {}

  decode(): Value {
    const value = this.value(this.next(), 0)
    if (this.at < this.text.length) throw new NotJson()
    return value
  }

  private next(): string {
    TOKEN.lastIndex = this.at
    const match = TOKEN.exec(this.text)
    if (match === null) throw new NotJson()
    this.at = TOKEN.lastIndex
    return match[1] ?? match[2] ?? match[3] ?? match[4] ?? ''
  }

  private value(token: string, depth: number): Value {
    if (depth > DEPTH_MAX) throw new NotJson()
    if (token === '{') return this.object(depth)
    if (token === '[') return this.array(depth)
    if (token === 'null') return NULL
    if (token === 'true') return TRUE
    if (token === 'false') return FALSE
    if (token.startsWith('"')) return stringValue(JSON.parse(token) as string)
    const number = parseNumeric(token)
    if (number === undefined) throw new NotJson()
    return numberValue(number)
  }

  private array(depth: number): Value {
    const items: Value[] = []
    for (let token = this.next(); token !== ']'; ) {
      items.push(this.value(token, depth + 1))
      token = this.next()
      if (token === ',') token = this.next()
      else if (token !== ']') throw new NotJson()
    }
    return tupleValue(items)
  }

  private object(depth: number): Value {
    const entries: [string, Value][] = []
    for (let token = this.next(); token !== '}'; ) {
      if (!token.startsWith('"') || this.next() !== ':') throw new NotJson()
      entries.push([(JSON.parse(token) as string).normalize('NFC'), this.value(this.next(), depth + 1)])
      token = this.next()
      if (token === ',') token = this.next()
      else if (token !== '}') throw new NotJson()
    }
    return objectValue(entries)
  }
}
