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

test('of two of one name the older version goes, so that each name is wanted once (I3)', () => {
  const version = (Version: number) => job({ Version, JobModifyIndex: Version, TaskGroups: [taskGroup({ Count: 2 })] })
  const own = (at: number, JobVersion: number) =>
    allocation({ ID: uuid(2 * JobVersion + at, 0xb0), Name: `web.group[${at}]`, JobVersion, ClientStatus: 'running' })
  const rows = [own(0, 0), own(1, 0), own(0, 1), own(1, 1)]
  const { plan } = decide({ nodes: [node()], jobs: [version(0), version(1), version(2)], allocations: rows })
  expect(plan.Stops.map(({ ID }) => ID).sort()).toEqual([rows[0]!.ID, rows[1]!.ID])
})
