import { expect, test } from 'vitest'
import { allocation, job } from '../fixtures.js'
import { World } from './world.js'

/** Enough for a request to have begun to wait. */
async function untilWaiting(world: World, waiters: number): Promise<void> {
  while (world.changes.waiterCount < waiters) await new Promise((resolve) => setImmediate(resolve))
}

function placed(world: World, createIndex: number, over: Parameters<typeof allocation>[0] = {}): number {
  return world.change((state, index) =>
    state.allocations.put(index, { ...allocation({ JobCreateIndex: createIndex, ...over }), CreateIndex: index, ModifyIndex: index }),
  )
}

test('a read with an older index is answered at once', async () => {
  const world = new World()
  const web = world.register(job())
  placed(world, web.CreateIndex)
  const { status, headers } = await world.get('/v1/job/web/allocations?index=1&wait=5m')
  expect([status, headers['x-nomad-index']]).toEqual([200, '2'])
})

test('a read with the current index waits for a change of its own rows and tells the new index', async () => {
  const world = new World()
  const web = world.register(job())
  const other = world.register(job({ ID: 'other' }))
  const index = placed(world, web.CreateIndex)
  const waiting = world.get(`/v1/job/web/allocations?index=${index}&wait=5m`)
  await untilWaiting(world, 1)
  placed(world, other.CreateIndex, { JobID: 'other', ID: '000000b0-0000-4000-8000-0000000000ff' })
  expect(world.changes.waiterCount).toBeGreaterThan(0)
  const newest = placed(world, web.CreateIndex, { ClientStatus: 'running' })
  const { text, headers } = await waiting
  expect(headers['x-nomad-index']).toBe(String(newest))
  expect(JSON.parse(text)).toMatchObject([{ ClientStatus: 'running' }])
  expect(world.changes.waiterCount).toBe(0)
})

test('a read that waits in vain is answered with what there is, and the index stays', async () => {
  const world = new World()
  world.register(job())
  const { status, headers } = await world.get('/v1/job/web?index=1&wait=20ms')
  expect([status, headers['x-nomad-index']]).toEqual([200, '1'])
})

test('a job that is missing can be waited for', async () => {
  const world = new World()
  world.register(job({ ID: 'other' }))
  const waiting = world.get('/v1/job/web?index=1&wait=5m')
  await untilWaiting(world, 1)
  world.register(job())
  expect(await waiting).toMatchObject({ status: 200 })
})

test('a client that goes away leaves nothing waiting', async () => {
  const world = new World()
  world.register(job())
  const address = await world.http.listen({ host: '127.0.0.1', port: 0 })
  const leaving = new AbortController()
  const waiting = fetch(`${address}/v1/jobs?index=1&wait=5m`, { signal: leaving.signal })
  await untilWaiting(world, 2)
  leaving.abort()
  await expect(waiting).rejects.toThrow()
  while (world.changes.waiterCount > 0) await new Promise((resolve) => setImmediate(resolve))
  await world.http.close()
})

test('the scheduler configuration never waits', async () => {
  const { status } = await new World().get('/v1/operator/scheduler/configuration?index=999999&wait=5m')
  expect(status).toBe(200)
})
