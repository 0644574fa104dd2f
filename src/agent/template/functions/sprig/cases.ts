/** Words in one spelling or another. Source: the documentation of xstrings, which Sprig uses. */
import { type Bytes, mapText } from '../../bytes.js'

export function swapCase(bytes: Bytes): Bytes {
  return mapText(bytes, (text) =>
    Array.from(text, (char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join(''),
  )
}

const isUpper = (char: string | undefined): boolean => char !== undefined && /^\p{Lu}$/u.test(char)
const isLower = (char: string | undefined): boolean => char !== undefined && /^\p{Ll}$/u.test(char)
const isDigit = (char: string | undefined): boolean => char !== undefined && /^\p{Nd}$/u.test(char)
const isJoint = (char: string | undefined): boolean => char === '_' || char === '-' || char === ' '

/**
 * A word begins at a capital behind a small letter or digit, at the last capital of a run before a small letter, and at digits behind a
 * letter that a small letter follows (`20x`), unless the word began with digits itself.
 */
function separated(text: string, connector: string): string {
  const chars = [...text]
  let output = ''
  let beganWithDigit = false
  chars.forEach((char, at) => {
    if (isJoint(char)) {
      output += connector
      return
    }
    const begins = at === 0 || isJoint(chars[at - 1]) || startsWord(chars, at, beganWithDigit)
    if (begins) beganWithDigit = isDigit(char)
    output += (begins && at > 0 && !isJoint(chars[at - 1]) ? connector : '') + char.toLowerCase()
  })
  return output
}

function startsWord(chars: readonly string[], at: number, beganWithDigit: boolean): boolean {
  const [before, char, after] = [chars[at - 1], chars[at], chars[at + 1]]
  if (isUpper(char)) return isLower(before) || isDigit(before) || (isUpper(before) && isLower(after))
  return isDigit(char) && (isUpper(before) || isLower(before)) && !beganWithDigit && isLower(afterDigits(chars, at))
}

function afterDigits(chars: readonly string[], at: number): string | undefined {
  let next = at
  while (isDigit(chars[next])) next++
  return chars[next]
}

export function snakeCase(bytes: Bytes): Bytes {
  return mapText(bytes, (text) => separated(text, '_'))
}

export function kebabCase(bytes: Bytes): Bytes {
  return mapText(bytes, (text) => separated(text, '-'))
}

/** `http_server` to `HttpServer`; a word of capitals only is lowered behind its first letter. */
export function camelCase(bytes: Bytes): Bytes {
  return mapText(bytes, (text) => {
    const [, lead = '', middle = '', trail = ''] = /^([_\- ]*)([\s\S]*?)([_\- ]*)$/u.exec(text) ?? []
    return (
      lead +
      middle
        .split(/[_\- ]/u)
        .map(pascalWord)
        .join('\0')
        .replace(/\0\0+/g, (run) => '_'.repeat(run.length - 1))
        .replaceAll('\0', '') +
      trail
    )
  })
}

function pascalWord(word: string): string {
  const [first = '', ...rest] = [...word]
  const isShouted = rest.length > 0 && [first, ...rest].every((char) => !isLower(char))
  return first.toUpperCase() + (isShouted ? rest.join('').toLowerCase() : rest.join(''))
}
