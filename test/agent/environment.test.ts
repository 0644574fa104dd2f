/** What tasks are told of their ports; the whole of their environment: `vectors -- pure/taskenv`. */
import { expect, test } from 'vitest'
import { buildEnvironment } from '../../src/agent/environment.js'
import { allocation, job, node, task } from '../fixtures.js'

test('a port that a task asked for itself is told as such, though it is listed with those of the group', () => {
  const port = { Label: 'c', Value: 7002, To: 0, HostNetwork: 'default', IgnoreCollision: false }
  const base = allocation()
  const own = task()
  const [name] = Object.keys(base.AllocatedResources.Tasks)
  const resources = {
    ...base.AllocatedResources.Tasks[name!]!,
    Networks: [{ IP: '10.0.0.1', ReservedPorts: [port], DynamicPorts: [] }] as never,
  }
  const Ports = [{ Label: 'c', Value: 7002, To: 0, HostIP: '10.0.0.1' }] as never
  const AllocatedResources = { ...base.AllocatedResources, Tasks: { [own.Name]: resources }, Shared: { Networks: null, DiskMB: 1, Ports } }
  const { variables } = buildEnvironment({
    node: node(),
    job: job(),
    allocation: allocation({ AllocatedResources }),
    task: own,
    region: 'global',
    folders: { shared: '/alloc', local: '/local', secrets: '/secrets' },
    driverPorts: { c: 90 },
  })
  expect(variables).toMatchObject({ NOMAD_ADDR_c: '10.0.0.1:7002', NOMAD_PORT_c: '90', NOMAD_HOST_PORT_c: '7002' })
  expect(variables).not.toHaveProperty('NOMAD_ALLOC_PORT_c')
  expect(variables).not.toHaveProperty('NOMAD_HOST_ADDR_c')
})
