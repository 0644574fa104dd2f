import { describe, expect, test } from 'vitest'
import { type Allocation, rfc3339, SECOND } from '../../../src/domain/index.js'
import { allocation, FIXTURE_MS, FIXTURE_TIME, job, node, task, taskGroup, uuid } from '../../fixtures.js'
import { decide } from '../decide.js'

test('what has failed beyond the count is stopped, not placed again', () => {
  const own = (at: number, ClientStatus: 'running' | 'failed') =>
    allocation({ ID: uuid(at, 0xb0), Name: `web.group[${at}]`, ClientStatus, ModifyTime: FIXTURE_TIME - 60 * SECOND })
  const rows = [own(0, 'failed'), own(1, 'running'), own(2, 'failed')]
  const groupOf = (Count: number) => job({ TaskGroups: [taskGroup({ Count, Update: null })] })
  const two = decide({ nodes: [node()], jobs: [groupOf(2)], allocations: rows }).plan
  expect(two.Placements.map(({ Name }) => Name)).toEqual(['web.group[0]'])
  expect(two.Stops.map(({ ID, DesiredDescription }) => [ID, DesiredDescription])).toEqual([
    [rows[2]!.ID, 'alloc not needed due to job update'],
    [rows[0]!.ID, ''],
  ])
  const none = decide({ nodes: [node()], jobs: [groupOf(0)], allocations: rows }).plan
  expect([none.Placements, none.Stops.length]).toEqual([[], 3])
})

test('what was replaced while it was out of sight is not replaced again when it is lost', () => {
  const silent = node({ ID: uuid(2, 0xa0), Status: 'down' })
  const gone = allocation({
    ID: uuid(1, 0xb0),
    Name: 'web.group[0]',
    NodeID: silent.ID,
    ClientStatus: 'unknown',
    AllocStates: [{ Field: 0, Value: 'unknown', Time: rfc3339(0) }],
  })
  const follower = allocation({ ID: uuid(2, 0xb0), Name: 'web.group[0]', ClientStatus: 'running', PreviousAllocation: gone.ID })
  const Disconnect = { LostAfter: SECOND, Replace: true, Reconcile: 'best-score', StopOnClientAfter: null }
  const jobs = [job({ TaskGroups: [taskGroup({ Count: 2, Update: null, Disconnect })] })]
  const { plan } = decide({ nodes: [silent, node()], jobs, allocations: [gone, follower] })
  expect(plan.Stops.map(({ ID, ClientStatus }) => [ID, ClientStatus])).toEqual([[gone.ID, 'lost']])
  expect(plan.Placements.map(({ Name, PreviousAllocation }) => [Name, PreviousAllocation])).toEqual([['web.group[1]', undefined]])
})

test('what was replaced while it was out of sight is not replaced once more when its host comes back to be drained', () => {
  const drain = { Deadline: 0, IgnoreSystemJobs: false, ForceDeadline: rfc3339(0), StartedAt: rfc3339(0) }
  const drained = node({ ID: uuid(2, 0xa0), SchedulingEligibility: 'ineligible', DrainStrategy: drain })
  const original = allocation({
    ID: uuid(1, 0xb0),
    NodeID: drained.ID,
    ClientStatus: 'unknown',
    DesiredTransition: { Migrate: true },
    NextAllocation: uuid(2, 0xb0),
    AllocStates: [{ Field: 0, Value: 'unknown', Time: rfc3339(FIXTURE_MS) }],
  })
  const follower = allocation({ ID: uuid(2, 0xb0), ClientStatus: 'running', PreviousAllocation: original.ID })
  const Disconnect = { LostAfter: 3_600 * SECOND, Replace: true, Reconcile: 'keep_original', StopOnClientAfter: null }
  const jobs = [job({ TaskGroups: [taskGroup({ Count: 2, Update: null, Disconnect })] })]
  const { plan } = decide({ nodes: [drained, node()], jobs, allocations: [original, follower] })
  expect(plan.Stops.map(({ ID }) => ID)).toEqual([original.ID])
  expect(plan.Placements.map(({ Name, PreviousAllocation }) => [Name, PreviousAllocation])).toEqual([['web.group[1]', undefined]])
})

