/** Strings as Go source, as strconv.Quote writes them. */
import { type Bytes, fromText, runeAt } from '../bytes.js'

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}
/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the plain space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export function isPrintable(rune: string): boolean {
  return PRINTABLE.test(rune)
}

/** `asciiOnly` is the flag `+` of `%q`. */
export function quoteBytes(bytes: Bytes, quote = '"', asciiOnly = false): Bytes {
  let output = quote
  for (let at = 0; at < bytes.length; ) {
    const { rune, size } = runeAt(bytes, at)
    if (rune === '\ufffd' && size === 1) output += `\\x${hex(bytes.charCodeAt(at), 2)}`
    else output += quoteRune(rune, quote, asciiOnly)
    at += size
  }
  return output + quote
}

function quoteRune(rune: string, quote: string, asciiOnly: boolean): Bytes {
  const escaped = rune === quote ? `\\${quote}` : ESCAPES[rune]
  if (escaped !== undefined) return escaped
  const code = rune.codePointAt(0) ?? 0
  if (asciiOnly ? code >= 0x20 && code < 0x7f : isPrintable(rune)) return fromText(rune)
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0')
}
