import { expect, test } from 'vitest'
import { EvaluationBroker } from '../../src/controller/evaluation-broker.js'
import { rfc3339 } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { evaluation, uuid } from '../fixtures.js'
import { ManualClock } from './manual-clock.js'

function broker(...rows: ReturnType<typeof evaluation>[]) {
  const clock = new ManualClock()
  const state = new State()
  const put = (row: ReturnType<typeof evaluation>) => state.evaluations.put(++state.index, row)
  let wakes = 0
  const made = new EvaluationBroker(state, clock, () => wakes++)
  for (const row of rows) put(row)
  return { clock, state, put, broker: made, wakes: () => wakes }
}

const pending = (number: number, over: Parameters<typeof evaluation>[0] = {}) =>
  evaluation({ ID: uuid(number), Status: 'pending', JobID: `job-${number}`, CreateIndex: number, ...over })

test('the most important job comes first, the oldest among equals', () => {
  const { broker: queue } = broker(pending(1), pending(2, { Priority: 90 }), pending(3))
  expect([queue.next(), queue.next(), queue.next()].map((work) => work?.evaluation.JobID)).toEqual(['job-2', 'job-1', 'job-3'])
  expect(queue.next()).toBeUndefined()
})

test('of several that wait for one job only the newest is worked on and the others are told of', () => {
  const { broker: queue } = broker(pending(1, { JobID: 'web' }), pending(2, { JobID: 'web' }), pending(3, { JobID: 'web' }))
  const work = queue.next()!
  expect(work.evaluation.ID).toBe(uuid(3))
  expect(work.superseded.map((row) => row.ID)).toEqual([uuid(2), uuid(1)])
  expect(queue.next()).toBeUndefined()
})

test('a delayed evaluation comes when its time has', () => {
  const { clock, put, broker: queue } = broker()
  put(pending(1, { WaitUntil: rfc3339(clock.wallMs() + 25_000) }))
  clock.advance(24_000)
  expect(queue.next()).toBeUndefined()
  clock.advance(2_000)
  expect(queue.next()?.evaluation.ID).toBe(uuid(1))
})

test('a wall clock that is set back while it waits delays it no further, one that is set forward lets it come', () => {
  for (const [setMs, comesAfterMs] of [
    [-120_000, 25_000],
    [120_000, 10_000],
  ] as const) {
    const { clock, put, broker: queue } = broker()
    put(pending(1, { WaitUntil: rfc3339(clock.wallMs() + 25_000) }))
    clock.wallOffsetMs = setMs
    clock.advance(comesAfterMs - 1_000)
    expect(queue.next()).toBeUndefined()
    clock.advance(1_000)
    expect(queue.next()?.evaluation.ID).toBe(uuid(1))
  }
})

test('an evaluation that ended meanwhile is not handed out', () => {
  const { put, broker: queue } = broker(pending(1))
  put(pending(1, { Status: 'canceled' }))
  expect(queue.next()).toBeUndefined()
})

test('a blocked evaluation is worked on when it is woken, and yields to one that is pending', () => {
  const blocked = pending(1, { Status: 'blocked', JobID: 'web' })
  const { put, broker: queue } = broker(blocked)
  expect(queue.next()).toBeUndefined()
  queue.unblock(blocked)
  expect(queue.next()?.evaluation.ID).toBe(uuid(1))
  queue.unblock(blocked)
  put(pending(2, { JobID: 'web' }))
  expect(queue.next()?.evaluation.ID).toBe(uuid(2))
})

test('a broker made from the table knows what waits there', () => {
  const { state, clock } = broker(pending(1), pending(2))
  const again = new EvaluationBroker(state, clock, () => {})
  expect(again.readyJobCount).toBe(2)
})

test('what hosts bring about is worked on together with what follows within 50 ms', () => {
  const { clock, broker: queue } = broker(pending(1, { TriggeredBy: 'node-update' }), pending(2))
  expect(queue.next()?.evaluation.ID).toBe(uuid(2))
  clock.advance(49)
  expect(queue.next()).toBeUndefined()
  clock.advance(1)
  expect(queue.next()?.evaluation.ID).toBe(uuid(1))
})
