import { expect, test } from 'vitest'
import type { VolumeRequest } from '../../../src/domain/index.js'
import { allocation, job, node, taskGroup } from '../../fixtures.js'
import { decide } from '../decide.js'

test('a volume with a single writer has no second user, whichever of them came first', () => {
  const volume = (AccessMode: string): VolumeRequest => ({
    Name: 'data',
    Type: 'host',
    Source: 'data',
    ReadOnly: false,
    AccessMode,
    AttachmentMode: '',
    MountOptions: null,
    PerAlloc: false,
    Sticky: false,
  })
  const host = node({ HostVolumes: { data: { Name: 'data', Path: '/data', ReadOnly: false } } })
  const user = (ID: string, AccessMode: string) => job({ ID, TaskGroups: [taskGroup({ Volumes: { data: volume(AccessMode) } })] })
  const placedBeside = (asked: string, held: string) =>
    decide({
      nodes: [host],
      jobs: [user('web', asked), user('first', held)],
      allocations: [allocation({ JobID: 'first', ClientStatus: 'running' })],
    }).plan.Placements.length
  const single = 'single-node-single-writer'
  expect([placedBeside('', ''), placedBeside(single, ''), placedBeside('', single)]).toEqual([1, 0, 0])
})
