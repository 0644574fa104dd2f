import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeapedRanking, ScannedRanking } from '../../../src/scheduler/rank/ranking.js'
import type { Shortlist } from '../../../src/scheduler/rank/shortlist.js'
import { combine, type Terms } from '../../../src/scheduler/rank/standing.js'

const ROWS = 40
const ZONES = 4

/** Few different values, so that equals are common. */
const row = fc.record({
  sum: fc.integer({ min: -8, max: 8 }).map((n) => n / 7),
  count: fc.integer({ min: 1, max: 2 }),
  zone: fc.integer({ min: 0, max: ZONES - 1 }),
  isOpen: fc.boolean(),
})
const step = fc.record({
  position: fc.nat(ROWS - 1),
  change: row,
  boost: fc.record({ zone: fc.nat(ZONES - 1), value: fc.constantFrom(-1, -0.5, 0, 0.25, 1) }),
  penalized: fc.uniqueArray(fc.nat(ROWS - 1), { maxLength: 3 }),
})

const rowsOf = (best: Shortlist) =>
  Array.from({ length: best.size }, (_, place) => ({ position: best.positionAt(place), score: best.scoreAt(place) }))

test('the heaped order gives the same best rows as looking at every row, after any changes', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: ROWS, maxLength: ROWS }), fc.array(step, { maxLength: 30 }), (initial, steps) => {
      const rows = initial.map((each) => ({ ...each }))
      const boosts = new Array<number>(ZONES).fill(0)
      const terms: Terms = {
        length: ROWS,
        scoreOf: (position) => combine(rows[position]!.sum, rows[position]!.count, boosts[rows[position]!.zone]!),
        sumOf: (position) => rows[position]!.sum,
        countOf: (position) => rows[position]!.count,
        zoneOf: (position) => rows[position]!.zone,
        boostOf: (zone) => boosts[zone]!,
        tieOf: (position) => (position * 17) % ROWS,
        isOpen: (position) => rows[position]!.isOpen,
      }
      const [heaped, scanned] = [new HeapedRanking(terms, 5), new ScannedRanking(terms, 5)]
      for (const { position, change, boost, penalized } of steps) {
        // The zone of a row never changes while it is ranked.
        rows[position] = { ...change, zone: rows[position]!.zone }
        heaped.update(position)
        boosts[boost.zone] = boost.value
        expect(rowsOf(heaped.top(penalized))).toEqual(rowsOf(scanned.top(penalized)))
      }
    }),
    { numRuns: 2_000 },
  )
})
