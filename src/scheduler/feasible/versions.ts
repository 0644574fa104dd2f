/**
 * Version constraints. `version` reads loosely (`1.2` is `1.2.0`, any number of segments) and knows `~>`; `semver` orders strictly.
 * Source: Nomad docs, "Placement".
 */

interface Version {
  readonly segments: readonly number[]
  /** How many segments were written. */
  readonly written: number
  readonly prerelease: string
}

const LOOSE = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.~-]+)|([A-Za-z~][0-9A-Za-z.~-]*))?(?:\+[0-9A-Za-z.~-]+)?$/
const STRICT = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/
const CLAUSE = /^\s*(=|!=|>=|<=|~>|>|<)?\s*([^\s].*?)\s*$/

type Operator = '=' | '!=' | '>=' | '<=' | '~>' | '>' | '<'

/** `left` satisfies every clause of the comma list `right`. False when either cannot be parsed. */
export function satisfiesVersion(left: string, right: string): boolean {
  const version = parseVersion(left.trim(), LOOSE)
  if (version === undefined) return false
  return everyClause(right, LOOSE, (operator, wanted) => matchesLoose(version, operator, wanted))
}

export function satisfiesSemver(left: string, right: string): boolean {
  const version = parseVersion(left.trim(), STRICT)
  if (version === undefined) return false
  return everyClause(right, STRICT, (operator, wanted) => operator !== '~>' && holds(compareVersions(version, wanted), operator))
}

function everyClause(list: string, form: RegExp, matches: (operator: Operator, wanted: Version) => boolean): boolean {
  return list.split(',').every((text) => {
    const clause = CLAUSE.exec(text)
    const wanted = clause === null ? undefined : parseVersion(clause[2]!, form)
    return wanted !== undefined && matches((clause![1] ?? '=') as Operator, wanted)
  })
}

function parseVersion(text: string, form: RegExp): Version | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const segments = match[1]!.split('.').map(Number)
  if (segments.some((segment) => !Number.isSafeInteger(segment))) return undefined
  return { segments: padded(segments), written: segments.length, prerelease: match[2] ?? match[3] ?? '' }
}

function padded(segments: readonly number[]): readonly number[] {
  return segments.length >= 3 ? segments : [...segments, 0, 0].slice(0, 3)
}

function matchesLoose(version: Version, operator: Operator, wanted: Version): boolean {
  if (operator === '=' || operator === '!=') return holds(compareVersions(version, wanted), operator)
  if (!mayOrder(version, wanted)) return false
  if (operator !== '~>') return holds(compareVersions(version, wanted), operator)
  if (compareVersions(version, wanted) < 0) return false
  // The last written segment may grow, those before it may not.
  const fixed = Math.max(1, wanted.written - 1)
  return wanted.segments.slice(0, fixed).every((segment, at) => segment === (version.segments[at] ?? 0))
}

/** A pre-release satisfies an ordering only against a pre-release of the same base, and the other way round it is free. */
function mayOrder(version: Version, wanted: Version): boolean {
  if (version.prerelease === '') return true
  return wanted.prerelease !== '' && compareSegments(version.segments, wanted.segments) === 0
}

function holds(order: number, operator: Operator): boolean {
  switch (operator) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    default:
      return false
  }
}

function compareVersions(a: Version, b: Version): number {
  return compareSegments(a.segments, b.segments) || comparePrerelease(a.prerelease, b.prerelease)
}

function compareSegments(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}

/** A release comes after its pre-releases; parts that are numbers come before those that are words. */
function comparePrerelease(a: string, b: string): number {
  if (a === b) return 0
  if (a === '') return 1
  if (b === '') return -1
  const left = a.split('.')
  const right = b.split('.')
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = comparePart(left[at], right[at])
    if (order !== 0) return order
  }
  return 0
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  const areNumbers = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (areNumbers[0] && areNumbers[1]) return Math.sign(Number(a) - Number(b))
  if (areNumbers[0] !== areNumbers[1]) return areNumbers[0] ? -1 : 1
  return a < b ? -1 : 1
}
