import { expect, test } from 'vitest'
import { DeclaredDevices } from '../../src/adapters/declared-devices.js'

const declared = new DeclaredDevices([
  {
    vendor: 'acme',
    type: 'gpu',
    model: 'm1/pro',
    instances: { a: ['/dev/null'], b: ['/dev/zero'], c: ['/dev/there-is-none'], d: ['/etc/passwd'] },
    shared_nodes: ['/dev/full'],
    ids_variable: 'ACME_IDS',
    env: { ACME_MODE: 'fast' },
    attributes: { memory: '11 GiB', cores: 3_584, clock: 1.5, ecc: true },
  },
])

test('a device is healthy where its nodes are, and says what is wrong otherwise', () => {
  expect(declared.look()).toEqual([
    {
      Vendor: 'acme',
      Type: 'gpu',
      Name: 'm1/pro',
      Instances: [
        { ID: 'a', Healthy: true, HealthDescription: '', Locality: null },
        { ID: 'b', Healthy: true, HealthDescription: '', Locality: null },
        { ID: 'c', Healthy: false, HealthDescription: '/dev/there-is-none is no device', Locality: null },
        { ID: 'd', Healthy: false, HealthDescription: '/etc/passwd is no device', Locality: null },
      ],
      Attributes: { memory: { String: '11 GiB' }, cores: { Int: 3_584 }, clock: { Float: 1.5 }, ecc: { Bool: true } },
    },
  ])
  expect(new DeclaredDevices([]).look()).toBeNull()
})

test('a task gets the nodes and the ids of what was taken for it, and what comes with any of them', () => {
  const taken = { Vendor: 'acme', Type: 'gpu', Name: 'm1/pro', DeviceIDs: ['a', 'b'] }
  expect(declared.grant([taken])).toEqual({
    environment: { ACME_MODE: 'fast', ACME_IDS: 'a,b' },
    nodes: ['/dev/null', '/dev/zero', '/dev/full'],
  })
  expect(declared.grant([])).toEqual({ environment: {}, nodes: [] })
})

test.each([
  [{ Vendor: 'acme', Type: 'gpu', Name: 'm1/pro', DeviceIDs: ['z'] }, 'device acme/gpu/m1/pro z is not declared on this host any more'],
  [{ Vendor: 'acme', Type: 'gpu', Name: 'm2', DeviceIDs: ['a'] }, 'device acme/gpu/m2 a is not declared on this host any more'],
])('what is not declared any more is not given', (taken, words) => {
  expect(() => declared.grant([taken])).toThrow(words)
})
