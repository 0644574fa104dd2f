/** RE2 over bytes, and Go's templates of replacement. */
import { RE2JS, RE2JSException } from 're2js'
import { type Bytes, fromText, toText } from './bytes.js'
import { refuse } from './failure.js'

export interface Match {
  readonly start: number
  readonly end: number
  /** All groups as text; what took no part is ''. */
  readonly groups: readonly string[]
}

export interface Regex {
  readonly pattern: RE2JS
  readonly names: Readonly<Record<string, number>>
}

/** @throws FunctionRefusal */
export function compileRegex(pattern: Bytes): Regex {
  try {
    const compiled = RE2JS.compile(toText(pattern))
    return { pattern: compiled, names: compiled.namedGroups() }
  } catch (error) {
    if (error instanceof RE2JSException) return refuse(error.message)
    throw error
  }
}

export function isMatch(regex: Regex, bytes: Bytes): boolean {
  return regex.pattern.matcher(toText(bytes)).find()
}

/** Positions count in text. An empty match right behind a match is none, as in Go. */
export function* matchesIn(regex: Regex, text: string): Iterable<Match> {
  const matcher = regex.pattern.matcher(text)
  let last = -1
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()]
    if (start === end && start === last) continue
    last = end
    yield { start, end, groups: Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? '') }
  }
}

/** `expand` makes the replacement of a match. */
export function replaceMatches(regex: Regex, bytes: Bytes, expand: (match: Match) => string): Bytes {
  const text = toText(bytes)
  let output = ''
  let last = 0
  for (const match of matchesIn(regex, text)) {
    output += text.slice(last, match.start) + expand(match)
    last = match.end
  }
  return fromText(output + text.slice(last))
}

/** `$1`, `${1}`, `$name`, `$$`: an unknown group is nothing. */
export function expandTemplate(template: string, match: Match, names: Readonly<Record<string, number>>): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (found, braced: string | undefined, bare: string | undefined) => {
      if (found === '$$') return '$'
      const name = braced ?? bare ?? ''
      const group = /^[0-9]+$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? names[name]! : -1
      return match.groups[group] ?? ''
    },
  )
}

export function replaceAllRegex(pattern: Bytes, replacement: Bytes, bytes: Bytes): Bytes {
  const regex = compileRegex(pattern)
  const template = toText(replacement)
  return replaceMatches(regex, bytes, (match) => expandTemplate(template, match, regex.names))
}
