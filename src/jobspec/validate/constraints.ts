/** Constraints, affinities and spreads. */
import { RE2JS } from 're2js'
import type { Affinity, Constraint, Spread } from '../../domain/index.js'
import { quote, wrapTexts } from './problem.js'

const WITHOUT_VALUE: ReadonlySet<string> = new Set(['is_set', 'is_not_set'])
const COMPARISONS: ReadonlySet<string> = new Set(['=', '==', 'is', '!=', 'not', '<', '<=', '>', '>='])
const SETS: ReadonlySet<string> = new Set(['set_contains', 'set_contains_all', 'set_contains_any'])
const VERSION_CONSTRAINT =
  /^\s*(?:=|!=|>|<|>=|<=|~>|)\s*v?[0-9]+(?:\.[0-9]+)*(?:-[0-9A-Za-z.~-]+|[A-Za-z][0-9A-Za-z.~-]*)?(?:\+[0-9A-Za-z.~-]+)?\s*$/
const SEMVER_CONSTRAINT = /^\s*(?:=|!=|>|<|>=|<=|)\s*v?[0-9]+(?:\.[0-9]+)*(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?\s*$/

const SEGMENT_MAX = 2n ** 63n - 1n

/** @param from position of the first among its siblings */
export function constraintTexts(constraints: readonly Constraint[] | null, from = 0): string[] {
  return (constraints ?? []).flatMap((constraint, at) =>
    wrapTexts(`Constraint ${from + at + 1} validation failed: `, constraintProblems(constraint)),
  )
}

/** Constraints of a device tell its properties apart, not hosts. */
export function deviceConstraintTexts(constraints: readonly Constraint[] | null): string[] {
  return (constraints ?? []).flatMap((constraint, at) =>
    isDistinct(constraint)
      ? [`Constraint ${at + 1} validation failed: using unsupported operand ${quote(constraint.Operand)}`]
      : constraintTexts([constraint], at),
  )
}

export function isDistinct(constraint: Constraint): boolean {
  return constraint.Operand === 'distinct_hosts' || constraint.Operand === 'distinct_property'
}

function constraintProblems({ LTarget, RTarget, Operand }: Constraint): string[] {
  const texts: string[] = []
  if (Operand === '') texts.push('Missing constraint operand')
  let needsTarget = true
  if (Operand === 'distinct_hosts') needsTarget = false
  else if (SETS.has(Operand)) {
    if (RTarget === '') texts.push('Set contains constraint requires an RTarget')
  } else if (Operand === 'regexp') texts.push(...regexpProblems(RTarget))
  else if (Operand === 'version') texts.push(...versionProblems(RTarget, VERSION_CONSTRAINT, 'Version constraint is invalid'))
  else if (Operand === 'semver') texts.push(...versionProblems(RTarget, SEMVER_CONSTRAINT, 'Semver constraint is invalid'))
  else if (Operand === 'distinct_property') texts.push(...distinctProblems(RTarget))
  else if (WITHOUT_VALUE.has(Operand)) {
    if (RTarget !== '') texts.push(`Operator ${quote(Operand)} does not support an RTarget`)
  } else if (COMPARISONS.has(Operand)) {
    if (RTarget === '') texts.push(`Operator ${quote(Operand)} requires an RTarget`)
  } else texts.push(`Unknown constraint type ${quote(Operand)}`)
  if (needsTarget && LTarget === '') texts.push('no attribute provided but is required by operator')
  return texts
}

function regexpProblems(pattern: string): string[] {
  try {
    RE2JS.compile(pattern)
    return []
  } catch (error) {
    return [`Regular expression failed to compile: ${error instanceof Error ? error.message : String(error)}`]
  }
}

function versionProblems(written: string, pattern: RegExp, prefix: string): string[] {
  const bad = written.split(',').find((part) => !pattern.test(part))
  const words = pattern === SEMVER_CONSTRAINT ? 'Malformed constraint' : 'malformed constraint'
  if (bad !== undefined) return [`${prefix}: ${words}: ${bad.trim()}`]
  const huge = written.match(/[0-9]{19,}/g)?.find((digits) => BigInt(digits) > SEGMENT_MAX)
  return huge === undefined ? [] : [`${prefix}: error parsing version: strconv.ParseInt: parsing ${quote(huge)}: value out of range`]
}

function distinctProblems(value: string): string[] {
  if (value === '') return []
  const isDecimal = /^[0-9]+$/.test(value)
  if (!isDecimal || BigInt(value) >= 2n ** 64n) {
    const reason = isDecimal ? 'value out of range' : 'invalid syntax'
    return [`Failed to convert RTarget ${quote(value)} to uint64: strconv.ParseUint: parsing ${quote(value)}: ${reason}`]
  }
  return Number(value) < 1 ? [`Distinct Property must have an allowed count of 1 or greater: ${Number(value)} < 1`] : []
}

export function affinityTexts(affinities: readonly Affinity[] | null): string[] {
  return (affinities ?? []).flatMap((affinity, at) => wrapTexts(`Affinity ${at + 1} validation failed: `, affinityProblems(affinity)))
}

const AFFINITY_OPERANDS: ReadonlySet<string> = new Set(['=', '==', 'is', '!=', 'not', '<', '<=', '>', '>='])

function affinityProblems({ LTarget, RTarget, Operand, Weight }: Affinity): string[] {
  const texts: string[] = []
  if (Operand === '') texts.push('Missing affinity operand')
  if (SETS.has(Operand)) {
    if (RTarget === '') texts.push('Set contains operators require an RTarget')
  } else if (Operand === 'regexp') texts.push(...regexpProblems(RTarget))
  else if (Operand === 'version') texts.push(...versionProblems(RTarget, VERSION_CONSTRAINT, 'Version affinity is invalid'))
  else if (Operand === 'semver') texts.push(...versionProblems(RTarget, SEMVER_CONSTRAINT, 'Semver affinity is invalid'))
  else if (AFFINITY_OPERANDS.has(Operand)) {
    if (RTarget === '') texts.push(`Operator ${quote(Operand)} requires an RTarget`)
  } else texts.push(`Unknown affinity operator ${quote(Operand)}`)
  if (LTarget === '') texts.push('No LTarget provided but is required')
  if (Weight > 100 || Weight < -100) texts.push('Affinity weight must be within the range [-100,100]')
  if (Weight === 0) texts.push('Affinity weight cannot be zero')
  return texts
}

export function spreadTexts(spreads: readonly Spread[] | null): string[] {
  return (spreads ?? []).flatMap((spread, at) => wrapTexts(`Spread ${at + 1} validation failed: `, spreadProblems(spread)))
}

function spreadProblems({ Attribute, Weight, SpreadTarget }: Spread): string[] {
  const texts: string[] = []
  if (Attribute === '') texts.push('Missing spread attribute')
  if (Weight <= 0 || Weight > 100) texts.push('Spread block must have a positive weight from 0 to 100')
  const seen = new Set<string>()
  let sum = 0
  for (const { Value, Percent } of SpreadTarget ?? []) {
    if (seen.has(Value)) texts.push(`Spread target value ${quote(Value)} already defined`)
    seen.add(Value)
    if (Percent > 100) texts.push(`Spread target percentage for value ${quote(Value)} must be between 0 and 100`)
    sum += Percent
  }
  if (sum > 100) texts.push(`Sum of spread target percentages must not be greater than 100%; got ${sum}%`)
  return texts
}
