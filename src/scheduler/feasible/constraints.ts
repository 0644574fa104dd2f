/** Whether a node satisfies a constraint (Nomad docs, "Placement"). The same engine serves affinities. */
import { RE2JS } from 're2js'
import type { Node } from '../../domain/index.js'
import { satisfiesSemver, satisfiesVersion } from './versions.js'

export interface Condition {
  readonly LTarget: string
  readonly RTarget: string
  readonly Operand: string
}

/** Own checks exist for these; as conditions on one node they always hold. */
const RELATIONAL = new Set(['distinct_hosts', 'distinct_property'])

/** The text under which a node that fails the condition is counted. */
export function describeCondition({ LTarget, Operand, RTarget }: Condition): string {
  return `${LTarget} ${Operand} ${RTarget}`
}

export function satisfies(node: Node, condition: Condition): boolean {
  if (RELATIONAL.has(condition.Operand)) return true
  return compare(condition.Operand, resolveTarget(node, condition.LTarget), resolveTarget(node, condition.RTarget))
}

/** The value a target stands for on this node; undefined when there is none. A text without `${` stands for itself. */
export function resolveTarget(node: Node, target: string): string | undefined {
  if (!target.startsWith('${')) return target
  const name = target.endsWith('}') ? target.slice(2, -1) : target.slice(2)
  switch (name) {
    case 'node.unique.id':
      return node.ID
    case 'node.unique.name':
      return node.Name
    case 'node.datacenter':
      return node.Datacenter
    case 'node.class':
      return node.NodeClass
    case 'node.pool':
      return node.NodePool
  }
  if (name.startsWith('attr.')) return own(node.Attributes, name.slice(5))
  if (name.startsWith('meta.')) return own(node.Meta, name.slice(5))
  return undefined
}

function own(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined
}

export function compare(operand: string, left: string | undefined, right: string | undefined): boolean {
  switch (operand) {
    case '!=':
    case 'not':
      return left !== right
    case 'is_set':
      return left !== undefined
    case 'is_not_set':
      return left === undefined
  }
  if (left === undefined || right === undefined) return false
  switch (operand) {
    case '=':
    case '==':
    case 'is':
      return left === right
    case '<':
    case '<=':
    case '>':
    case '>=':
      return holds(operand, orderOf(left, right))
    case 'version':
      return satisfiesVersion(left, right)
    case 'semver':
      return satisfiesSemver(left, right)
    case 'regexp':
      return matchesPattern(left, right)
    case 'set_contains':
    case 'set_contains_all':
      return elements(right).every((element) => elements(left).includes(element))
    case 'set_contains_any':
      return elements(right).some((element) => elements(left).includes(element))
    default:
      return false
  }
}

function elements(list: string): readonly string[] {
  return list.split(',').map((element) => element.trim())
}

function holds(operand: '<' | '<=' | '>' | '>=', order: number): boolean {
  if (operand === '<') return order < 0
  if (operand === '<=') return order <= 0
  return operand === '>' ? order > 0 : order >= 0
}

const INTEGER = /^[+-]?\d+$/
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** As whole numbers where both are, else as numbers, else as text. */
function orderOf(left: string, right: string): number {
  if (INTEGER.test(left) && INTEGER.test(right)) return Number(BigInt(left) - BigInt(right))
  if (FLOAT.test(left) && FLOAT.test(right)) return Number(left) - Number(right)
  return left < right ? -1 : left > right ? 1 : 0
}

/** Compiled once; patterns come from jobs, of which there are few. */
const patterns = new Map<string, RE2JS | null>()
const PATTERNS_KEPT = 1_000

function matchesPattern(text: string, pattern: string): boolean {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    compiled = compile(pattern)
    if (patterns.size >= PATTERNS_KEPT) patterns.clear()
    patterns.set(pattern, compiled)
  }
  return compiled?.matcher(text).find() ?? false
}

/** Null for what is no pattern: it matches nothing. */
function compile(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern)
  } catch {
    return null
  }
}
