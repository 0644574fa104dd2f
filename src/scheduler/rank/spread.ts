/**
 * Spreading a group over the values of attributes (Nomad docs, "Placement"). Nodes that have the same values in all spread
 * attributes form a zone and get the same boost, so that a placement changes the boosts of zones, not of nodes.
 */
import type { Job, Spread, TaskGroup } from '../../domain/index.js'
import { NO_VALUE, type ValueColumn, type ValueColumns } from '../feasible/value-columns.js'

interface Property {
  readonly column: ValueColumn
  readonly weight: number
  /** Wanted number by value; empty: evenly. */
  readonly desired: ReadonlyMap<string, number>
  /** Wanted number of all values that are not listed, together. */
  readonly desiredElsewhere: number | undefined
  /** Allocations by value id, as they would be. */
  readonly used: Map<number, number>
  usedElsewhere: number
}

const ELSEWHERE = '*'

export class Spreading {
  readonly #properties: readonly Property[]
  readonly #weightSum: number
  readonly #zoneByKey = new Map<number | string, number>()
  /** Value ids of each zone, one a property. */
  readonly #zones: (readonly number[])[] = []
  readonly #boosts: number[] = []
  #isStale = true

  constructor(columns: ValueColumns, job: Job, group: TaskGroup) {
    const spreads = [...(group.Spreads ?? []), ...(job.Spreads ?? [])]
    this.#properties = spreads.map((spread) => propertyOf(spread, group.Count, columns))
    this.#weightSum = spreads.reduce((sum, spread) => sum + spread.Weight, 0)
  }

  get isActive(): boolean {
    return this.#properties.length > 0
  }

  /** The zone of each of these rows of the node table. */
  zonesOf(rows: Int32Array): Int32Array {
    const zones = new Int32Array(rows.length)
    const [first, ...others] = this.#properties
    if (first === undefined) return zones
    const { ids } = first.column
    const zoneByKey = this.#zoneByKey
    // Most spread over one attribute: then nothing is made for a row.
    const keyOf = others.length === 0 ? (row: number) => ids[row] ?? NO_VALUE : (row: number) => this.#valueIdsOf(row).join(' ')
    for (let position = 0; position < rows.length; position++) {
      const row = rows[position]!
      const key = keyOf(row)
      zones[position] = zoneByKey.get(key) ?? this.#addZone(key, row)
    }
    return zones
  }

  #addZone(key: number | string, row: number): number {
    const zone = this.#zones.push(this.#valueIdsOf(row)) - 1
    this.#zoneByKey.set(key, zone)
    this.#isStale = true
    return zone
  }

  #valueIdsOf(row: number): readonly number[] {
    return this.#properties.map(({ column }) => column.ids[row] ?? NO_VALUE)
  }

  /** One more (or, with -1, one less) allocation of the group is on the row's node. */
  count(row: number, by: 1 | -1): void {
    for (const property of this.#properties) {
      const id = property.column.ids[row] ?? NO_VALUE
      if (id === NO_VALUE) continue
      const used = Math.max(0, (property.used.get(id) ?? 0) + by)
      if (used === 0) property.used.delete(id)
      else property.used.set(id, used)
      if (!property.desired.has(property.column.values[id]!)) property.usedElsewhere = Math.max(0, property.usedElsewhere + by)
    }
    this.#isStale = true
  }

  /** What being in the zone adds to the score; 0 adds nothing, not even to the number of scores. */
  boostOf(zone: number): number {
    if (this.#isStale) this.#refresh()
    return this.#boosts[zone]!
  }

  #refresh(): void {
    this.#isStale = false
    this.#boosts.length = this.#zones.length
    this.#boosts.fill(0)
    for (const [at, property] of this.#properties.entries()) {
      const boost =
        property.desired.size === 0 && property.desiredElsewhere === undefined
          ? evenBoosts(property.used)
          : this.#targetBoosts(property, at)
      for (const [zone, ids] of this.#zones.entries()) this.#boosts[zone]! += ids[at] === NO_VALUE ? -1 : boost(ids[at]!)
    }
  }

  #targetBoosts(property: Property, at: number): (id: number) => number {
    const share = this.#weightSum === 0 ? 0 : property.weight / this.#weightSum
    const boostFor = (id: number): number | undefined => {
      const value = property.column.values[id]!
      const listed = property.desired.get(value)
      const desired = listed ?? property.desiredElsewhere
      if (desired === undefined) return -1
      if (desired === 0) return undefined
      const used = listed === undefined ? property.usedElsewhere : (property.used.get(id) ?? 0)
      return ((desired - (used + 1)) / desired) * share
    }
    // Where nothing at all is wanted is as bad as the worst of the others.
    let lowest = -1
    for (const ids of this.#zones) if (ids[at] !== NO_VALUE) lowest = Math.min(lowest, boostFor(ids[at]!) ?? lowest)
    return (id) => boostFor(id) ?? lowest
  }
}

function propertyOf(spread: Spread, count: number, columns: ValueColumns): Property {
  const desired = new Map<string, number>()
  // Added up in whole percents: of parts of the count a little would seem to be left where nothing is.
  let percents = 0
  for (const { Value, Percent } of spread.SpreadTarget ?? []) {
    desired.set(Value, (Percent / 100) * count)
    percents += Percent
  }
  const listed = desired.get(ELSEWHERE)
  desired.delete(ELSEWHERE)
  const rest = count > 0 && percents > 0 && percents < 100 ? (1 - percents / 100) * count : undefined
  return {
    column: columns.of(spread.Attribute),
    weight: spread.Weight,
    desired,
    // What is listed for the others gives way to what is really left.
    desiredElsewhere: rest ?? listed,
    used: new Map(),
    usedElsewhere: 0,
  }
}

/** Towards the least used value. */
function evenBoosts(used: ReadonlyMap<number, number>): (id: number) => number {
  if (used.size === 0) return () => 0
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const count of used.values()) {
    if (count < min) min = count
    if (count > max) max = count
  }
  return (id) => {
    const current = used.get(id) ?? 0
    const least = used.has(id) ? min : 0
    if (current !== least) return least === 0 ? -1 : (least - current) / least
    if (least === max) return -1
    return least === 0 ? 1 : (max - least) / least
  }
}
