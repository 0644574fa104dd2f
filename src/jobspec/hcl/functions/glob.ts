/** Path patterns: `*`, `?`, `[a-z]`, `{a,b}` within a part of the path, `**` across parts. */
export interface Glob {
  test(path: string): boolean
}

/** `undefined` for a pattern that is none. Matches part by part, without backtracking over more than one `**` run at a time. */
export function compileGlob(pattern: string): Glob | undefined {
  if (pattern.length > 1000) return undefined
  const alternatives = expandBraces(pattern)
  if (alternatives === undefined) return undefined
  const compiled = alternatives.map((one) => one.split('/').map(compilePart))
  if (compiled.some((parts) => parts.some((part) => part === undefined))) return undefined
  return { test: (path) => compiled.some((parts) => matchParts(parts as Part[], path.split('/'))) }
}

type Part = '**' | RegExp

const ALTERNATIVES_MAX = 200

function expandBraces(pattern: string): string[] | undefined {
  const match = /^([^{}]*)\{([^{}]*)\}(.*)$/s.exec(pattern)
  if (match === null) return /[{}]/.test(pattern) ? undefined : [pattern]
  const [, head = '', body = '', tail = ''] = match
  const tails = expandBraces(tail)
  if (tails === undefined) return undefined
  const all = body.split(',').flatMap((choice) => tails.map((end) => head + choice + end))
  return all.length > ALTERNATIVES_MAX ? undefined : all
}

function compilePart(part: string): Part | undefined {
  if (part === '**') return '**'
  let source = ''
  for (let at = 0; at < part.length; at++) {
    const char = part[at]!
    if (char === '*') source += source.endsWith('[^/]*') ? '' : '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const close = part.indexOf(']', at + 2)
      if (close < 0) return undefined
      const body = part
        .slice(at + 1, close)
        .replace(/^[!^]/, '^')
        .replace(/[\\[]/g, '\\$&')
      source += `[${body}]`
      at = close
    } else if (char === '\\' && at + 1 < part.length) source += quoteChar(part[++at]!)
    else source += quoteChar(char)
  }
  try {
    return new RegExp(`^${source}$`, 'u')
  } catch {
    // A range that runs backwards: no pattern.
    return undefined
  }
}

function quoteChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char
}

function matchParts(parts: readonly Part[], path: readonly string[]): boolean {
  let reachable = new Set([0])
  for (const part of parts) {
    const next = new Set<number>()
    for (const at of reachable) {
      if (part === '**') for (let to = at; to <= path.length; to++) next.add(to)
      else if (at < path.length && part.test(path[at]!)) next.add(at + 1)
    }
    reachable = next
  }
  return reachable.has(path.length)
}
