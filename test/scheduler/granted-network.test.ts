/** The network that an allocation holds has lists of ports, also where a group asks for none of a kind. */
import { expect, test } from 'vitest'
import { askOf, grant } from '../../src/scheduler/resources.js'
import { node, taskGroup } from '../fixtures.js'

test('without ports the lists are empty, not absent', () => {
  const network = { Mode: 'host', ReservedPorts: null, DynamicPorts: null } as never
  const group = taskGroup({ Networks: [network] })
  const granted = grant(node(), group, [], askOf(group, false), 0)
  expect(granted).toMatchObject({ kind: 'granted', resources: { Shared: { Networks: [{ ReservedPorts: [], DynamicPorts: [] }] } } })
})
