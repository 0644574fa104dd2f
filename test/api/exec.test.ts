/** Programs beside tasks over a websocket, and the other acts on what runs, against an agent that says what the test tells it to. */
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { textsOf } from '../../src/adapters/websocket-texts.js'
import type { ExecPart, RpcRequests } from '../../src/agent/index.js'
import type { AgentCaller, ApiSettings } from '../../src/api/index.js'
import { OrchestratorError } from '../../src/domain/index.js'
import { allocation } from '../fixtures.js'
import { World } from './world.js'

const ID = '00000000-0000-4000-8000-000000000001'
const COMMAND = encodeURIComponent('["cat"]')
const SETTINGS: ApiSettings = {
  region: 'global',
  datacenter: 'dc1',
  name: 'alder',
  writes: 'runtime',
  showVariables: false,
  identityKeys: [],
  version: '0',
  address: '',
}

/** Answers each thing that it is told with the same, and ends when it is told no more. */
class EchoAgent implements AgentCaller {
  readonly asked: { readonly method: string; readonly request: object }[] = []
  signal: AbortSignal | undefined
  failure: OrchestratorError | undefined
  #parts: ExecPart[] = [{ kind: 'started' }]
  #wake = () => {}

  async *call(_: string, method: string, request: object, signal: AbortSignal): AsyncIterable<never> {
    this.asked.push({ method, request })
    if (this.failure !== undefined) throw this.failure
    if (method !== 'exec') {
      if (method === 'exec-input') this.#hear((request as RpcRequests['exec-input']).input)
      yield { ok: true } as never
      return
    }
    this.signal = signal
    signal.addEventListener('abort', () => this.#wake())
    while (!signal.aborted) {
      const part = this.#parts.shift()
      if (part !== undefined) yield part as never
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      if (part?.kind === 'exited') return
    }
  }

  #hear(input: RpcRequests['exec-input']['input']): void {
    if (input.kind === 'data') this.#parts.push({ kind: 'output', stream: 'stdout', data: input.data })
    if (input.kind === 'end') this.#parts.push({ kind: 'exited', exitCode: 3 })
    this.#wake()
  }
}

const worlds: World[] = []

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.http.close()
})

async function begin(over: Partial<ApiSettings> = {}) {
  const agent = new EchoAgent()
  const world = new World({ agents: agent, settings: { ...SETTINGS, ...over } })
  worlds.push(world)
  world.change((state, index) => state.allocations.put(index, allocation({ ID, NodeID: 'n1' })))
  const url = (await world.http.listen({ host: '127.0.0.1', port: 0 })).replace('http', 'ws')
  const open = (query: string, headers: Record<string, string> = {}) =>
    new WebSocket(`${url}/v1/client/allocation/${ID}/exec?${query}`, { headers })
  return { agent, world, open }
}

