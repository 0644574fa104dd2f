/** How fast the loss of a host is made good, in virtual time: no load of the machine that runs this has a part in it. */
import { expect, test } from 'vitest'
import { jobFile, serviceShape } from './workload.js'
import { World } from './world.js'

const WEB = serviceShape({ id: 'web', count: 10 })
const LOOK_EVERY_MS = 250

async function running(hosts: number): Promise<World> {
  const world = new World({ seed: 5, hosts, isTtlBySize: true })
  const names = world.hosts.map((_, at) => String(at).padStart(3, '0'))
  const files = Object.fromEntries(names.map((name) => [`agents/host-${name}.hcl`, 'class = "a"\n']))
  world.repository.commit({ ...files, 'jobs/web.nomad.json': jobFile(WEB) })
  world.startServer()
  for (const host of world.hosts) host.startAgent()
  await world.run(20_000)
  expect(isWhole(world)).toBe(true)
  return world
}

/** As many run as are wanted, on hosts that live. */
function isWhole(world: World): boolean {
  const living = new Set(world.hosts.filter((host) => host.isAlive).map(({ nodeId }) => nodeId))
  const runs = world.durable.allocations.all().filter((row) => row.ClientStatus === 'running' && row.DesiredStatus === 'run')
  return runs.filter(({ NodeID }) => living.has(NodeID)).length === WEB.count
}

async function untilWhole(world: World, withinMs: number): Promise<number> {
  for (let passedMs = 0; passedMs <= withinMs; passedMs += LOOK_EVERY_MS) {
    if (isWhole(world)) return passedMs
    await world.run(LOOK_EVERY_MS)
  }
  return Number.POSITIVE_INFINITY
}

test('what a host ran when it died runs elsewhere within 12 seconds', async () => {
  const world = await running(50)
  const [allocation] = world.durable.allocations.all()
  world.hosts.find(({ nodeId }) => nodeId === allocation!.NodeID)!.die(undefined, false)
  expect(await untilWhole(world, 20_000)).toBeLessThanOrEqual(12_000)
})

test('hosts that are lost together are not replaced, and when they come back nothing was begun a second time', async () => {
  const world = await running(10)
  const before = world.durable.allocations.all().map(({ ID }) => ID)
  for (const host of world.hosts.slice(0, 6)) host.cutOff(60_000)
  await world.run(40_000)
  expect(world.durable.heldLosses.count).toBe(6)
  await world.run(60_000)
  expect(world.durable.heldLosses.count).toBe(0)
  expect(world.durable.allocations.all().map(({ ID }) => ID)).toEqual(before)
  expect(isWhole(world)).toBe(true)
})
