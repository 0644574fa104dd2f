/**
 * A program beside a task, over a websocket: `/v1/client/allocation/:id/exec`. Both sides send JSON texts: what the program is told and the size
 * of the terminal one way, what it says and how it ended the other (Nomad API docs, "Client").
 */
import type { ExecInputRequest, TerminalSize } from '../../agent/index.js'
import type { Clock, Random } from '../../domain/index.js'
import { badRequest, requestFailed } from '../errors.js'
import type { ApiSocket, Call, SocketHandler } from '../router.js'
import { agentFault } from './agent-fault.js'
import { type ClientDeps, findAllocation } from './find-allocation.js'

export interface ExecDeps extends ClientDeps {
  readonly clock: Clock
  readonly random: Random
}

interface ExecRequest {
  readonly task: string
  readonly command: readonly string[]
  readonly hasTerminal: boolean
}

/** What a client says. A message without members only says that it is there. */
interface Told {
  readonly stdin?: { readonly data?: string; readonly close?: boolean }
  readonly tty_size?: { readonly height?: number; readonly width?: number }
}

const TERMINAL: TerminalSize = { columns: 80, rows: 24 }
const SIZE_MAX = 10_000
/** Clients tell the size of their terminal at once. */
const SIZE_WITHIN_MS = 500

export function execHandler(deps: ExecDeps): SocketHandler {
  return async (call, socket) => {
    const request = execRequest(call)
    const allocation = await findAllocation(deps, call)
    const incoming = new Incoming(socket)
    if (call.parameters.text('ws_handshake') === 'true') await shakeHands(incoming)
    const terminal = request.hasTerminal ? await firstSize(incoming, deps.clock) : undefined
    const { task, command } = request
    const execId = deps.random.uuid()
    const asked = { execId, allocationId: allocation.ID, task, command, ...(terminal === undefined ? {} : { terminal }) }
    const tell = async (input: ExecInputRequest['input']) => {
      for await (const _ of deps.agents.call(allocation.NodeID, 'exec-input', { execId, input }, socket.signal)) return
    }
    try {
      for await (const part of deps.agents.call(allocation.NodeID, 'exec', asked, socket.signal)) {
        // What it is told after its end is told to nobody.
        if (part.kind === 'started') void hear(incoming, tell).catch(() => {})
        else if (part.kind === 'output') await socket.send(JSON.stringify({ [part.stream]: { data: toBase64(part.data) } }))
        else if (part.kind === 'exited') await sendEnd(socket, part.exitCode)
      }
    } catch (error) {
      throw agentFault(error, call.id)
    }
  }
}

/** @throws ApiError BAD_REQUEST, REQUEST_FAILED */
function execRequest({ parameters }: Call): ExecRequest {
  const task = parameters.text('task')
  if (task === '') throw badRequest('must provide task name')
  const hasTerminal = parameters.strictBoolean('tty', 'tty value is not a boolean')
  let command: unknown
  try {
    command = JSON.parse(parameters.text('command'))
  } catch (cause) {
    throw requestFailed('the command is no JSON', cause)
  }
  if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) throw requestFailed('the command is no list of texts')
  if (command.length === 0 || command[0] === '') throw badRequest('command is not present')
  return { task, command, hasTerminal }
}

async function sendEnd(socket: ApiSocket, exitCode: number): Promise<void> {
  await socket.send('{"stdout":{"close":true}}')
  await socket.send('{"stderr":{"close":true}}')
  await socket.send(JSON.stringify({ exited: true, result: exitCode === 0 ? {} : { exit_code: exitCode } }))
}

async function hear(incoming: Incoming, tell: (input: ExecInputRequest['input']) => Promise<void>): Promise<void> {
  for (let told = await incoming.next(); told !== undefined; told = await incoming.next()) {
    const { stdin, tty_size } = told
    if (tty_size !== undefined) await tell({ kind: 'resize', size: sizeOf(tty_size) })
    if (typeof stdin?.data === 'string' && stdin.data !== '') await tell({ kind: 'data', data: fromBase64(stdin.data) })
    if (stdin?.close === true) await tell({ kind: 'end' })
  }
}

/** @throws ApiError BAD_REQUEST */
async function shakeHands(incoming: Incoming): Promise<void> {
  const { version } = ((await incoming.next()) ?? {}) as { readonly version?: unknown }
  if (version !== 1) throw badRequest(`unexpected handshake value: ${String(version)}`)
}

/** What comes instead of a size is heard later. */
async function firstSize(incoming: Incoming, clock: Clock): Promise<TerminalSize> {
  let cancel = () => {}
  const late = new Promise<undefined>((resolve) => {
    cancel = clock.after(SIZE_WITHIN_MS, () => resolve(undefined))
  })
  const told = await Promise.race([incoming.peek(), late])
  cancel()
  if (told?.tty_size === undefined) return TERMINAL
  await incoming.next()
  return sizeOf(told.tty_size)
}

function sizeOf({ height = 0, width = 0 }: NonNullable<Told['tty_size']>): TerminalSize {
  const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0 && (value as number) <= SIZE_MAX
  return { columns: isSize(width) ? width : TERMINAL.columns, rows: isSize(height) ? height : TERMINAL.rows }
}

/** What a client says, in order; what cannot be understood ends it. */
class Incoming {
  readonly #texts: AsyncIterator<string>
  #peeked: Promise<Told | undefined> | undefined

  constructor({ incoming }: ApiSocket) {
    this.#texts = incoming[Symbol.asyncIterator]()
  }

  /** What `next` will answer. */
  peek(): Promise<Told | undefined> {
    this.#peeked ??= this.#read()
    return this.#peeked
  }

  /** Undefined when nothing more comes. */
  next(): Promise<Told | undefined> {
    const told = this.peek()
    this.#peeked = undefined
    return told
  }

  async #read(): Promise<Told | undefined> {
    const { done, value } = await this.#texts.next()
    if (done === true) return undefined
    try {
      const told: unknown = JSON.parse(value)
      return typeof told === 'object' && told !== null ? (told as Told) : undefined
    } catch {
      return undefined
    }
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
}
