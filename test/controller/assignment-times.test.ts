/** From a placement until its host first tells of it. */
import { expect, test } from 'vitest'
import { AssignmentTimes } from '../../src/controller/assignment-times.js'
import { MILLISECOND } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, uuid } from '../fixtures.js'

const RECEIVED = { main: { State: 'pending', Failed: false, Restarts: 0, Events: [] } } as never

function begun() {
  const state = new State()
  let nowMs = 1_000_000
  const times = new AssignmentTimes(state, { wallMs: () => nowMs })
  const put = (id: number, over: Parameters<typeof allocation>[0]) =>
    state.allocations.put(state.index++, allocation({ ID: uuid(id), TaskStates: {}, ...over }))
  const wait = (ms: number) => {
    nowMs += ms
  }
  return { times, put, wait, now: () => nowMs * MILLISECOND }
}

test('the first word of a host counts, and no later one', () => {
  const { times, put, wait, now } = begun()
  const CreateTime = now()
  put(1, { CreateTime })
  wait(40)
  put(1, { CreateTime, TaskStates: RECEIVED })
  wait(1_000)
  put(1, { CreateTime, TaskStates: RECEIVED, ClientStatus: 'running' })
  expect([times.seconds.count, times.seconds.sum]).toEqual([1, 0.04])
})

test('what was placed before the server ran, or is only moved, is not counted', () => {
  const { times, put, now } = begun()
  put(1, { CreateTime: now() - 5_000 * MILLISECOND })
  put(1, { CreateTime: now() - 5_000 * MILLISECOND, TaskStates: RECEIVED })
  put(2, { CreateTime: now() })
  put(2, { CreateTime: now(), DesiredStatus: 'stop' })
  expect(times.seconds.count).toBe(0)
})
