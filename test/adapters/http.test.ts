/** The HTTP server among clients that mean it harm, or mean well and are slow. */
import { EventEmitter } from 'node:events'
import { type Agent, get, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createHostCheck } from '../../src/adapters/http/allowed-hosts.js'
import { RequestBodies } from '../../src/adapters/http/request-body.js'
import type { HttpDeps } from '../../src/adapters/http/server.js'
import { World } from '../api/world.js'
import { allocation, job, node, taskState } from '../fixtures.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function listen(over: Partial<HttpDeps> = {}): Promise<{ world: World; port: number }> {
  const world = new World(over)
  await world.http.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => world.http.close())
  return { world, port: (world.http.server.address() as AddressInfo).port }
}

/** A connection, what has come over it, and whether it is closed. */
async function open(port: number, text = ''): Promise<{ socket: Socket; heard: () => string; isClosed: () => boolean }> {
  const socket = connect(port, '127.0.0.1')
  closing.push(() => void socket.destroy())
  let heard = ''
  let isClosed = false
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    heard += chunk
  })
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  if (text !== '') socket.write(text)
  return { socket, heard: () => heard, isClosed: () => isClosed }
}

const WHOLE = 'GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('connections', () => {
  test('of those that wait for a request to come, the oldest makes way', async () => {
    const { port } = await listen({ limits: { halfOpenMax: 3 } })
    const silent = [
      await open(port),
      await open(port, 'GET /v1/jo'),
      await open(port, 'POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'),
    ]
    const served = await open(port, WHOLE)
    await expect.poll(() => served.heard()).toContain('200 OK')
    await open(port)
    await expect.poll(() => silent.map(({ isClosed }) => isClosed())).toEqual([true, false, false])
    // Whoever was served is not half-open.
    expect(served.isClosed()).toBe(false)
  })

  test('a request of which nothing more comes is given up', async () => {
    const { port } = await listen({ limits: { headersMsMax: 50, requestMsMax: 50, checkedEveryMs: 10 } })
    const half = [
      await open(port, 'GET /v1/jobs HT'),
      await open(port, 'POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'),
    ]
    for (const each of half) {
      await expect.poll(() => each.isClosed()).toBe(true)
      expect(each.heard()).toContain('408 Request Timeout')
    }
  })

  test('an answer may take longer than its request', async () => {
    const { world, port } = await listen({ limits: { headersMsMax: 50, requestMsMax: 50, checkedEveryMs: 10 } })
    const index = world.register(job({ ID: 'web' })).ModifyIndex
    const waiting = new Promise<number | undefined>((resolve) => {
      get({ port, host: '127.0.0.1', path: `/v1/job/web?index=${index}&wait=10s` }, (response) => resolve(response.resume().statusCode))
    })
    await expect.poll(() => world.changes.waiterCount).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 150))
    world.register(job({ ID: 'web', Priority: 7 }))
    expect(await waiting).toBe(200)
  })

  test('one address has only so many, and is told so in the words of Nomad', async () => {
    const { port } = await listen({ limits: { perClient: 2 } })
    const [first] = [await open(port), await open(port)]
    const third = await open(port)
    await expect.poll(() => third.isClosed()).toBe(true)
    expect(third.heard()).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n.*Your IP is issuing too many concurrent connections/s)
    first!.socket.destroy()
    await expect.poll(async () => (await open(port)).isClosed()).toBe(false)
  })
})

describe('hosts', () => {
  const answerTo = async (port: number, host: string): Promise<string> => {
    const asked = await open(port, `GET /v1/status/leader HTTP/1.1\r\n${host}\r\n\r\n`)
    await expect.poll(() => asked.heard()).not.toBe('')
    return asked.heard().slice('HTTP/1.1 '.length).split('\r\n', 1)[0]!
  }

  test('a name that is not this server is refused, whoever it points to', async () => {
    const { port } = await listen({ isOwnHost: createHostCheck('127.0.0.1:4646', ['drover.example.org', '.inside.example']) })
    const answers = [
      await answerTo(port, 'Host: localhost:4646'),
      await answerTo(port, 'Host: 192.0.2.7'),
      await answerTo(port, 'Host: [2001:db8::1]:4646'),
      await answerTo(port, 'Host: Drover.example.org:80'),
      await answerTo(port, 'Host: a.inside.example'),
      await answerTo(port, 'Host: attacker.example'),
      await answerTo(port, 'Host: drover.example.org.attacker.example'),
      await answerTo(port, 'Host: localhost\r\nHost: attacker.example'),
    ]
    expect(answers).toEqual([...Array(5).fill('200 OK'), '403 Forbidden', '403 Forbidden', '400 Bad Request'])
  })

  test('a star stands for every name', () => {
    expect(createHostCheck('0.0.0.0:4646', ['*'])('anything.example')).toBe(true)
    expect(createHostCheck('nodes.example:4646', [])('nodes.example')).toBe(true)
  })
})

