/** What a node's zone adds to its score in the manner of Nomad (Nomad docs, "Placement"), for a job with one spread. */
import type { Node, Spread } from '../../src/domain/index.js'

export class SampledSpread {
  readonly #values: readonly string[]
  readonly #desired: ReadonlyMap<string, number>
  /** Allocations by value; a value without any is not there. */
  readonly #used = new Map<string, number>()
  /** The lowest boost seen so far: what a value gets where nothing is wanted. */
  #lowest = -1

  constructor({ Attribute, SpreadTarget }: Spread, count: number, nodes: readonly Node[]) {
    const key = Attribute.slice('${meta.'.length, -1)
    this.#values = nodes.map(({ Meta }) => Meta?.[key] ?? '')
    this.#desired = new Map((SpreadTarget ?? []).map(({ Value, Percent }) => [Value, (Percent / 100) * count]))
  }

  count(position: number): void {
    const value = this.#values[position]!
    this.#used.set(value, (this.#used.get(value) ?? 0) + 1)
  }

  boostOf(position: number): number {
    const value = this.#values[position]!
    return this.#desired.size === 0 ? this.#evenBoost(value) : this.#targetBoost(value)
  }

  #targetBoost(value: string): number {
    const desired = this.#desired.get(value)
    if (desired === undefined) return -1
    if (desired === 0) return this.#lowest
    const boost = (desired - ((this.#used.get(value) ?? 0) + 1)) / desired
    this.#lowest = Math.min(this.#lowest, boost)
    return boost
  }

  #evenBoost(value: string): number {
    if (this.#used.size === 0) return 0
    const current = this.#used.get(value) ?? 0
    let min = Number.POSITIVE_INFINITY
    let max = 0
    for (const used of this.#used.values()) {
      min = Math.min(min, used)
      max = Math.max(max, used)
    }
    // A value without allocations counts as none used, though it is not in the map.
    if (!this.#used.has(value)) min = 0
    if (current !== min) return min === 0 ? -1 : (min - current) / min
    if (min === max) return -1
    return min === 0 ? 1 : (max - min) / min
  }
}
