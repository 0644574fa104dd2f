/** Spreading a group over the values of an attribute (`reference/scheduler.md` §4.4). */
import type { Job, Node, Spread, TaskGroup } from '../../domain/index.js'
import { resolveTarget } from '../feasible/constraints.js'

interface Property {
  readonly attribute: string
  readonly weight: number
  /** Wanted number by value, `*` for the rest; empty: evenly. */
  readonly desired: ReadonlyMap<string, number>
  readonly used: Map<string, number>
  lowestBoost: number
}

export class SpreadScorer {
  readonly #properties: readonly Property[]
  readonly #weightSum: number

  constructor(job: Job, group: TaskGroup) {
    const spreads = [...(group.Spreads ?? []), ...(job.Spreads ?? [])]
    this.#properties = spreads.map((spread) => ({
      attribute: spread.Attribute,
      weight: spread.Weight,
      desired: desiredCounts(spread, group.Count),
      used: new Map(),
      lowestBoost: -1,
    }))
    this.#weightSum = spreads.reduce((sum, spread) => sum + spread.Weight, 0)
  }

  get isActive(): boolean {
    return this.#properties.length > 0
  }

  /** One more (or, with -1, one less) allocation of the group is on the node. */
  count(node: Node | undefined, by: 1 | -1): void {
    if (node === undefined) return
    for (const property of this.#properties) {
      const value = resolveTarget(node, property.attribute)
      if (value === undefined) continue
      const used = Math.max(0, (property.used.get(value) ?? 0) + by)
      if (used === 0) property.used.delete(value)
      else property.used.set(value, used)
    }
  }

  score(node: Node): number {
    let total = 0
    for (const property of this.#properties) {
      const value = resolveTarget(node, property.attribute)
      if (value === undefined) total -= 1
      else total += property.desired.size === 0 ? evenBoost(property.used, value) : this.#targetBoost(property, value)
    }
    return total
  }

  #targetBoost(property: Property, value: string): number {
    const desired = property.desired.get(value) ?? property.desired.get('*')
    if (desired === undefined) return -1
    if (desired === 0) return property.lowestBoost
    const used = (property.used.get(value) ?? 0) + 1
    const boost = ((desired - used) / desired) * (property.weight / this.#weightSum)
    property.lowestBoost = Math.min(property.lowestBoost, boost)
    return boost
  }
}

function desiredCounts(spread: Spread, count: number): ReadonlyMap<string, number> {
  const desired = new Map<string, number>()
  let sum = 0
  for (const { Value, Percent } of spread.SpreadTarget ?? []) {
    desired.set(Value, (Percent / 100) * count)
    sum += (Percent / 100) * count
  }
  if (sum > 0 && sum < count) desired.set('*', count - sum)
  return desired
}

/** Towards the least used value. */
function evenBoost(used: ReadonlyMap<string, number>, value: string): number {
  if (used.size === 0) return 0
  const counts = [...used.values()]
  const [min, max] = [Math.min(...counts), Math.max(...counts)]
  const current = used.get(value) ?? 0
  const least = used.has(value) ? min : 0
  if (current !== least) return least === 0 ? -1 : (least - current) / least
  if (least === max) return -1
  return least === 0 ? 1 : (max - least) / least
}
