import { expect, test } from 'vitest'
import type { VolumeRequest } from '../../../src/domain/index.js'
import { allocatedResources, allocation, job, node, taskGroup, uuid } from '../../fixtures.js'
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

const port = (Label: string, Value: number) => ({ Label, Value, To: 0, HostNetwork: 'default' })

test('a port that is asked for and taken is told as such, also while the one before still has it', () => {
  const Ports = [{ Label: 'http', Value: 8080, To: 0, HostIP: '127.0.0.1' }]
  const held = { JobID: 'first', ClientStatus: 'running' as const, AllocatedResources: allocatedResources('main', { Ports }) }
  const rows = [allocation({ ...held, ID: uuid(1, 0xb0), DesiredStatus: 'stop' }), allocation({ ...held, ID: uuid(2, 0xb0) })]
  const Networks = [{ Mode: 'host', ReservedPorts: [port('http', 8080)], DynamicPorts: null }]
  const { evaluation } = decide({ nodes: [node()], jobs: [job({ TaskGroups: [taskGroup({ Networks })] })], allocations: rows })
  expect(evaluation.FailedTGAllocs!['group']!.DimensionExhausted).toEqual({ 'network: reserved port collision http=8080': 1 })
})

test('a node that reserves what are no ports gives none', () => {
  const host = node({ ReservedResources: { ...node().ReservedResources, Networks: { ReservedHostPorts: '22,ssh' } } })
  const Networks = [{ Mode: 'host', ReservedPorts: null, DynamicPorts: [port('http', 0)] }]
  const { evaluation } = decide({ nodes: [host], jobs: [job({ TaskGroups: [taskGroup({ Networks })] })] })
  expect(evaluation.FailedTGAllocs!['group']!.DimensionExhausted).toEqual({ 'network: invalid node': 1 })
})
