/** The network that an allocation holds has lists of ports, also where a group asks for none of a kind. */
import { expect, test } from 'vitest'
import { askOf, grant } from '../../src/scheduler/resources.js'
import { allocation, node, task, taskGroup } from '../fixtures.js'

test('without ports the lists are empty, not absent', () => {
  const network = { Mode: 'host', ReservedPorts: null, DynamicPorts: null } as never
  const group = taskGroup({ Networks: [network] })
  const granted = grant(node(), group, [], askOf(group, false), 0)
  expect(granted).toMatchObject({ kind: 'granted', resources: { Shared: { Networks: [{ ReservedPorts: [], DynamicPorts: [] }] } } })
})

/** One address, as a host has that tasks find ports on. */
function host() {
  const addresses = [{ Family: 'ipv4', Alias: 'default', Address: '10.0.0.1', ReservedPorts: '', Gateway: '' }]
  const base = node()
  return node({
    NodeResources: {
      ...base.NodeResources,
      Networks: [{ Mode: 'host', Device: 'eth0', IP: '10.0.0.1' }] as never,
      NodeNetworks: [{ Mode: 'host', Device: 'eth0', MacAddress: '', Speed: 1000, Addresses: addresses }] as never,
    },
  })
}

function groupWithOwnNetwork() {
  const ReservedPorts = [{ Label: 'c', Value: 7002, To: 0, HostNetwork: 'default', IgnoreCollision: false }]
  const DynamicPorts = [{ Label: 'd', Value: 0, To: 0, HostNetwork: 'default', IgnoreCollision: false }]
  const base = task()
  return taskGroup({ Tasks: [task({ Resources: { ...base.Resources, Networks: [{ MBits: 5, ReservedPorts, DynamicPorts }] as never } })] })
}

test('a task that asks for a network itself holds it, and its ports are listed with those of the group', () => {
  const group = groupWithOwnNetwork()
  const granted = grant(host(), group, [], askOf(group, false), 0)
  if (granted.kind === 'exhausted') throw new Error(granted.dimension)
  const { Tasks, Shared } = granted.resources
  const [network] = Tasks[group.Tasks[0]!.Name]!.Networks ?? []
  expect(network).toMatchObject({ Device: 'eth0', IP: '10.0.0.1', MBits: 5, ReservedPorts: [{ Label: 'c', Value: 7002 }] })
  const dynamic = network!.DynamicPorts![0]!.Value
  expect(dynamic).toBeGreaterThanOrEqual(20_000)
  const dynamicPort = { Label: 'd', Value: dynamic }
  expect(Shared).toMatchObject({ Networks: null, Ports: [dynamicPort, { Label: 'c', Value: 7002, HostIP: '10.0.0.1' }] })
})

test('a port that a task asks for itself is given to nobody twice', () => {
  const group = groupWithOwnNetwork()
  const first = grant(host(), group, [], askOf(group, false), 0)
  if (first.kind === 'exhausted') throw new Error(first.dimension)
  const holder = allocation({ AllocatedResources: first.resources })
  expect(grant(host(), group, [holder], askOf(group, false), 0)).toEqual({
    kind: 'exhausted',
    dimension: 'network: reserved port collision c=7002',
  })
})