test('a replacement that is to move is not replaced when the original comes back', () => {
  const original = allocation({
    ID: uuid(1, 0xb0),
    ClientStatus: 'running',
    NextAllocation: uuid(2, 0xb0),
    AllocStates: [{ Field: 0, Value: 'unknown', Time: rfc3339(FIXTURE_MS) }],
  })
  const follower = allocation({
    ID: uuid(2, 0xb0),
    ClientStatus: 'running',
    DesiredTransition: { Migrate: true },
    PreviousAllocation: original.ID,
  })
  const Disconnect = { LostAfter: 3_600 * SECOND, Replace: true, Reconcile: 'keep_original', StopOnClientAfter: null }
  const jobs = [job({ TaskGroups: [taskGroup({ Count: 2, Update: null, Disconnect })] })]
  const { plan } = decide({ nodes: [node()], jobs, allocations: [original, follower] })
  expect(plan.Stops.map(({ ID, DesiredDescription }) => [ID, DesiredDescription])).toEqual([
    [follower.ID, 'alloc not needed due to disconnected client reconnect'],
  ])
  expect(plan.Placements.map(({ Name, PreviousAllocation }) => [Name, PreviousAllocation])).toEqual([['web.group[1]', undefined]])
})

test.each(['unknown', 'pending'] as const)(
  'what was replaced by a newer version while it was out of sight is not updated once it is back and %s',
  (ClientStatus) => {
    const Disconnect = { LostAfter: 3_600 * SECOND, Replace: true, Reconcile: 'keep_original', StopOnClientAfter: null }
    const newer = job({ Version: 1, TaskGroups: [taskGroup({ Count: 2, Disconnect })] })
    const original = allocation({
      ID: uuid(1, 0xb0),
      ClientStatus,
      NextAllocation: uuid(2, 0xb0),
      AllocStates: [{ Field: 0, Value: 'unknown', Time: rfc3339(FIXTURE_MS) }],
    })
    const follower = allocation({ ID: uuid(2, 0xb0), JobVersion: 1, ClientStatus: 'running', PreviousAllocation: original.ID })
    const older = job({ Version: 0, TaskGroups: [taskGroup({ Count: 2, Disconnect, Tasks: [task({ Env: { A: 'old' } })] })] })
    const { plan } = decide({ nodes: [node()], jobs: [older, newer], allocations: [original, follower] })
    expect(plan.Stops.map(({ ID, DesiredDescription }) => [ID, DesiredDescription])).toEqual([
      [original.ID, 'alloc not needed due to job update'],
    ])
    expect(plan.Placements.map(({ Name, PreviousAllocation }) => [Name, PreviousAllocation])).toEqual([['web.group[1]', undefined]])
  },
)

describe('batch work', () => {
  const policy = { Attempts: 1, Interval: 3_600 * SECOND, Delay: 0, DelayFunction: 'constant', MaxDelay: 0, Unlimited: false } as const
  const decideOf = (row: Allocation, Count = 1, status: 'ready' | 'down' = 'ready') => {
    const TaskGroups = [taskGroup({ Count, Update: null, ReschedulePolicy: policy })]
    const jobs = [0, 1].map((Version) => job({ Type: 'batch', Version, TaskGroups }))
    const nodes = [node({ ID: row.NodeID, Status: status }), node({ ID: uuid(2, 0xa0) })]
    const { Stops, Placements } = decide({ nodes, jobs, allocations: [row] }).plan
    return { stops: Stops.map(({ ID }) => ID), placed: Placements.length }
  }

  test('that is asked to be placed again is, while it runs', () => {
    const row = allocation({ JobVersion: 1, ClientStatus: 'running', DesiredTransition: { Reschedule: true } })
    expect(decideOf(row)).toEqual({ stops: [row.ID], placed: 1 })
  })

  test('that a drain has ended for good is not placed again, whether it failed or its host was lost', () => {
    const DesiredTransition = { Migrate: true, MigrateDisablePlacement: true }
    expect(decideOf(allocation({ JobVersion: 1, ClientStatus: 'failed', DesiredTransition }))).toEqual({ stops: [], placed: 0 })
    const stopping = allocation({ JobVersion: 1, ClientStatus: 'running', DesiredStatus: 'stop', DesiredTransition })
    expect(decideOf(stopping, 1, 'down')).toEqual({ stops: [stopping.ID], placed: 0 })
  })

  test('that has ended is stopped when nothing of its group is wanted any more, also that of an older version', () => {
    const row = allocation({ JobVersion: 0, ClientStatus: 'complete' })
    expect(decideOf(row, 0)).toEqual({ stops: [row.ID], placed: 0 })
  })
})
