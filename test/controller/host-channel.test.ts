/** What the server hears of its hosts: only they speak for themselves, and each thing once. */
import { expect, test } from 'vitest'
import { InProcessHub } from '../../src/adapters/in-process-bus/in-process-bus.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { encodeMessage, type HeartbeatRequest, openPart, type Seal, sealMessage, subjects } from '../../src/agent/index.js'
import { HostChannel, type HostQuestion } from '../../src/controller/host-channel.js'
import { JoinNonces } from '../../src/controller/join-nonces.js'
import type { Leader } from '../../src/controller/leader.js'
import { State } from '../../src/state/index.js'
import { settle } from '../agent/hand-clock.js'
import { fakeSigner, fakeVerify } from '../fake-keys.js'
import { node } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ManualClock } from './manual-clock.js'

const EPOCH = 5

function world() {
  const state = new State()
  state.clusterId = 'c'
  for (const name of ['a', 'b']) state.nodes.put(1, node({ ID: `node-${name}` }))
  const clock = new ManualClock()
  const hub = new InProcessHub(undefined, 4_000)
  const bus = hub.connect()
  const channel = new HostChannel({
    leader: { state, epoch: EPOCH } as Leader,
    bus,
    clock,
    logger: silentLogger,
    region: 'global',
    signer: fakeSigner('server'),
    verify: fakeVerify,
    nodeIdOf: (key) => `node-${key}`,
  })
  const heard: HostQuestion<'heartbeat'>[] = []
  channel.on('heartbeat', (question) => {
    heard.push(question)
    question.answer({
      clusterId: 'c',
      epoch: EPOCH,
      version: 1,
      index: 1,
      isKnown: true,
      isDeclared: true,
      heartbeatTtlMs: 1,
      serverKeys: ['server'],
    })()
  })
  const say = async (about: Partial<Seal> & { readonly key?: string; readonly on?: string; readonly version?: number } = {}) => {
    const { key = 'a', on = 'node-a', version = 1, ...over } = about
    const seal: Seal = {
      direction: 'to-server',
      kind: 'heartbeat',
      clusterId: 'c',
      epoch: EPOCH,
      nodeId: 'node-a',
      session: 's1',
      number: 1,
      ...over,
    }
    const message: HeartbeatRequest = { clusterId: seal.clusterId, epoch: seal.epoch, version }
    const [part] = sealMessage(fakeSigner(key), seal, encodeMessage('heartbeat', message), 4_000)
    const answer = hub
      .connect()
      .request(subjects('global').heartbeat(on), part!, 20)
      .catch(() => undefined)
    await settle()
    return answer
  }
  return { channel, heard, say, bus, state, clock }
}

test('a question is heard once, and its answer is for that question alone', async () => {
  const { channel, heard, say } = world()
  const answer = openPart((await say({ number: 3 }))!, fakeVerify)
  expect(answer).toMatchObject({
    signer: 'server',
    direction: 'to-host',
    kind: 'heartbeat-response',
    nodeId: 'node-a',
    session: 's1',
    number: 3,
    epoch: EPOCH,
  })
  expect(await say({ number: 3 })).toBeUndefined()
  expect(await say({ number: 2 })).toBeDefined()
  expect(heard.map(({ isFresh }) => isFresh)).toEqual([true, true])
  expect([...channel.dropped.counts]).toEqual([['replayed', 1]])
})

test.each([
  ['forged', { key: 'b' }],
  ['forged', { on: 'node-b' }],
  ['misdirected', { nodeId: 'node-b' }],
  ['misdirected', { direction: 'to-host' as const }],
  ['misdirected', { kind: 'pull' }],
])('what is %s is dropped and counted: %o', async (reason, about) => {
  const { channel, heard, say } = world()
  expect(await say(about)).toBeUndefined()
  expect(heard).toEqual([])
  expect([...channel.dropped.counts]).toEqual([[reason, 1]])
})

test('bytes that are no message are counted, and a question without an address to answer ends nothing', async () => {
  const { channel, heard, bus, say } = world()
  for (const bytes of [[], [1], [0xdf, 0xff, 0xff, 0xff, 0xff]]) bus.publish(subjects('global').heartbeat('node-a'), Uint8Array.from(bytes))
  await settle()
  expect([...channel.dropped.counts]).toEqual([['malformed', 3]])
  const seal: Seal = { direction: 'to-server', kind: 'heartbeat', clusterId: 'c', epoch: EPOCH, nodeId: 'node-a', session: 's1', number: 1 }
  const [part] = sealMessage(fakeSigner('a'), seal, encodeMessage('heartbeat', { clusterId: 'c', epoch: EPOCH, version: 1 }), 4_000)
  bus.publish(subjects('global').heartbeat('node-a'), part!)
  await settle()
  expect(heard).toHaveLength(1)
  expect(await say({ number: 2 })).toBeDefined()
})

test('what is of an earlier epoch or of another cluster is heard and does not count as said now', async () => {
  const { channel, heard, say } = world()
  await say({ epoch: EPOCH - 1 })
  await say({ clusterId: 'other', number: 2 })
  expect(heard.map(({ isFresh }) => isFresh)).toEqual([false, false])
  expect(channel.sessionOf('node-a')).toBeUndefined()
  await say({ number: 3 })
  expect(heard.at(-1)?.isFresh).toBe(true)
  expect(channel.sessionOf('node-a')).toBe('s1')
})

test('a new life of the agent ends what an earlier one has said', async () => {
  const { channel, heard, say } = world()
  await say()
  channel.beginSession('node-a', 's2')
  expect(await say({ number: 2 })).toBeUndefined()
  await say({ session: 's2' })
  expect(heard.map(({ session }) => session)).toEqual(['s1', 's2'])
  expect([...channel.dropped.counts]).toEqual([['stale', 1]])
})

test('a host that nobody knows opens no session, however it signs', async () => {
  const { channel, heard, say } = world()
  await say({ key: 'x', nodeId: 'node-x', on: 'node-x' })
  expect(heard.map(({ isFresh }) => isFresh)).toEqual([false])
  expect(channel.sessionOf('node-x')).toBeUndefined()
})

test('a set of any size leaves in parts that the bus carries', async () => {
  const { channel, bus } = world()
  const sizes: number[] = []
  bus.subscribe(subjects('global').desired('node-a'), ({ payload }) => sizes.push(payload.length))
  const entries = Array.from({ length: 500 }, (_, at) => [`allocation-${at}`, at, 'run'] as const)
  channel.sealSet('node-a', {
    clusterId: 'c',
    epoch: EPOCH,
    nodeId: 'node-a',
    version: 9,
    baseVersion: 0,
    count: 500,
    hash: '',
    entries,
    bodies: [],
    jobs: [],
  })()
  await settle()
  expect(sizes.length).toBeGreaterThan(2)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4_000)
})

test('a nonce is good once, for one key, and for a while; asking again does not spoil it', () => {
  const clock = new ManualClock()
  const nonces = new JoinNonces(clock, new SeededRandom(1))
  const nonce = nonces.give('a')
  expect(nonces.give('a')).toBe(nonce)
  expect([nonces.take('b', nonce), nonces.take('a', ''), nonces.take('a', nonce), nonces.take('a', nonce)]).toEqual([
    false,
    false,
    true,
    false,
  ])
  const late = nonces.give('a')
  clock.advance(31_000)
  expect(nonces.take('a', late)).toBe(false)
})
