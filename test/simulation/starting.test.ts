/** An agent that takes long to find again what runs, or to join, says so meanwhile: its host is not called silent. */
import { expect, test } from 'vitest'
import { jobFile, serviceShape } from './workload.js'
import { World } from './world.js'

const WEB = serviceShape({ id: 'web', count: 1 })

/** One host on which `web` runs. */
async function hostWithWeb(seed: number) {
  const world = new World({ seed, hosts: 1 })
  const host = world.hosts[0]!
  world.repository.commit({ 'agents/n1.hcl': 'class = "a"\n', 'jobs/web.nomad.json': jobFile(WEB) })
  world.startServer()
  host.startAgent()
  await world.run(10_000)
  return { world, host, before: [...host.runningAllocations()] }
}

test('a host whose agent starts for longer than a TTL stays ready, and keeps what runs', async () => {
  const { world, host, before } = await hostWithWeb(7)
  expect(before.length).toBe(1)
  host.startMs = 25_000
  host.crashAgent(100)
  await world.run(20_000)
  expect(world.durable.nodes.get(host.nodeId)?.Status).toBe('ready')
  await world.run(20_000)
  expect([...host.runningAllocations()]).toEqual(before)
})

test.each([
  ['whose agent was started', (world: World) => world.hosts[0]!.crashAgent(100)],
  ['whose file has changed', (world: World) => void world.repository.commit({ 'agents/n1.hcl': 'class = "b"\n' })],
])('a host %s and that cannot join for longer than a TTL stays ready, and joins', async (_, begin) => {
  const { world, host, before } = await hostWithWeb(8)
  world.network.faults.lostKind = 'register'
  begin(world)
  await world.run(25_000)
  // Who leads next has heard nothing of it before.
  world.crashServer(100)
  await world.run(25_000)
  expect(world.durable.nodes.get(host.nodeId)?.Status).toBe('ready')
  world.network.faults.lostKind = ''
  world.repository.commit({ 'jobs/web.nomad.json': jobFile({ ...WEB, generation: 2 }) })
  await world.run(20_000)
  expect(host.runningAllocations().size).toBe(1)
  expect([...host.runningAllocations()]).not.toEqual(before)
})
