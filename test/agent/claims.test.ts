import { expect, test } from 'vitest'
import { type Claimant, computeAdmissible } from '../../src/agent/claims.js'
import type { Allocation } from '../../src/domain/index.js'
import { node } from '../fixtures.js'

function claimant(id: string, deviceIds: readonly string[], over: Partial<Claimant>): Claimant {
  const Devices = [{ Vendor: 'acme', Type: 'gpu', Name: 'm1', DeviceIDs: deviceIds }]
  const main = { Cpu: { CpuShares: 1, ReservedCores: null }, Memory: { MemoryMB: 1, MemoryMaxMB: 0 }, Networks: null, Devices }
  const allocation = {
    ID: id,
    CreateIndex: 1,
    AllocatedResources: { Tasks: { main }, Shared: { Ports: null, Networks: null, DiskMB: 0 } },
  } as unknown as Allocation
  return { allocation, holds: false, isEnding: false, ...over }
}

test('who was given a device waits for the end of its last holder', () => {
  const ending = claimant('old', ['a'], { holds: true, isEnding: true })
  const waiting = [claimant('same', ['a'], {}), claimant('other', ['b'], {})]
  expect(computeAdmissible(node(), [ending, ...waiting])).toEqual(['other'])
  expect(computeAdmissible(node(), waiting)).toEqual(['other', 'same'])
})
