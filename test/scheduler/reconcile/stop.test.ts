import { expect, test } from 'vitest'
import { allocation, job, node, taskGroup, uuid } from '../../fixtures.js'
import { decide } from '../decide.js'

test('of too many that run one of those goes, not one that is out of sight', () => {
  const own = (at: number, ClientStatus: 'running' | 'unknown') =>
    allocation({ ID: uuid(at, 0xb0), Name: `web.group[${at}]`, ClientStatus })
  const rows = [own(0, 'running'), own(1, 'running'), own(2, 'unknown')]
  const { plan } = decide({ nodes: [node()], jobs: [job({ TaskGroups: [taskGroup({ Count: 1 })] })], allocations: rows })
  expect(plan.Stops.map(({ ID }) => ID)).toEqual([rows[1]!.ID])
})
