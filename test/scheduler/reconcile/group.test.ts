import { expect, test } from 'vitest'
import { rfc3339, SECOND } from '../../../src/domain/index.js'
import { allocation, FIXTURE_TIME, job, node, taskGroup, uuid } from '../../fixtures.js'
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
    [rows[0]!.ID, 'alloc was rescheduled because it failed'],
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
