import { expect, test } from 'vitest'
import { closedWindows } from '../../../src/controller/order/sync-windows.js'
import type { SyncWindow } from '../../../src/domain/index.js'

const HOUR = 3_600_000
const window = (over: Partial<SyncWindow> = {}): SyncWindow => ({
  name: 'nights',
  kind: 'allow',
  schedule: '0 22 * * *',
  durationMs: 8 * HOUR,
  timeZone: 'UTC',
  ...over,
})
const at = (text: string) => Date.parse(text)
const opens = (windows: readonly SyncWindow[], text: string) => {
  const closed = closedWindows(windows, at(text))
  return closed === undefined ? 'open' : closed.opensMs === null ? 'never' : new Date(closed.opensMs).toISOString()
}

test('without a window, changes are carried out at any time', () => {
  expect(opens([], '2026-03-03T12:00:00Z')).toBe('open')
})

test.each([
  ['2026-03-03T21:59:59Z', '2026-03-03T22:00:00.000Z'],
  ['2026-03-03T22:00:00Z', 'open'],
  ['2026-03-04T05:59:59Z', 'open'],
  ['2026-03-04T06:00:00Z', '2026-03-04T22:00:00.000Z'],
])('a window that allows: %s', (time, expected) => {
  expect(opens([window()], time)).toBe(expected)
})

test('clocks of the zone count, also on the day on which they are set back', () => {
  const berlin = window({ timeZone: 'Europe/Berlin', schedule: '0 9 * * *', durationMs: HOUR })
  expect(opens([berlin], '2026-10-24T06:59:59Z')).toBe('2026-10-24T07:00:00.000Z')
  expect(opens([berlin], '2026-10-25T07:30:00Z')).toBe('2026-10-25T08:00:00.000Z')
})

test('one that denies closes what is always open, and wins over one that allows', () => {
  const freeze = window({ name: 'freeze', kind: 'deny', schedule: '0 0 24 12 *', durationMs: 72 * HOUR })
  expect(closedWindows([freeze], at('2026-12-25T12:00:00Z'))?.because).toBe('window freeze denies changes')
  expect(opens([freeze], '2026-12-25T12:00:00Z')).toBe('2026-12-27T00:00:00.000Z')
  expect(opens([freeze, window({ schedule: '0 12 * * *', durationMs: HOUR })], '2026-12-25T12:30:00Z')).toBe('2026-12-27T12:00:00.000Z')
  expect(opens([freeze], '2026-12-27T00:00:00Z')).toBe('open')
})

test('of several that allow one is enough', () => {
  expect(opens([window(), window({ name: 'noon', schedule: '0 12 * * *', durationMs: HOUR })], '2026-03-03T12:59:00Z')).toBe('open')
})

test('windows that never open are told as such', () => {
  const never = window({ kind: 'deny', schedule: '* * * * *', durationMs: HOUR })
  expect(opens([never], '2026-03-03T12:00:00Z')).toBe('never')
  expect(opens([window({ schedule: '0 0 30 2 *' })], '2026-03-03T12:00:00Z')).toBe('never')
})
