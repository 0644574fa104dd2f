/** A host without room: what runs there runs on, nothing new begins, and the server is told. */
import { expect, test } from 'vitest'
import { AgentHarness, wanted } from './harness.js'

async function joined(): Promise<AgentHarness> {
  const harness = new AgentHarness({ Drivers: { mock_driver: driver() } })
  harness.server.wanted = [wanted(1)]
  await harness.start()
  return harness
}

function driver() {
  return { Attributes: {}, Detected: true, Healthy: true, HealthDescription: 'Healthy', UpdateTime: '' }
}

function toldOf(harness: AgentHarness): string {
  const { Healthy, HealthDescription } = harness.server.registered!.node.Drivers['mock_driver']!
  return `${Healthy} ${HealthDescription}`
}

test('a full disk ends nothing, takes nothing new until there is room, and is told to the server both times', async () => {
  const harness = await joined()
  const before = harness.running()
  harness.diskProblem = 'the disk is full'
  await harness.clock.advance(3_000)
  expect(toldOf(harness)).toBe('false the disk is full')
  harness.server.publish([wanted(1), wanted(2)])
  await harness.clock.advance(10_000)
  expect(harness.running()).toEqual(before)
  harness.diskProblem = null
  await harness.clock.advance(3_000)
  expect(toldOf(harness)).toBe('true Healthy')
  expect(harness.running()).toHaveLength(2)
})

test('what is to end ends on a full disk, too', async () => {
  const harness = await joined()
  harness.diskProblem = 'the disk is full'
  await harness.clock.advance(3_000)
  harness.server.publish([])
  await harness.clock.advance(10_000)
  expect(harness.running()).toEqual([])
})

test('an agent that starts on a full disk finds its tasks again, says so when it joins, and ends nothing', async () => {
  const harness = await joined()
  const before = harness.running()
  await harness.kill()
  harness.diskProblem = 'the disk is full'
  await harness.start()
  await harness.clock.advance(10_000)
  expect(harness.running()).toEqual(before)
  expect(toldOf(harness)).toBe('false the disk is full')
})
