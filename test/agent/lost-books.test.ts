/** An agent whose books are gone: what is wanted is found again, what nobody claims ends, and nothing ever runs twice. */
import { expect, test } from 'vitest'
import type { Job } from '../../src/domain/index.js'
import { AgentHarness, mockTask, wanted } from './harness.js'

async function joined(...numbers: number[]): Promise<AgentHarness> {
  const harness = new AgentHarness()
  harness.server.wanted = numbers.map((number) => wanted(number))
  await harness.start()
  await harness.settle()
  return harness
}

async function loseBooks(harness: AgentHarness): Promise<void> {
  await harness.kill()
  harness.rows.clear()
}

test('what is wanted is found again, and nothing is started beside it', async () => {
  const harness = await joined(1, 2)
  const before = harness.running()
  await loseBooks(harness)
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.running()).toEqual(before)
  expect([...harness.folders]).toHaveLength(2)
})

test('what is not wanted any more ends, and its folders go', async () => {
  const harness = await joined(1, 2)
  await loseBooks(harness)
  harness.server.wanted = [wanted(2)]
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.running()).toHaveLength(1)
  expect([...harness.folders]).toEqual([wanted(2).allocation.ID])
})

test('nothing is ended before the server has said what is wanted', async () => {
  const harness = await joined(1, 2)
  const before = harness.running()
  await loseBooks(harness)
  harness.server.isSilent = true
  await harness.start()
  await harness.clock.advance(300_000)
  expect(harness.running()).toEqual(before)
  expect([...harness.folders]).toHaveLength(2)
})

test('a task that was started several times is found again, too', async () => {
  const harness = new AgentHarness()
  const restarting = wanted(1, {}, [
    mockTask({
      Config: { run_for: '1s', exit_code: 1 },
      RestartPolicy: { Attempts: 3, Delay: 1e9, Interval: 600e9, Mode: 'delay' } as never,
    }),
  ])
  harness.server.wanted = [restarting]
  await harness.start()
  await harness.clock.advance(2_500)
  expect(harness.host.running().map(({ attempt }) => attempt)).toEqual([2])
  const before = harness.running()
  await loseBooks(harness)
  await harness.start()
  await harness.settle()
  expect(harness.running()).toEqual(before)
})

test('what comes to light later is ended within a minute', async () => {
  const harness = await joined(1)
  const [claimed] = harness.host.running()
  harness.host.start({ ...claimed!, runId: 'forgotten', allocationId: 'somebody-else' })
  expect(harness.running()).toHaveLength(2)
  await harness.clock.advance(61_000)
  expect(harness.running()).toEqual([claimed!.runId])
})

test('of a job with many groups the books hold the one that runs here, and that is enough for another life', async () => {
  const harness = new AgentHarness()
  const { allocation, job } = wanted(1)
  const others = Array.from({ length: 50 }, (_, at) => ({ ...job.TaskGroups[0]!, Name: `other-${at}` }))
  harness.server.wanted = [{ allocation, job: { ...job, TaskGroups: [...others, ...job.TaskGroups] } }]
  await harness.start()
  await harness.settle()
  const before = harness.running()
  await harness.kill()
  const book = harness.rows.get(`allocation/${allocation.ID}`) as { readonly job: Job }
  expect(book.job.TaskGroups.map(({ Name }) => Name)).toEqual([allocation.TaskGroup])
  harness.server.isSilent = true
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.running()).toEqual(before)
})
