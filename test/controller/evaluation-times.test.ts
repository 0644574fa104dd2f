import { expect, test } from 'vitest'
import { EvaluationBroker } from '../../src/controller/evaluation-broker.js'
import { EvaluationTimes } from '../../src/controller/evaluation-times.js'
import { State } from '../../src/state/index.js'
import { evaluation } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { SimulatedProcess } from '../simulation/simulated-process.js'
import { VirtualTime } from '../simulation/virtual-time.js'

test('times are told by stage and type', () => {
  const times = new EvaluationTimes()
  times.note('schedule', 'service', 4)
  times.note('schedule', 'service', 2)
  times.note('wait', 'batch', 7)
  expect(times.all).toEqual([
    { stage: 'schedule', type: 'service', count: 2, sumMs: 6, leastMs: 2, mostMs: 4 },
    { stage: 'wait', type: 'batch', count: 1, sumMs: 7, leastMs: 7, mostMs: 7 },
  ])
})

test('the wait of an evaluation begins when it may be worked on, not when it is made', async () => {
  const time = new VirtualTime(new SeededRandom(1))
  const { clock } = new SimulatedProcess('server', time, () => 0)
  const state = new State()
  const times = new EvaluationTimes()
  const broker = new EvaluationBroker(state, clock, () => {}, times)
  const WaitUntil = new Date(clock.wallMs() + 5_000).toISOString()
  state.evaluations.put(1, evaluation({ ID: 'later', Status: 'pending', TriggeredBy: 'alloc-reschedule', WaitUntil }))
  await time.runUntil(4_000, () => {})
  expect(broker.next()).toBeUndefined()
  await time.runUntil(5_300, () => {})
  expect(broker.next()?.evaluation.ID).toBe('later')
  expect(times.all.map(({ stage, count, sumMs }) => [stage, count, Math.round(sumMs)])).toEqual([['wait', 1, 300]])
  broker.stop()
})
