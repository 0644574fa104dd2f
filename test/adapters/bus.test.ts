/** What every bus promises (domain/ports.ts), tried on each of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { InProcessHub } from '../../src/adapters/in-process-bus/index.js'
import { connectNats } from '../../src/adapters/nats/index.js'
import { findNatsServer, type NatsServer, startNatsServer } from '../../src/adapters/nats/server-process.js'
import type { Bus, BusMessage } from '../../src/domain/index.js'

const LONG_MS = 20_000
const SHORT_MS = 50
const binary = findNatsServer()
const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (payload: Uint8Array) => new TextDecoder().decode(payload)

describe('in process', () => {
  let hub: InProcessHub
  beforeAll(() => {
    hub = new InProcessHub()
  })
  contract(async () => hub.connect())
})

describe.skipIf(binary === undefined)('NATS (skipped where no nats-server is installed)', () => {
  let broker: NatsServer
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drover-bus-'))
    broker = await startNatsServer({ binary: binary!, folder })
  })
  afterAll(async () => {
    await broker.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  contract(() => connectNats({ url: broker.url, tokenFile: broker.tokenFile, inboxPrefix: '_INBOX' }))

  test('loss and return of the broker are told, once each, and a ping tells whether it answers', async () => {
    const own = mkdtempSync(join(tmpdir(), 'drover-bus-'))
    const first = await startNatsServer({ binary: binary!, folder: own })
    const bus = await connectNats({ url: first.url, tokenFile: first.tokenFile, inboxPrefix: '_INBOX' })
    const heard: boolean[] = []
    bus.onConnectionChange((isConnected) => heard.push(isConnected))
    expect(await bus.ping(LONG_MS)).toBe(true)
    await first.stop()
    await expect.poll(() => heard, { timeout: LONG_MS }).toEqual([false])
    expect([bus.isConnected(), await bus.ping(LONG_MS)]).toEqual([false, false])
    const second = await startNatsServer({ binary: binary!, folder: own, port: Number(new URL(first.url).port) })
    try {
      await expect.poll(() => heard, { timeout: LONG_MS }).toEqual([false, true])
      expect(await bus.ping(LONG_MS)).toBe(true)
    } finally {
      await bus.close()
      await second.stop()
      rmSync(own, { recursive: true, force: true })
    }
  })

  test('a broker that runs already is found again', async () => {
    const again = await startNatsServer({ binary: binary!, folder })
    expect([again.wasRunning, again.url]).toEqual([true, broker.url])
  })
})

function contract(connect: () => Promise<Bus>): void {
  const open: Bus[] = []
  const join = async () => {
    const bus = await connect()
    open.push(bus)
    return bus
  }
  /** Two that are connected, where what the first subscribed to is known to reach the second. */
  const pair = async (subject: string, handler: (message: BusMessage) => void) => {
    const [here, there] = [await join(), await join()]
    const unsubscribe = here.subscribe(subject, handler)
    here.subscribe('test.ready', (message) => message.respond(bytes('')))
    await expect.poll(() => there.request('test.ready', bytes(''), LONG_MS).catch(() => undefined), { timeout: LONG_MS }).toBeDefined()
    return { there, unsubscribe }
  }
  afterEach(async () => {
    for (const bus of open.splice(0)) await bus.close()
  })
  const collect = async (stream: AsyncIterable<Uint8Array>) => {
    const parts: string[] = []
    for await (const part of stream) parts.push(textOf(part))
    return parts
  }
  const patience = (signal = new AbortController().signal, idleTimeoutMs = LONG_MS) => ({ signal, idleTimeoutMs })

  test.each([
    ['a.b.c', 'a.b.c', true],
    ['a.*.c', 'a.b.c', true],
    ['a.>', 'a.b.c', true],
    ['a.*', 'a.b.c', false],
    ['a.b.c', 'a.b', false],
    ['a.>', 'a', false],
  ])('a subscriber to %s hears of %s: %s', async (pattern, subject, isHeard) => {
    const heard: string[] = []
    const { there } = await pair(pattern, (message) => heard.push(`${message.subject} ${textOf(message.payload)}`))
    there.publish(subject, bytes('x'))
    // Answered after what was published before it.
    await there.request('test.ready', bytes(''), LONG_MS)
    expect(heard).toEqual(isHeard ? [`${subject} x`] : [])
  })

  test('who has unsubscribed hears nothing more', async () => {
    const heard: string[] = []
    const { there, unsubscribe } = await pair('a.b', (message) => heard.push(textOf(message.payload)))
    there.publish('a.b', bytes('1'))
    await expect.poll(() => heard, { timeout: LONG_MS }).toEqual(['1'])
    unsubscribe()
    there.publish('a.b', bytes('2'))
    await there.request('test.ready', bytes(''), LONG_MS)
    expect(heard).toEqual(['1'])
  })

  test('a request has the answer of whoever serves it', async () => {
    const { there } = await pair('echo.*', (message) => message.respond(bytes(`${message.subject} ${textOf(message.payload)}`)))
    expect(textOf(await there.request('echo.me', bytes('hi'), LONG_MS))).toBe('echo.me hi')
  })

  test('a request that nobody serves, or that is not answered, says so', async () => {
    const { there } = await pair('deaf', () => {})
    await expect(there.request('nobody', bytes(''), LONG_MS)).rejects.toMatchObject({ code: 'BUS_NO_RESPONDERS' })
    await expect(there.request('deaf', bytes(''), SHORT_MS)).rejects.toMatchObject({ code: 'BUS_TIMEOUT' })
  })

  test('what is more than the bus carries is refused by a value, and an answer or a part that is ends nothing', async () => {
    const tooLarge = new Uint8Array((await join()).messageBytesMax() + 1)
    const { there } = await pair('large', (message) => message.respond(tooLarge))
    expect(there.publish('large', tooLarge)).toBe(false)
    await expect(there.request('large', tooLarge, LONG_MS)).rejects.toMatchObject({ code: 'BUS_TOO_LARGE' })
    await expect(collect(there.requestStream('large', tooLarge, patience()))).rejects.toMatchObject({ code: 'BUS_TOO_LARGE' })
    await expect(there.request('large', bytes(''), SHORT_MS)).rejects.toMatchObject({ code: 'BUS_TIMEOUT' })
    const { there: reader } = await pair('stream', (message) => message.stream(tooLarge))
    await expect(collect(reader.requestStream('stream', bytes(''), patience()))).rejects.toMatchObject({ code: 'BUS_TOO_LARGE' })
  })

  test('an answer that nobody asked for ends nothing', async () => {
    let heard = 0
    const { there } = await pair('told', (message) => {
      heard++
      message.respond(bytes('thanks'))
      message.stream(bytes('thanks'))
      message.endStream()
    })
    expect(there.publish('told', bytes(''))).toBe(true)
    await expect.poll(() => heard, { timeout: LONG_MS }).toBe(1)
  })

  test('a closed bus says that it is closed', async () => {
    const bus = await join()
    await bus.close()
    expect(bus.isConnected()).toBe(false)
    bus.publish('a', bytes('lost'))
    await expect(bus.request('a', bytes(''), LONG_MS)).rejects.toMatchObject({ code: 'BUS_CLOSED' })
    await expect(collect(bus.requestStream('a', bytes(''), patience()))).rejects.toMatchObject({ code: 'BUS_CLOSED' })
  })

  test('a stream comes in order and ends', async () => {
    const { there } = await pair('count', (message) => void countTo(message, 500))
    expect(await collect(there.requestStream('count', bytes(''), patience()))).toEqual(Array.from({ length: 500 }, (_, at) => String(at)))
  })

  test('a stream that fails midway gives what came before, and the error of its responder', async () => {
    const { there } = await pair('fail', (message) => {
      message.stream(bytes('first'))
      message.endStream({ code: 'NO_SUCH_FILE', message: 'a: not\tthere, 100 %' })
    })
    const parts: string[] = []
    const reading = (async () => {
      for await (const part of there.requestStream('fail', bytes(''), patience())) parts.push(textOf(part))
    })()
    await expect(reading).rejects.toMatchObject({ code: 'NO_SUCH_FILE', message: 'a: not\tthere, 100 %' })
    expect(parts).toEqual(['first'])
  })

  test('a stream without a responder, and one that falls silent, say so', async () => {
    const { there } = await pair('mute', (message) => message.stream(bytes('x')))
    await expect(collect(there.requestStream('nobody', bytes(''), patience()))).rejects.toMatchObject({ code: 'BUS_NO_RESPONDERS' })
    const silent = collect(there.requestStream('mute', bytes(''), patience(undefined, SHORT_MS)))
    await expect(silent).rejects.toMatchObject({ code: 'BUS_TIMEOUT' })
  })

  test('a responder learns that its asker has gone', async () => {
    let gone: AbortSignal | undefined
    const { there } = await pair('forever', (message) => {
      gone = message.signal
      message.stream(bytes('x'))
    })
    const asker = new AbortController()
    for await (const part of there.requestStream('forever', bytes(''), patience(asker.signal))) {
      expect(textOf(part)).toBe('x')
      asker.abort()
    }
    await expect.poll(() => gone?.aborted, { timeout: LONG_MS }).toBe(true)
  })
}

async function countTo(message: BusMessage, end: number): Promise<void> {
  for (let at = 0; at < end; at++) {
    message.stream(bytes(String(at)))
    await message.drained()
  }
  message.endStream()
}
