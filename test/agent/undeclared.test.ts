/** A host whose own server does not let it in because it is not declared any more (its replacements run elsewhere by now). */
import { expect, test } from 'vitest'
import type { RegisterResponse } from '../../src/agent/index.js'
import { AgentHarness, CLUSTER, wanted } from './harness.js'

async function refused(over: { stopTasksAfterMs: number | null } = { stopTasksAfterMs: 60_000 }): Promise<AgentHarness> {
  const harness = new AgentHarness()
  harness.server.wanted = [wanted(1)]
  await harness.start()
  expect(harness.running()).toHaveLength(1)
  await harness.kill()
  const answer: RegisterResponse = {
    clusterId: CLUSTER,
    epoch: 1,
    kind: 'refused',
    reason: 'no host with the key',
    remedy: 'commit it',
    ...over,
  }
  harness.server.answerRegister = () => answer
  await harness.start()
  return harness
}

test('its tasks run on for a while, and are stopped then', async () => {
  const harness = await refused()
  await harness.clock.advance(55_000)
  expect(harness.running()).toHaveLength(1)
  await harness.clock.advance(15_000)
  expect(harness.running()).toEqual([])
  expect(harness.refusals.at(-1)).toBeDefined()
  expect(harness.refusals).toContainEqual(expect.stringContaining('its tasks are stopped'))
})

test('what it has forgotten of is stopped, too', async () => {
  const harness = await refused()
  const [claimed] = harness.host.running()
  harness.host.start({ ...claimed!, runId: 'forgotten', allocationId: 'somebody-else' })
  await harness.clock.advance(70_000)
  expect(harness.running()).toEqual([])
})

test('a host that is declared again in time keeps what it runs', async () => {
  const harness = await refused()
  await harness.clock.advance(55_000)
  const before = harness.running()
  harness.server.answerRegister = () => harness.server.accepted()
  await harness.clock.advance(10_000)
  harness.server.answerRegister = () => ({
    clusterId: CLUSTER,
    epoch: 1,
    kind: 'refused',
    reason: '',
    remedy: '',
    stopTasksAfterMs: 60_000,
  })
  await harness.clock.advance(30_000)
  expect(harness.running()).toEqual(before)
})

test('whoever refuses for another reason, or is not its server, stops nothing', async () => {
  const other = await refused({ stopTasksAfterMs: null })
  await other.clock.advance(300_000)
  expect(other.running()).toHaveLength(1)
  const stranger = await refused()
  stranger.server.key = 'somebody'
  await stranger.clock.advance(300_000)
  expect(stranger.running()).toHaveLength(1)
})

test('silence stops nothing', async () => {
  const harness = await refused()
  await harness.clock.advance(30_000)
  harness.server.isSilent = true
  await harness.clock.advance(600_000)
  expect(harness.running()).toHaveLength(1)
})
