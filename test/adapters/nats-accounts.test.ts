/** The accounts that `drover nats-config` prints, tried on a real broker. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, nkeyAuthenticator } from 'nats'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hostInbox, natsAuthorization, SERVER_INBOX } from '../../src/adapters/nats/accounts.js'
import { connectNats, type NatsBus } from '../../src/adapters/nats/index.js'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { loadOrCreate, nodeIdOfKey, type StoredKey } from '../../src/adapters/node-key.js'
import { QUESTION_KINDS, subjects } from '../../src/agent/index.js'

const LONG_MS = 20_000
const binary = findNatsServer()
const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (payload: Uint8Array) => new TextDecoder().decode(payload)
const subject = subjects('global')

describe.skipIf(binary === undefined)('accounts of a broker (skipped where no nats-server is installed)', () => {
  let folder: string
  let broker: ChildProcess
  let url: string
  let server: StoredKey
  let hosts: readonly { readonly name: string; readonly publicKey: string; readonly nodeId: string; readonly seedFile: string }[]

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drover-accounts-'))
    server = loadOrCreate(join(folder, 'server.nk'))
    hosts = ['a', 'b'].map((name) => {
      const { publicKey, seedFile } = loadOrCreate(join(folder, `${name}.nk`))
      return { name, publicKey, seedFile, nodeId: nodeIdOfKey(publicKey) }
    })
    const accounts = natsAuthorization({ region: 'global', serverKeys: [server.publicKey], hosts })
    writeFileSync(join(folder, 'nats.conf'), `listen: "127.0.0.1:-1"\nports_file_dir: "${folder}"\n${accounts}`)
    broker = spawn(binary!, ['-c', join(folder, 'nats.conf')], { stdio: 'ignore' })
    for (let found: string | undefined; found === undefined; url = found ?? '') {
      await new Promise((resolve) => setTimeout(resolve, 10))
      found = readUrl(folder)
    }
  })
  afterAll(async () => {
    const ended = new Promise((resolve) => broker.once('exit', resolve))
    broker.kill()
    await ended
    rmSync(folder, { recursive: true, force: true })
  })

  async function asServer(): Promise<NatsBus> {
    return opened(await connectNats({ url, seedFile: server.seedFile, inboxPrefix: SERVER_INBOX }))
  }

  async function asHost(number: number): Promise<NatsBus> {
    const { seedFile, nodeId } = hosts[number]!
    return opened(await connectNats({ url, seedFile, inboxPrefix: hostInbox(nodeId) }))
  }

  function opened(bus: NatsBus): NatsBus {
    onTestFinished(() => bus.close())
    return bus
  }

  test('a host asks, is answered and told, and answers calls in as many parts as it likes', async () => {
    const [bus, host] = [await asServer(), await asHost(0)]
    const { nodeId } = hosts[0]!
    for (const kind of QUESTION_KINDS) {
      bus.subscribe(subject[kind]('*'), (message) => message.respond(bytes(`${kind} of ${message.subject.split('.')[3]}`)))
      await expect
        .poll(() => host.request(subject[kind](nodeId), bytes(''), 500).then(textOf, () => ''), { timeout: LONG_MS })
        .toBe(`${kind} of ${nodeId}`)
    }
    const told: string[] = []
    for (const what of [subject.desired(nodeId), subject.answer(nodeId)]) host.subscribe(what, (message) => told.push(message.subject))
    let gone: AbortSignal | undefined
    host.subscribe(subject.rpc(nodeId, 'logs'), (message) => {
      gone = message.signal
      for (let part = 0; part < 300; part++) message.stream(bytes(String(part)))
      if (textOf(message.payload) === 'end') message.endStream()
    })
    await expect
      .poll(
        () => {
          bus.publish(subject.desired(nodeId), bytes(''))
          bus.publish(subject.answer(nodeId), bytes(''))
          return new Set(told).size
        },
        { timeout: LONG_MS },
      )
      .toBe(2)
    const signal = new AbortController()
    const collect = async (request: string, until: number) => {
      const parts: string[] = []
      for await (const part of bus.requestStream(subject.rpc(nodeId, 'logs'), bytes(request), {
        idleTimeoutMs: LONG_MS,
        signal: signal.signal,
      })) {
        parts.push(textOf(part))
        if (parts.length === until) break
      }
      return parts.length
    }
    expect(await collect('end', 1_000)).toBe(300)
    expect(await collect('on', 5)).toBe(5)
    await expect.poll(() => gone?.aborted, { timeout: LONG_MS }).toBe(true)
  })

  test('a host neither hears nor speaks for another, nor for the server', async () => {
    const [bus, other] = [await asServer(), await asHost(1)]
    const { nodeId } = hosts[0]!
    const heard: string[] = []
    for (const what of [
      '>',
      subject.desired(nodeId),
      subject.desired('*'),
      subject.heartbeat('*'),
      '_INBOX.>',
      subject.rpc(nodeId, 'logs'),
    ])
      other.subscribe(what, (message) => heard.push(message.subject))
    const spoken: string[] = []
    bus.subscribe(subject.report('*'), (message) => spoken.push(message.subject))
    const own = hosts[1]!.nodeId
    await expect
      .poll(
        () => {
          for (const what of [subject.report(nodeId), subject.desired(own), subject.report(own)]) other.publish(what, bytes('x'))
          for (const what of [subject.desired(nodeId), subject.rpc(nodeId, 'logs')]) bus.publish(what, bytes('secret'))
          return spoken.length
        },
        { timeout: LONG_MS },
      )
      .toBeGreaterThan(3)
    expect(new Set(spoken)).toEqual(new Set([subject.report(own)]))
    expect(heard).toEqual([])
  })

  test('who has no key of theirs is not let in', async () => {
    const stranger = loadOrCreate(join(folder, 'stranger.nk'))
    const seed = new Uint8Array(readFileSync(stranger.seedFile))
    await expect(connect({ servers: url, authenticator: nkeyAuthenticator(seed), reconnect: false })).rejects.toThrow(/Authorization/)
    await expect(connect({ servers: url, reconnect: false })).rejects.toThrow(/Authorization/)
  })
})

function readUrl(folder: string): string | undefined {
  const file = readdirSync(folder).find((name) => name.endsWith('.ports'))
  if (file === undefined || !existsSync(join(folder, file))) return undefined
  return /"nats":\s*\[\s*"([^"]+)"/.exec(readFileSync(join(folder, file), 'utf8'))?.[1]
}
