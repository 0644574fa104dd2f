import { expect, test } from 'vitest'
import { allocation, FIXTURE_TIME, job, node, taskGroup, uuid } from '../fixtures.js'
import { decide } from './decide.js'

test('what is told to stop is not written back as wanted because it was waiting to be replaced', () => {
  const own = (at: number, over: Parameters<typeof allocation>[0]) =>
    allocation({ ID: uuid(at, 0xb0), Name: `web.group[${at}]`, ModifyTime: FIXTURE_TIME, ...over })
  const rows = [own(0, { ClientStatus: 'running' }), own(1, { ClientStatus: 'failed' })]
  const { plan, created } = decide({ nodes: [node()], jobs: [job({ TaskGroups: [taskGroup({ Count: 1 })] })], allocations: rows })
  expect([plan.Stops.map(({ ID }) => ID), plan.Updates, plan.Placements]).toEqual([[rows[1]!.ID], [], []])
  expect(plan.Stops[0]!.FollowupEvalID).toBe(created[0]!.ID)
})
