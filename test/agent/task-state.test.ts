/** What an agent tells of a task has every member that clients of the API always find. */
import { expect, test } from 'vitest'
import { taskEvent } from '../../src/agent/task-events.js'
import { newTaskRecord } from '../../src/agent/task-record.js'

test('an event without facts has empty details, not none', () => {
  expect(taskEvent('Received', 0).Details).toEqual({})
  expect(taskEvent('Terminated', 0, [{ fact: 'exit_code', number: 3 }]).Details).toEqual({ exit_code: '3' })
})

test('a task that nothing has paused says so', () => {
  expect(newTaskRecord(0).state.Paused).toBe('')
})
