/** Conditions on one node, one text at a time (Nomad docs, "Placement"). */
import type { Node } from '../../../src/domain/index.js'
import { satisfiesSemver, satisfiesVersion } from '../../../src/scheduler/feasible/versions.js'

export interface Condition {
  readonly LTarget: string
  readonly RTarget: string
  readonly Operand: string
}

export function valueOn(node: Node, target: string): string | undefined {
  if (!target.startsWith('${')) return target
  const name = target.slice(2).replace(/\}$/, '')
  const fields: Readonly<Record<string, string>> = {
    'node.unique.id': node.ID,
    'node.unique.name': node.Name,
    'node.datacenter': node.Datacenter,
    'node.class': node.NodeClass,
    'node.pool': node.NodePool,
  }
  if (name.startsWith('attr.')) return node.Attributes[name.slice(5)]
  if (name.startsWith('meta.')) return node.Meta[name.slice(5)]
  return fields[name]
}

export function holds(node: Node, { LTarget, Operand, RTarget }: Condition): boolean {
  const left = valueOn(node, LTarget)
  const right = valueOn(node, RTarget)
  if (Operand === 'distinct_hosts' || Operand === 'distinct_property') return true
  if (Operand === 'is_set') return left !== undefined
  if (Operand === 'is_not_set') return left === undefined
  if (Operand === '!=' || Operand === 'not') return left !== right
  return left !== undefined && right !== undefined && compares(Operand, left, right)
}

function compares(operand: string, left: string, right: string): boolean {
  const [have, want] = [left, right].map((list) => list.split(',').map((element) => element.trim())) as [string[], string[]]
  switch (operand) {
    case '=':
    case '==':
    case 'is':
      return left === right
    case '<':
      return order(left, right) < 0
    case '<=':
      return order(left, right) <= 0
    case '>':
      return order(left, right) > 0
    case '>=':
      return order(left, right) >= 0
    case 'version':
      return satisfiesVersion(left, right)
    case 'semver':
      return satisfiesSemver(left, right)
    case 'regexp':
      return matches(left, right)
    case 'set_contains':
    case 'set_contains_all':
      return want.every((element) => have.includes(element))
    case 'set_contains_any':
      return want.some((element) => have.includes(element))
    default:
      return false
  }
}

function order(left: string, right: string): number {
  const areNumbers = [left, right].every((text) => text.trim() !== '' && Number.isFinite(Number(text)))
  if (areNumbers) return Number(left) - Number(right)
  return left < right ? -1 : left > right ? 1 : 0
}

function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return false
  }
}
