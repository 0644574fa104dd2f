/** What a host hears: only its own server, only what is meant for it now, and each thing once. */
import { describe, expect, test } from 'vitest'
import {
  callKind,
  DroppedMessage,
  encodeValue,
  openPart,
  Reassembly,
  ReplayWindow,
  type Seal,
  sealMessage,
  subjects,
} from '../../src/agent/index.js'
import { fakeSigner, fakeVerify } from '../fake-keys.js'
import { settle } from './hand-clock.js'
import { AgentHarness, CLUSTER, wanted } from './harness.js'

const signer = fakeSigner('key')
const seal: Seal = { direction: 'to-host', kind: 'desired', clusterId: 'c', epoch: 3, nodeId: 'n', session: 's', number: 7 }

describe('parts', () => {
  test.each([0, 1, 999, 1_000, 1_001, 50_000])('a body of %i bytes is cut, and whole again from its parts in any order', (size) => {
    const body = Uint8Array.from({ length: size }, (_, at) => at % 251)
    const sent = sealMessage(signer, seal, body, 2_024)
    expect(sent.length).toBe(Math.max(1, Math.ceil(size / 1_000)))
    for (const part of sent) expect(part.length).toBeLessThanOrEqual(2_024)
    const parts = new Reassembly()
    const opened = sent.map((part) => openPart(part, fakeVerify))
    const whole = [...opened.slice(1), ...opened.slice(1), opened[0]!].map((part) => parts.add(part)).at(-1)
    expect(whole).toEqual(body)
    expect(parts.isEmpty).toBe(true)
  })

  test('any change of a byte is noticed', () => {
    const [sent] = sealMessage(signer, seal, Uint8Array.from([1, 2, 3]), 10_000)
    for (let at = 0; at < sent!.length; at++) {
      const changed = Uint8Array.from(sent!)
      changed[at]! ^= 1
      expect(() => openPart(changed, fakeVerify), `byte ${at}`).toThrow(DroppedMessage)
    }
  })

  test('what is never whole is not kept for ever', () => {
    const parts = new Reassembly()
    const first = (number: number) => openPart(sealMessage(signer, { ...seal, number }, new Uint8Array(5_000), 2_024)[0]!, fakeVerify)
    for (let number = 1; number <= 100; number++) parts.add(first(number))
    const rest = sealMessage(signer, { ...seal, number: 1 }, new Uint8Array(5_000), 2_024).slice(1)
    expect(rest.map((part) => parts.add(openPart(part, fakeVerify))).filter(Boolean)).toEqual([])
  })

  test('numbers are heard once, a little out of order, and never from far behind', () => {
    const window = new ReplayWindow('s')
    expect([2, 1, 2, 1, 400, 399, 399, 3].map((number) => window.accept(number))).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
      false,
      false,
    ])
  })
})

async function joined(): Promise<AgentHarness> {
  const harness = new AgentHarness()
  harness.server.wanted = [wanted(1)]
  await harness.start()
  await settle()
  expect(harness.running()).toHaveLength(1)
  return harness
}

