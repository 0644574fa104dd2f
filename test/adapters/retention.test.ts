/** Which snapshots are kept: two always, and those that the past is told from. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HistoryRules, type KnownSnapshot, NO_HISTORY, snapshotsToKeep } from '../../src/adapters/lmdb/retention.js'

const HOUR_MS = 3_600_000
const DAY: HistoryRules = { ms: 24 * HOUR_MS, commandsMax: 200_000 }
const hourly = (count: number, commands = 100): readonly KnownSnapshot[] =>
  Array.from({ length: count }, (_, at) => ({ index: (at + 1) * commands, writtenMs: at * HOUR_MS }))
const hours = (kept: readonly KnownSnapshot[]) => kept.map(({ writtenMs }) => writtenMs / HOUR_MS)

test('without history two are kept', () => {
  expect(hours(snapshotsToKeep(hourly(5), 5 * HOUR_MS, NO_HISTORY))).toEqual([3, 4])
  expect(hours(snapshotsToKeep(hourly(1), HOUR_MS, NO_HISTORY))).toEqual([0])
})

test('a day goes back to one that is a day old, with steps between', () => {
  expect(hours(snapshotsToKeep(hourly(10), 9 * HOUR_MS, DAY))).toEqual([0, 3, 6, 8, 9])
  expect(hours(snapshotsToKeep(hourly(40), 39 * HOUR_MS, DAY))).toEqual([15, 18, 21, 24, 27, 30, 33, 36, 38, 39])
})

test('a busy cluster goes back as far as its commands may', () => {
  const kept = snapshotsToKeep(hourly(40, 50_000), 39 * HOUR_MS, DAY)
  expect(hours(kept)).toEqual([35, 36, 37, 38, 39])
})

test('kept step by step, the past reaches back as far as the rules say, and not twice as far', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 5 * HOUR_MS })), { maxLength: 200 }),
      (gaps) => {
        let known: readonly KnownSnapshot[] = []
        let [index, nowMs] = [0, 0]
        for (const [commands, ms] of gaps) {
          index += commands
          nowMs += ms
          known = snapshotsToKeep([...known, { index, writtenMs: nowMs }], nowMs, DAY)
          expect(known.at(-1)).toEqual({ index, writtenMs: nowMs })
          expect(known.length).toBeLessThanOrEqual(2 * 8 + 4)
          const second = known[1]
          // Otherwise the second would do.
          if (known.length > 2) expect(second!.writtenMs <= nowMs - DAY.ms || second!.index <= index - DAY.commandsMax).toBe(false)
        }
      },
    ),
    { numRuns: 50 },
  )
})
