/** The numbered places of a group: which are taken, which are free, which go first when there are too many. */
import { type Allocation, allocationName, allocationNameIndex } from '../../domain/index.js'

export class NameIndex {
  readonly #jobId: string
  readonly #group: string
  readonly #count: number
  /** How many allocations have each place. */
  readonly #used = new Map<number, number>()

  constructor(jobId: string, group: string, count: number, allocations: readonly Allocation[]) {
    this.#jobId = jobId
    this.#group = group
    this.#count = count
    for (const { Name } of allocations) {
      const index = allocationNameIndex(Name)
      if (index >= 0) this.#used.set(index, (this.#used.get(index) ?? 0) + 1)
    }
  }

  /** The lowest free names below the count; when there are not enough, from the beginning again. */
  next(count: number): readonly string[] {
    const names: string[] = []
    for (let index = 0; index < this.#count && names.length < count; index++) {
      if (!this.#used.has(index)) names.push(this.#take(index))
    }
    for (let index = 0; names.length < count; index++) names.push(this.#take(index))
    return names
  }

  /** Names for canaries: those they will replace, then free ones, then beyond the count. */
  nextCanaries(count: number, existing: readonly Allocation[], destructive: readonly Allocation[]): readonly string[] {
    const taken = new Set(existing.map(({ Name }) => Name))
    const names: string[] = []
    const offer = (index: number) => {
      const name = this.#name(index)
      if (names.length >= count || taken.has(name) || names.includes(name)) return
      names.push(this.#take(index))
    }
    for (const index of destructive.map(({ Name }) => allocationNameIndex(Name)).sort((a, b) => a - b))
      if (index >= 0 && index < this.#count) offer(index)
    for (let index = 0; index < this.#count; index++) if (!this.#used.has(index)) offer(index)
    for (let index = this.#count; names.length < count; index++) offer(index)
    return names
  }

  /** The names of the `count` highest places that are taken; they count as free afterwards. */
  highest(count: number): ReadonlySet<string> {
    const indexes = [...this.#used.keys()].sort((a, b) => b - a).slice(0, count)
    for (const index of indexes) this.unset(index)
    return new Set(indexes.map((index) => this.#name(index)))
  }

  get hasDuplicates(): boolean {
    return [...this.#used.values()].some((count) => count > 1)
  }

  /** The name itself; where two allocations have it, what follows one of them takes a free one instead, if there is any. */
  own(name: string): string {
    const index = allocationNameIndex(name)
    if ((this.#used.get(index) ?? 0) < 2) return name
    for (let free = 0; free < this.#count; free++) {
      if (this.#used.has(free)) continue
      this.unset(index)
      return this.#take(free)
    }
    return name
  }

  take(name: string): void {
    this.#take(allocationNameIndex(name))
  }

  unset(index: number): void {
    const uses = this.#used.get(index) ?? 0
    if (uses > 1) this.#used.set(index, uses - 1)
    else this.#used.delete(index)
  }

  /** A place that is taken already stays what it is: who comes is to follow who is there. */
  #take(index: number): string {
    if (!this.#used.has(index)) this.#used.set(index, 1)
    return this.#name(index)
  }

  #name(index: number): string {
    return allocationName(this.#jobId, this.#group, index)
  }
}
