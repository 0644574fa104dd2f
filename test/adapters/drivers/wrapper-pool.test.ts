/** Wrappers that wait for a run. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findWrappers } from '../../../src/adapters/supervisor/process-table.js'
import { isAlive, Supervised, until } from './supervised.js'

function waiting(world: Supervised): readonly number[] {
  return findWrappers(join(world.folder, 'ready')).map(({ pid }) => pid)
}

async function started(): Promise<Supervised> {
  const world = new Supervised()
  world.client.start()
  await until(() => waiting(world).length === 4)
  return world
}

test('a run takes a wrapper that waits, folder and all, and another comes after it', async () => {
  const world = await started()
  const before = waiting(world)
  await world.start('echo said; sleep 600')
  const [wrapper] = findWrappers(join(world.folder, 'runs'))
  expect(wrapper?.folder).toBe(join(world.folder, 'runs', 'run-1'))
  expect(before).toContain(wrapper?.pid)
  await until(() => waiting(world).length === 4 && world.log() === 'said\n')
})

test('more runs at once than wrappers wait', async () => {
  const world = await started()
  const runs = await Promise.all(Array.from({ length: 12 }, (_, at) => world.start('sleep 600', { runId: `many-${at}` })))
  expect(new Set(runs.map(({ pid }) => pid)).size).toBe(12)
  expect(runs.every(({ pid }) => isAlive(pid))).toBe(true)
})

test('one that somebody ends is not given to a run', async () => {
  const world = await started()
  const ended = waiting(world)
  for (const pid of ended) process.kill(pid, 'SIGKILL')
  await until(() => waiting(world).length === 4)
  await world.start('echo said')
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 0 })
  expect(world.log()).toBe('said\n')
})

test('those of a supervisor that was killed end with the next one, and a run goes on', async () => {
  const world = await started()
  const run = await world.start('sleep 600')
  const old = waiting(world)
  const oldFolders = readdirSync(join(world.folder, 'ready'))
  process.kill(world.supervisorPid(), 'SIGKILL')
  await world.client.ask('list', {})
  await until(() => old.every((pid) => !isAlive(pid)))
  expect(isAlive(run.pid)).toBe(true)
  await until(() => waiting(world).length === 4)
  const folders = readdirSync(join(world.folder, 'ready'))
  expect(oldFolders.filter((name) => folders.includes(name))).toEqual([])
})

test('a supervisor that has nothing to do leaves none behind', async () => {
  const world = await started()
  const old = waiting(world)
  expect(await world.client.ask('retire', {})).toEqual({ isRetiring: true })
  await until(() => old.every((pid) => !isAlive(pid)))
})
