/** Runs that a supervisor does not know of any more. */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findWrappers } from '../../../src/adapters/supervisor/process-table.js'
import { isAlive, Supervised, until } from './supervised.js'

test('what runs of a supervisor whose books were lost ends before anything new is started', async () => {
  const world = new Supervised()
  const lost = await world.start('sleep 600 & setsid sleep 600 & wait')
  const pids = await world.client.ask('pids', { runId: 'run-1' })
  process.kill(world.supervisorPid(), 'SIGKILL')
  rmSync(join(world.folder, 'runs'), { recursive: true })
  const next = await world.start('sleep 600', { runId: 'run-2' })
  expect(isAlive(next.pid)).toBe(true)
  expect(isAlive(lost.pid)).toBe(false)
  await until(() => pids.every((pid) => !isAlive(pid)))
})

test('a start of the same task under another number is the one that runs', async () => {
  const world = new Supervised()
  const first = await world.start('sleep 600', { runId: 'task-3', taskId: 'task' })
  const again = await world.start('sleep 600', { runId: 'task-1', taskId: 'task' })
  expect(again).toEqual(first)
  expect(await world.client.ask('list', {})).toEqual(['task-3'])
  await world.client.ask('kill', { runId: 'task-3' })
  await world.client.ask('wait', { runId: 'task-3' })
  expect((await world.start('sleep 600', { runId: 'task-4', taskId: 'task' })).pid).not.toBe(first.pid)
})

test('a supervisor whose folder is gone ends what runs there and itself', async () => {
  const world = new Supervised()
  const run = await world.start('sleep 600')
  const pid = world.supervisorPid()
  renameSync(world.folder, `${world.folder}-gone`)
  mkdirSync(world.folder, { mode: 0o700 })
  await until(() => !isAlive(run.pid) && !isAlive(pid))
  await until(() => findWrappers(`${world.folder}-gone`).length === 0)
  rmSync(`${world.folder}-gone`, { recursive: true })
  world.reconnect()
})
