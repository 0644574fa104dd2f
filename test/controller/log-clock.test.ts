import { expect, test } from 'vitest'
import { LogClock } from '../../src/controller/log-clock.js'
import { ManualClock } from './manual-clock.js'

function clocks(startMs = 0) {
  const manual = new ManualClock()
  return { manual, clock: new LogClock(manual, startMs) }
}

test('goes with the wall clock, also when that is set forward', () => {
  const { manual, clock } = clocks()
  manual.advance(1_000)
  expect(clock.wallMs()).toBe(manual.wallMs())
  manual.wallOffsetMs = 60_000
  expect(clock.wallMs()).toBe(manual.wallMs())
})

test('a wall clock that is set back neither takes time back nor holds it up', () => {
  const { manual, clock } = clocks()
  const beforeMs = clock.wallMs()
  manual.wallOffsetMs = -90_000
  expect(clock.wallMs()).toBe(beforeMs)
  manual.advance(15_000)
  expect(clock.wallMs()).toBe(beforeMs + 15_000)
  manual.wallOffsetMs = 0
  manual.advance(5_000)
  expect(clock.wallMs()).toBe(beforeMs + 20_000)
})

test('goes on from what the log has dated last where the wall clock is behind that', () => {
  const future = Date.UTC(2027, 0, 1)
  const { manual, clock } = clocks(future)
  expect(clock.wallMs()).toBe(future)
  manual.advance(1_500)
  expect(clock.wallMs()).toBe(future + 1_500)
})
