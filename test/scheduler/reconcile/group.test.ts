import { expect, test } from 'vitest'
import { SECOND } from '../../../src/domain/index.js'
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
