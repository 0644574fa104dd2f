import { expect, test } from 'vitest'
import { HeartbeatMonitor } from '../../src/controller/heartbeat-monitor.js'
import { ManualClock } from './manual-clock.js'

/** A broker that can be away, noticed or not. */
class ManualBroker {
  isThere = true
  isLossNoticed = true
  readonly #watchers = new Set<(isConnected: boolean) => void>()

  isConnected = () => this.isThere || !this.isLossNoticed

  onConnectionChange = (handler: (isConnected: boolean) => void) => {
    this.#watchers.add(handler)
    return () => void this.#watchers.delete(handler)
  }

  /** What holds up its answers. */
  pause: Promise<void> = Promise.resolve()

  ping = async () => {
    await this.pause
    return this.isThere
  }

  set(isThere: boolean): void {
    this.isThere = isThere
    if (this.isLossNoticed) for (const watcher of this.#watchers) watcher(isThere)
  }
}

function monitor() {
  const clock = new ManualClock()
  const broker = new ManualBroker()
  const silent: string[] = []
  const missing: number[] = []
  const beats = new HeartbeatMonitor(clock, broker, { ttlMs: () => 10_000, tickMs: 1_000 }, (nodeIds, missed) => {
    silent.push(...nodeIds)
    missing.push(missed)
  })
  /** Second by second, with the broker's answer after each. */
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500)
      await null
      await null
    }
  }
  return { clock, broker, silent, missing, beats, advance }
}

test('a node is called silent once, after its whole TTL', async () => {
  const { silent, beats, advance } = monitor()
  beats.heard('n1')
  await advance(9_000)
  expect(silent).toEqual([])
  await advance(2_000)
  expect(silent).toEqual(['n1'])
  await advance(60_000)
  expect(silent).toEqual(['n1'])
})

test('a node that is heard in time is never called silent', async () => {
  const { silent, beats, advance } = monitor()
  for (let round = 0; round < 20; round++) {
    beats.heard('n1')
    await advance(8_000)
  }
  expect(silent).toEqual([])
})

test('a pause within a question to the broker is one, too, though its answer is heard before the next tick', async () => {
  const { clock, broker, silent, beats, advance } = monitor()
  beats.heard('n1')
  let resume = () => {}
  broker.pause = new Promise((resolve) => {
    resume = resolve
  })
  await advance(1_000)
  clock.nowMs += 30_000
  resume()
  await broker.pause
  for (let turn = 0; turn < 4; turn++) await null
  expect(silent).toEqual([])
  await advance(500)
  expect(silent).toEqual([])
  await advance(8_500)
  expect(silent).toEqual([])
  await advance(3_000)
  expect(silent).toEqual(['n1'])
})

test('after a pause of the server itself everyone has one full TTL, whatever was left of it and whatever the pause', async () => {
  const { clock, silent, beats, advance } = monitor()
  beats.heard('n1')
  await advance(9_500)
  clock.sleep(600_000)
  await advance(9_000)
  expect(silent).toEqual([])
  await advance(2_000)
  expect(silent).toEqual(['n1'])
})

test('a node whose last words were waiting when the server woke has one TTL from then', async () => {
  const { clock, silent, beats, advance } = monitor()
  clock.nowMs += 600_000
  beats.heard('n1')
  clock.sleep(0)
  await advance(11_000)
  expect(silent).toEqual(['n1'])
})

test('a node that was forgotten is not spoken of again', async () => {
  const { silent, beats, advance } = monitor()
  beats.heard('n1')
  beats.forget('n1')
  await advance(60_000)
  expect(silent).toEqual([])
})

test.each([
  ['noticed', true],
  ['unnoticed, because it only stands still', false],
])('while the broker is away, %s, nobody is silent, and everyone has one full TTL afterwards', async (_, isNoticed) => {
  const { broker, silent, beats, advance } = monitor()
  broker.isLossNoticed = isNoticed
  beats.heard('n1')
  await advance(9_000)
  broker.set(false)
  await advance(60_000)
  broker.set(true)
  await advance(8_000)
  expect(silent).toEqual([])
  await advance(14_000)
  expect(silent).toEqual(['n1'])
})

test('a broker that was away for a moment between two looks counts too', async () => {
  const { broker, silent, beats, advance } = monitor()
  beats.heard('n1')
  await advance(9_500)
  broker.set(false)
  broker.set(true)
  await advance(9_000)
  expect(silent).toEqual([])
  await advance(3_000)
  expect(silent).toEqual(['n1'])
})

test('whoever has missed most of its beats is counted with the first that are silent', async () => {
  const { silent, missing, beats, advance } = monitor()
  beats.heard('n1')
  await advance(1_500)
  for (const name of ['n2', 'n3']) beats.heard(name)
  await advance(6_000)
  beats.heard('n4')
  await advance(3_000)
  expect([silent, missing]).toEqual([['n1'], [2]])
})