describe('a host', () => {
  test.each([
    ['signed by somebody else', { key: 'somebody' }, {}],
    ['for another node', { nodeId: 'node-2' }, {}],
    ['in the wrong direction', { direction: 'to-server' as const }, {}],
    ['sealed as something else', { kind: 'pull-response' }, {}],
    ['of another cluster', {}, { clusterId: 'cluster-2' }],
    ['of an older epoch', {}, { epoch: 0 }],
    ['whose seal says another epoch', { epoch: 9 }, {}],
    ['whose seal says another version', { number: 12 }, {}],
  ])('heeds no set that is %s', async (_, over, message) => {
    const harness = await joined()
    const { server } = harness
    const set = { ...server.set(), version: 100, entries: [], count: 0, hash: '0000000000000000', bodies: [], jobs: [], ...message }
    for (const part of server.seal('desired', set, { session: '', number: set.version }, over)) server.sendBytes(part)
    await settle()
    expect(harness.running()).toHaveLength(1)
    // And goes on to hear its own server, whatever epoch the other spoke of.
    server.publish([wanted(1), wanted(2)])
    await settle()
    expect(harness.running()).toHaveLength(2)
  })

  test('is not impressed by bytes that are no message', async () => {
    const harness = await joined()
    for (const bytes of [
      [],
      [0xc1],
      [1, 2, 3],
      [...encodeValue([2, 'a', 'b', 'c'])],
      [...encodeValue({ clusterId: CLUSTER, epoch: 2 ** 40 })],
    ])
      harness.server.sendBytes(Uint8Array.from(bytes))
    await settle()
    harness.server.publish([])
    await settle()
    expect(harness.running()).toEqual([])
    expect(harness.failures).toEqual([])
  })

  test('keeps to the key of the server that let it in, and says at once that another answers', async () => {
    const harness = await joined()
    harness.server.key = 'usurper'
    harness.server.publish([])
    await harness.clock.advance(2_000)
    expect(harness.running()).toHaveLength(1)
    expect(harness.refusals).toEqual([expect.stringContaining('the server that answers has the key usurper')])
    await harness.kill()
    await harness.start()
    await harness.clock.advance(2_000)
    expect(harness.agent.isJoined).toBe(false)
    harness.server.key = 'server-key'
    await harness.clock.advance(20_000)
    expect(harness.agent.isJoined).toBe(true)
  })

  test('learns the next key of its server from a heartbeat, and believes it when its time has come', async () => {
    const harness = await joined()
    harness.server.nextKeys = ['of-tomorrow']
    await harness.clock.advance(2_000)
    harness.server.key = 'of-tomorrow'
    harness.server.nextKeys = []
    harness.server.publish([wanted(1), wanted(2)])
    await harness.clock.advance(2_000)
    expect(harness.running()).toHaveLength(2)
    expect(harness.refusals).toEqual([])
    // The one of yesterday is over.
    harness.server.key = 'server-key'
    harness.server.publish([])
    await harness.clock.advance(2_000)
    expect(harness.running()).toHaveLength(2)
  })

  test('that was told a key believes no other, not even before it joined', async () => {
    const harness = new AgentHarness()
    harness.serverKeys = ['the-right-one']
    await harness.start()
    await harness.clock.advance(10_000)
    expect(harness.agent.isJoined).toBe(false)
    harness.server.key = 'the-right-one'
    await harness.clock.advance(20_000)
    expect(harness.agent.isJoined).toBe(true)
  })

  test('says at once that another cluster answers its heartbeats', async () => {
    const harness = await joined()
    harness.server.clusterId = 'cluster-2'
    await harness.clock.advance(2_000)
    expect(harness.refusals).toEqual([expect.stringContaining('belongs to cluster cluster-2, this host to cluster cluster-1')])
    expect(harness.running()).toHaveLength(1)
  })
})

describe('a call', () => {
  /** Restarts the only task, which a host does once for each call that it believes. */
  async function call(harness: AgentHarness, over: Partial<Seal> & { readonly key?: string } = {}, times = 1): Promise<string> {
    const { server, node } = harness
    const { key = server.key, ...about } = over
    const session = harness.sessionHeard()
    const of: Seal = {
      direction: 'to-host',
      kind: callKind('restart'),
      clusterId: CLUSTER,
      epoch: 1,
      nodeId: node.ID,
      session,
      number: 1,
      ...about,
    }
    const request = { allocationId: wanted(1).allocation.ID, allTasks: false }
    const [part] = sealMessage(fakeSigner(key), of, encodeValue(request), 100_000)
    for (let time = 0; time < times; time++) server.bus.publish(subjects('global').rpc(node.ID, 'restart'), part!)
    await settle()
    return harness.running().join()
  }

  test('is carried out once, however often it is sent', async () => {
    const harness = await joined()
    const before = harness.running().join()
    await call(harness)
    await harness.clock.advance(30_000)
    const after = harness.running().join()
    expect(after).not.toBe(before)
    await call(harness, {}, 3)
    await harness.clock.advance(30_000)
    expect(harness.running().join()).toBe(after)
  })

  test.each([
    ['signed by somebody else', { key: 'somebody' }],
    ['for another life of the agent', { session: 'earlier' }],
    ['for another node', { nodeId: 'node-2' }],
    ['that is another one', { kind: callKind('signal') }],
    ['of another cluster', { clusterId: 'cluster-2' }],
    ['of an older epoch', { epoch: 0 }],
  ])('%s is not carried out', async (_, over) => {
    const harness = await joined()
    const before = harness.running().join()
    await call(harness, over)
    await harness.clock.advance(30_000)
    expect(harness.running().join()).toBe(before)
  })
})