async function closed(socket: WebSocket): Promise<readonly [code: number, reason: string]> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return [code, String(reason)]
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('exec', () => {
  test('what is typed reaches the program, what it says comes back, and how it ended', async () => {
    const { agent, open } = await begin()
    const socket = open(`task=main&tty=false&command=${COMMAND}`)
    const texts = textsOf(socket)
    await once(socket, 'open')
    socket.send(JSON.stringify({ stdin: { data: base64('hello') } }))
    socket.send('{}')
    socket.send(JSON.stringify({ stdin: { close: true } }))
    const heard: unknown[] = []
    for await (const text of texts) heard.push(JSON.parse(text))
    expect(heard).toEqual([
      { stdout: { data: base64('hello') } },
      { stdout: { close: true } },
      { stderr: { close: true } },
      { exited: true, result: { exit_code: 3 } },
    ])
    expect(agent.asked[0]).toMatchObject({ method: 'exec', request: { allocationId: ID, task: 'main', command: ['cat'] } })
    expect(agent.asked[0]!.request).not.toHaveProperty('terminal')
  })

  test('a terminal has the size that is told first, and follows it', async () => {
    const { agent, open } = await begin()
    const socket = open(`task=main&tty=true&command=${COMMAND}`)
    await once(socket, 'open')
    socket.send(JSON.stringify({ tty_size: { height: 40, width: 120 } }))
    socket.send(JSON.stringify({ tty_size: { height: 41, width: 121 } }))
    socket.send(JSON.stringify({ stdin: { close: true } }))
    expect(await closed(socket)).toEqual([1000, ''])
    expect(agent.asked.map(({ request }) => request)).toMatchObject([
      { terminal: { columns: 120, rows: 40 } },
      { input: { kind: 'resize', size: { columns: 121, rows: 41 } } },
      { input: { kind: 'end' } },
    ])
  })

  test('a program whose asker goes away is ended', async () => {
    const { agent, open } = await begin()
    const socket = open(`task=main&tty=false&command=${COMMAND}`)
    await once(socket, 'open')
    await expect.poll(() => agent.signal).toBeDefined()
    socket.terminate()
    await expect.poll(() => agent.signal?.aborted).toBe(true)
  })

  test.each([
    ['tty=false&command=x', 1008, 'must provide task name'],
    ['task=main&tty=false&command=%5B%5D', 1008, 'command is not present'],
    ['task=main&tty=false&command=x', 1011, /^the command is no JSON/],
    ['task=main&tty=false&command=1', 1011, 'the command is no list of texts'],
    [`task=main&tty=maybe&command=${COMMAND}`, 1008, /^tty value is not a boolean/],
  ])('%s is refused', async (query, code, reason) => {
    const { open } = await begin()
    expect(await closed(open(query))).toEqual([code, typeof reason === 'string' ? reason : expect.stringMatching(reason)])
  })

  test('why the agent cannot run it is told, as much of it as there is room for', async () => {
    const { agent, open } = await begin()
    agent.failure = new OrchestratorError('PROGRAM', `no such program: ${'ä'.repeat(200)}`)
    const [code, reason] = await closed(open(`task=main&tty=false&command=${COMMAND}`))
    expect([code, Buffer.byteLength(reason) <= 123, reason.startsWith('no such program: ää')]).toEqual([1011, true, true])
  })

  test('a handshake that is not known is refused', async () => {
    const { open } = await begin()
    const socket = open(`task=main&tty=false&ws_handshake=true&command=${COMMAND}`)
    await once(socket, 'open')
    socket.send('{"version":9}')
    expect(await closed(socket)).toEqual([1008, 'unexpected handshake value: 9'])
  })

  test('a server that lets nobody act says what would', async () => {
    const { agent, open, world } = await begin({ writes: 'none' })
    const [code, reason] = await closed(open(`task=main&tty=false&command=${COMMAND}`))
    expect([code, reason]).toEqual([1008, 'exec is switched off: set api.writes to runtime in the configuration of the server'])
    expect((await world.get(`/v1/client/allocation/${ID}/exec`)).status).toBe(403)
    expect(agent.asked).toEqual([])
  })

  test('pages of other origins get no socket, and no path but this has one', async () => {
    const { open, agent } = await begin()
    const socket = open(`task=main&tty=false&command=${COMMAND}`, { origin: 'http://elsewhere.example' })
    const [error] = (await once(socket, 'error')) as [Error]
    expect([error.message, agent.asked]).toEqual(['Unexpected server response: 403', []])
  })
})

describe('acts on what runs', () => {
  test.each([
    ['restart', { TaskName: 'main' }, 'restart', { task: 'main', allTasks: false }],
    ['restart', { AllTasks: true }, 'restart', { allTasks: true }],
    ['signal', { Task: 'main', Signal: 'SIGHUP' }, 'signal', { task: 'main', signal: 'SIGHUP' }],
    ['signal', undefined, 'signal', { signal: 'SIGINT' }],
    ['gc', undefined, 'gc', {}],
  ])('%s %j reaches the agent', async (what, body, method, expected) => {
    const { agent, world } = await begin()
    const { status } = await world.send('PUT', `/v1/client/allocation/${ID}/${what}`, body)
    expect(status).toBe(200)
    expect(agent.asked).toEqual([{ method, request: { allocationId: ID, ...expected } }])
  })

  test('what the agent refuses is told in its words', async () => {
    const { agent, world } = await begin()
    agent.failure = new OrchestratorError('ALLOCATION_ENDED', 'restart of an alloc that should not run')
    const { status, text } = await world.send('PUT', `/v1/client/allocation/${ID}/restart`)
    expect([status, text]).toEqual([500, 'restart of an alloc that should not run'])
  })

  test('one task and all of them is a contradiction', async () => {
    const { agent, world } = await begin()
    const { status, text } = await world.send('PUT', `/v1/client/allocation/${ID}/restart`, { TaskName: 'main', AllTasks: true })
    expect([status, text, agent.asked]).toEqual([500, 'task name cannot be set when restarting all tasks', []])
  })

  test('pages of other origins restart nothing', async () => {
    const { agent, world } = await begin()
    const headers = { host: '127.0.0.1', origin: 'http://elsewhere.example' }
    const { statusCode } = await world.inject({ method: 'POST', url: `/v1/client/allocation/${ID}/restart`, headers })
    expect([statusCode, agent.asked]).toEqual([403, []])
  })
})
