import { expect, test } from 'vitest'
import { HOUR, SECOND } from '../../src/domain/index.js'
import { allocation, FIXTURE_TIME, job, node, task, taskGroup, uuid } from '../fixtures.js'
import { decide } from './decide.js'

test('of all that failed and find no place each keeps its history, not only the first', () => {
  const policy = { Attempts: 2, Interval: HOUR, Delay: 5 * SECOND, DelayFunction: 'constant', MaxDelay: 0, Unlimited: false }
  const main = task({ Resources: { ...task().Resources, MemoryMB: 100_000 } })
  const batch = job({ Type: 'batch', TaskGroups: [taskGroup({ Count: 2, Update: null, ReschedulePolicy: policy, Tasks: [main] })] })
  const events = [{ RescheduleTime: FIXTURE_TIME - 60 * SECOND, PrevAllocID: uuid(9), PrevNodeID: node().ID, Delay: 5 * SECOND }]
  const rows = [0, 1].map((at) =>
    allocation({
      ID: uuid(at, 0xb0),
      Name: `web.group[${at}]`,
      ClientStatus: 'failed',
      ModifyTime: FIXTURE_TIME - 30 * SECOND,
      RescheduleTracker: { Events: events },
    }),
  )
  const { plan, evaluation } = decide({ nodes: [node()], jobs: [batch], allocations: rows })
  expect(plan.Stops).toEqual([])
  expect(plan.Updates.map(({ ID, RescheduleTracker }) => [ID, RescheduleTracker])).toEqual(
    rows.map(({ ID }) => [ID, { Events: events, LastReschedule: 'no placement' }]),
  )
  expect(evaluation.QueuedAllocations).toEqual({ group: 2 })
})
