/** An agent that takes long to find again what runs says so meanwhile: its host is not called silent. */
import { expect, test } from 'vitest'
import { jobFile, serviceShape } from './workload.js'
import { World } from './world.js'

const WEB = serviceShape({ id: 'web', count: 1 })

test('a host whose agent starts for longer than a TTL stays ready, and keeps what runs', async () => {
  const world = new World({ seed: 7, hosts: 1 })
  const [host] = world.hosts
  world.repository.commit({ 'agents/n1.hcl': 'class = "a"\n', 'jobs/web.nomad.json': jobFile(WEB) })
  world.startServer()
  host!.startAgent()
  await world.run(10_000)
  const before = [...host!.runningAllocations()]
  expect(before.length).toBe(1)
  host!.startMs = 25_000
  host!.crashAgent(100)
  await world.run(20_000)
  expect(world.durable.nodes.get(host!.nodeId)?.Status).toBe('ready')
  await world.run(20_000)
  expect([...host!.runningAllocations()]).toEqual(before)
})
