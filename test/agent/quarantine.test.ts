/** What an agent cannot read of one allocation ends that one, which is told; everything else runs on. */
import { expect, test } from 'vitest'
import { MemoryLocalStore } from '../../src/agent/index.js'
import { AgentHarness, wanted } from './harness.js'

const FIRST = wanted(1).allocation.ID
const SECOND = wanted(2).allocation.ID

async function joined(): Promise<AgentHarness> {
  const harness = new AgentHarness()
  harness.server.wanted = [wanted(1), wanted(2)]
  await harness.start()
  await harness.settle()
  expect(harness.running()).toHaveLength(2)
  return harness
}

const KINDS: readonly (readonly [what: string, damage: (rows: Map<string, unknown>) => void])[] = [
  ['nothing of it can be read', (rows) => rows.set(`allocation/${FIRST}`, null)],
  ['it is no record', (rows) => rows.set(`allocation/${FIRST}`, 'zeros')],
  ['it is the record of another', (rows) => rows.set(`allocation/${FIRST}`, rows.get(`allocation/${SECOND}`))],
  ['it lacks a part', (rows) => rows.set(`allocation/${FIRST}`, { ...(rows.get(`allocation/${FIRST}`) as object), tasks: undefined })],
]

test.each(KINDS)('where %s, that one ends and is told as failed, and the other runs on', async (_, damage) => {
  const harness = await joined()
  await harness.kill()
  damage(harness.rows)
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.running()).toEqual([`${SECOND}/main/1`])
  const { ClientStatus, ClientDescription } = harness.server.lastReport(FIRST)!
  expect(ClientStatus).toBe('failed')
  expect(ClientDescription).toContain('what this host had written down of it cannot be read')
  expect(harness.server.lastReport(SECOND)?.ClientStatus).toBe('running')
  expect(harness.failures).toEqual([])
})

test('it is not begun again, also not in the next life, as long as somebody wants it', async () => {
  const harness = await joined()
  await harness.kill()
  harness.rows.set(`allocation/${FIRST}`, 'zeros')
  for (let life = 0; life < 2; life++) {
    await harness.start()
    harness.server.publish([wanted(1, { AllocModifyIndex: 100 + life }), wanted(2)])
    await harness.clock.advance(5_000)
    expect(harness.running()).toEqual([`${SECOND}/main/1`])
    await harness.kill()
  }
  await harness.start()
  harness.server.publish([wanted(2)])
  await harness.clock.advance(5_000)
  expect([...harness.rows.keys()].filter((key) => key.includes(FIRST))).toEqual([])
})

test('a damaged outbox and a damaged memory of the cluster cost no allocation', async () => {
  const harness = await joined()
  await harness.kill()
  harness.rows.set('agent', 7)
  harness.rows.set(`outbox/${FIRST}`, { report: null })
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.running()).toHaveLength(2)
  expect(harness.agent.isJoined).toBe(true)
})

test('what cannot be read is out of the way', async () => {
  const rows = new Map<string, unknown>([['allocation/x', 'zeros']])
  await new MemoryLocalStore(rows).setAside('allocation/x')
  expect(rows.size).toBe(0)
})
