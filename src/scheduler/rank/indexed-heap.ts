/**
 * A heap of positions that knows where each of them stands, so that one can be taken out from the middle. The best is on top; `isBefore`
 * says which of two is better.
 */
export class IndexedHeap {
  readonly #items: number[] = []
  readonly #isBefore: (a: number, b: number) => boolean
  /** Position → place in the heap; shared by heaps that never hold the same position. -1: in none. */
  readonly #places: Int32Array

  constructor(places: Int32Array, isBefore: (a: number, b: number) => boolean) {
    this.#places = places
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  /** The item at a place; its children stand at `2 * place + 1` and `2 * place + 2`. */
  at(place: number): number {
    return this.#items[place]!
  }

  /** Adds without order; `order` must follow. */
  append(item: number): void {
    this.#places[item] = this.#items.length
    this.#items.push(item)
  }

  order(): void {
    for (let place = (this.#items.length >> 1) - 1; place >= 0; place--) this.#sink(place)
  }

  add(item: number): void {
    this.append(item)
    this.#rise(this.#items.length - 1)
  }

  remove(item: number): void {
    const place = this.#places[item]!
    const last = this.#items.pop()!
    this.#places[item] = -1
    if (last === item) return
    const leaf = this.#hollow(place)
    this.#put(leaf, last)
    this.#rise(leaf)
  }

  /** Moves the better child up into the place, again and again: the last of a heap belongs near a leaf, so asking where would cost more. */
  #hollow(from: number): number {
    const count = this.#items.length
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= count) return place
      if (child + 1 < count && this.#isBefore(this.#items[child + 1]!, this.#items[child]!)) child++
      this.#put(place, this.#items[child]!)
      place = child
    }
  }

  #put(place: number, item: number): void {
    this.#items[place] = item
    this.#places[item] = place
  }

  #rise(from: number): void {
    const item = this.#items[from]!
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#items[parent]!
      if (!this.#isBefore(item, above)) break
      this.#put(place, above)
      place = parent
    }
    this.#put(place, item)
  }

  #sink(from: number): void {
    const item = this.#items[from]!
    const count = this.#items.length
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= count) break
      if (child + 1 < count && this.#isBefore(this.#items[child + 1]!, this.#items[child]!)) child++
      const below = this.#items[child]!
      if (!this.#isBefore(below, item)) break
      this.#put(place, below)
      place = child
    }
    this.#put(place, item)
  }
}
