/** A host that changes is told of once, and one that does not is not. */
import { expect, test } from 'vitest'
import { changesOf, withoutDrift } from '../../src/agent/fingerprint-watch.js'
import { node } from '../fixtures.js'
import { AgentHarness, wanted } from './harness.js'

test('a host on which nothing has changed is told of once, whatever drifts', async () => {
  const harness = new AgentHarness({ Attributes: { 'unique.storage.bytesfree': '9' } })
  await harness.start()
  const before = harness.server.registerCount
  harness.found = { ...harness.node, Attributes: { ...harness.node.Attributes, 'unique.storage.bytesfree': '5' } }
  await harness.clock.advance(120_000)
  expect(harness.server.registerCount).toBe(before)
})

test('what has changed is told within half a minute, once, and costs no task', async () => {
  const harness = new AgentHarness()
  harness.server.wanted = [wanted(1)]
  await harness.start()
  const before = harness.server.registerCount
  harness.found = { ...harness.node, Attributes: { ...harness.node.Attributes, 'os.version': '13' } }
  await harness.clock.advance(31_000)
  expect(harness.server.registered?.node.Attributes['os.version']).toBe('13')
  expect(harness.server.registerCount).toBeGreaterThan(before)
  const after = harness.server.registerCount
  await harness.clock.advance(120_000)
  expect(harness.server.registerCount).toBe(after)
  expect(harness.running()).toHaveLength(1)
})

test('a driver that goes away, or comes, is a change by its name', () => {
  const healthy = { Detected: true, Healthy: true, HealthDescription: 'Healthy', UpdateTime: '', Attributes: null }
  const before = node({ Attributes: { 'cpu.frequency': '2000', 'driver.docker': '1' }, Drivers: { docker: healthy } })
  const away = { ...healthy, Healthy: false, HealthDescription: 'Failed to connect to docker daemon' }
  const now = node({ Attributes: { 'cpu.frequency': '2100' }, Drivers: { docker: away } })
  expect(changesOf(before, withoutDrift(now, before))).toEqual(['docker', 'driver.docker'])
  expect(changesOf(before, withoutDrift(before, before))).toEqual([])
})

test('room on a disk and the pace of a processor are as they were first found, but of another disk or more processors', () => {
  const first = { 'cpu.numcores': '2', 'cpu.totalcompute': '4000', 'unique.storage.bytestotal': '9' }
  const before = node({ Attributes: first })
  const { NodeResources } = before
  const measured = { ...NodeResources, Cpu: { ...NodeResources.Cpu, CpuShares: 4_100 }, Disk: { DiskMB: 1 } }
  const now = { ...before, Attributes: { ...first, 'cpu.totalcompute': '4100' }, NodeResources: measured }
  expect(withoutDrift(now, before)).toEqual(before)
  const other = { ...now, Attributes: { 'cpu.numcores': '4', 'cpu.totalcompute': '8200', 'unique.storage.bytestotal': '99' } }
  expect(withoutDrift(other, before)).toEqual(other)
})
