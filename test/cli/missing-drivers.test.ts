import { expect, test } from 'vitest'
import { describeMissingDrivers, groupsWithoutDrivers, type HostDrivers } from '../../src/cli/missing-drivers.js'
import type { PlanAnswer } from '../../src/cli/wire.js'

const AWAY = 'Failed to connect to docker daemon: connect ENOENT /var/run/docker.sock'

function host(Name: string, docker?: string, NodePool = 'default'): HostDrivers {
  const healthy = { Detected: true, Healthy: true, HealthDescription: 'Healthy' }
  const own = docker === '' ? healthy : { Detected: false, Healthy: false, HealthDescription: docker ?? '' }
  return { Name, NodePool, Drivers: { raw_exec: healthy, ...(docker === undefined ? {} : { docker: own }) } }
}

const job = {
  NodePool: 'default',
  TaskGroups: [
    { Name: 'crate', Tasks: [{ Driver: 'docker' }, { Driver: 'raw_exec' }] },
    { Name: 'plain', Tasks: [{ Driver: 'java' }] },
  ],
}

test('each host that lacks a driver of the group says what its own agent says', () => {
  const hosts = [host('b', AWAY), host('a', AWAY), host('c', ''), host('d'), host('gpu', 'off', 'gpu')]
  expect(describeMissingDrivers(job, ['crate'], hosts)).toBe(`docker on a, b: ${AWAY}\ndocker on d: this agent has no such driver\n`)
})

test('of many hosts that say the same, a few are named', () => {
  const hosts = ['a', 'b', 'c', 'd', 'e'].map((name) => host(name, AWAY))
  expect(describeMissingDrivers(job, ['crate'], hosts)).toBe(`docker on a, b, c and 2 more: ${AWAY}\n`)
})

test('nothing is asked where drivers are not what is missing', () => {
  const failed = (ConstraintFiltered: Readonly<Record<string, number>> | null) =>
    ({ FailedTGAllocs: { crate: { ConstraintFiltered } } }) as unknown as PlanAnswer
  expect(groupsWithoutDrivers(failed({ 'missing drivers': 2 }))).toEqual(['crate'])
  expect(groupsWithoutDrivers(failed({ 'missing network': 2 }))).toEqual([])
  expect(groupsWithoutDrivers({ FailedTGAllocs: null })).toEqual([])
})