test('the token of a page may hold any name, and leads to the next page', async () => {
  const { world, port } = await listen()
  for (const ID of ['alpha', 'größe', 'задача', '日本語']) world.register(job({ ID }))
  const page = (token: string) =>
    new Promise<{ ids: string[]; token: string }>((resolve) => {
      get({ port, host: '127.0.0.1', path: `/v1/jobs?per_page=1&next_token=${encodeURIComponent(token)}` }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk
        })
        const header = Buffer.from(String(response.headers['x-nomad-nexttoken'] ?? ''), 'latin1').toString('utf8')
        response.on('end', () => resolve({ ids: (JSON.parse(body) as { ID: string }[]).map((row) => row.ID), token: header }))
      })
    })
  const seen: string[] = []
  for (let token = ''; ; ) {
    const answer = await page(token)
    seen.push(...answer.ids)
    token = answer.token
    if (token === '') break
  }
  expect(seen).toEqual(['alpha', 'größe', 'задача', '日本語'])
})

test('however often a stream waits for its reader, it listens once', async () => {
  const part = new TextEncoder().encode('x'.repeat(64 * 1024))
  const { world, port } = await listen({
    agents: {
      async *call() {
        for (let at = 0; at < 300; at++) yield { file: 'main.stdout.0', offsetBytes: 0, data: part } as never
      },
    },
  })
  world.change((state, index) => {
    state.nodes.put(index, node())
    state.allocations.put(
      index,
      allocation({ NodeID: node().ID, ClientStatus: 'running', TaskStates: { main: taskState({ State: 'running' }) } }),
    )
  })
  let serverSide: Socket | undefined
  world.http.server.on('connection', (socket) => {
    serverSide = socket
  })
  const counts: number[] = []
  const path = `/v1/client/fs/logs/${allocation().ID}?task=main&type=stdout&plain=true`
  await new Promise<void>((resolve) => {
    get({ port, host: '127.0.0.1', path }, (response) => {
      response.on('data', () => {
        counts.push(serverSide!.listenerCount('close') + serverSide!.listenerCount('error') + serverSide!.listenerCount('drain'))
        response.pause()
        setImmediate(() => response.resume())
      })
      response.on('end', () => resolve())
    })
  })
  expect(counts.length).toBeGreaterThan(100)
  expect(Math.max(...counts)).toBeLessThan(counts[0]! + 3)
})

describe('bodies', () => {
  const post = (port: number, path: string, bytes: number) =>
    new Promise<number | undefined>((resolve) => {
      const sent = request({ port, host: '127.0.0.1', path, method: 'POST', agent: false as unknown as Agent }, (response) =>
        resolve(response.resume().statusCode),
      )
      sent.on('error', () => resolve(undefined))
      sent.end(' '.repeat(bytes))
    })

  test('where no job is sent a megabyte is the limit', async () => {
    const { port } = await listen()
    expect(await post(port, '/v1/search', 1024 * 1024 + 1)).toBe(413)
    expect(await post(port, '/v1/validate/job', 1024 * 1024 + 1)).toBe(400)
  })

  test('all of them together have a limit, and what was answered counts no more', async () => {
    const bodies = new RequestBodies(10)
    const begin = (text: string) => {
      const incoming = Object.assign(new EventEmitter(), { headers: {}, resume: () => {} })
      const read = bodies.read(incoming as never, 100)
      incoming.emit('data', Buffer.from(text))
      incoming.emit('end')
      return { read, release: () => bodies.release(incoming as never) }
    }
    const first = begin('12345678')
    expect((await first.read).length).toBe(8)
    await expect(begin('123').read).rejects.toThrow('too many large requests at once')
    first.release()
  })
})
