/** `drover exec ALLOC|JOB [-- COMMAND…]`: a program beside a task, as if it were here. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions, connectionOf } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { allocationsOf, newest, onlyTask } from './find-allocation.js'
import { resolve } from './resolve.js'
import type { AllocationStub, JobAnswer } from './wire.js'

/** Where the person sits, and the way to the server. */
export interface ExecConsole {
  /** Both ends are a terminal. */
  readonly isTerminal: boolean
  readonly input: AsyncIterable<Uint8Array>
  write(stream: 'stdout' | 'stderr', data: Uint8Array): void
  size(): { readonly columns: number; readonly rows: number }
  /** Returns the way to stop. */
  onResize(callback: () => void): () => void
  /** Keys go to the program as they are, Ctrl-C included. */
  setRaw(isRaw: boolean): void
  /** What is typed from now on is nobody's. */
  endInput(): void
  /** @param url of a websocket. Rejects when there is none. */
  connect(url: string, headers: Readonly<Record<string, string>>): Promise<Conversation>
}

export interface Conversation {
  readonly incoming: AsyncIterable<string>
  send(text: string): void
  close(): void
  /** Why the other side has closed it, when it is closed; empty: as it should be. */
  readonly closed: Promise<string>
}

interface ExecOptions extends ConnectionOptions {
  readonly task?: string
  readonly tty?: boolean
  readonly interactive: boolean
}

/** What comes from the server. */
interface Heard {
  readonly stdout?: { readonly data?: string }
  readonly stderr?: { readonly data?: string }
  readonly exited?: boolean
  readonly result?: { readonly exit_code?: number }
}

/** The server keeps in mind who says nothing. */
const ALIVE_EVERY_MS = 10_000

export function execCommand(terminal: ExecConsole): CommandModule {
  return {
    name: 'exec',
    usage: '[options] <ALLOC|JOB> <COMMAND> [ARGS…]',
    summary: 'run a program beside a task of an allocation, or of the newest allocation of a job',
    exitCodes: { 0: 'the program ended with 0', 1: 'not found, refused, or no server answers; otherwise the code of the program' },
    define(command: Command, io: Io, finish) {
      addConnectionOptions(command)
        .argument('<ALLOC|JOB>', 'a job id, an allocation id, or the beginning of one')
        .argument('<COMMAND>', 'the program; it runs as the task does, in its folder')
        .argument('[ARGS...]', 'what it is given')
        .passThroughOptions()
        .option('--task <name>', 'needed when there are several tasks')
        .option('-t, --tty', 'with a terminal, which is what is taken where there is one here')
        .option('--no-tty', 'without a terminal')
        .option('--no-interactive', 'nothing is typed')
        .action((name: string, program: string, args: readonly string[], options: ExecOptions) =>
          // What a shell's habit puts between the two is no program.
          finish(runExec(name, program === '--' ? args : [program, ...args], options, io, terminal)),
        )
    },
  }
}

async function runExec(name: string, command: readonly string[], options: ExecOptions, io: Io, terminal: ExecConsole): Promise<number> {
  const client = new Client(options, io)
  const { kind, id } = await resolve(name, ['job', 'allocation'], client)
  const allocation =
    kind === 'job' ? await newestOf(id, client) : await client.get<AllocationStub>(`/v1/allocation/${encodeURIComponent(id)}`)
  const task = options.task ?? (await onlyTask(allocation, client))
  const hasTerminal = options.interactive && (options.tty ?? terminal.isTerminal)
  const { address, token, namespace } = connectionOf(options, io.env)
  const query = new URLSearchParams({ task, tty: String(hasTerminal), command: JSON.stringify(command), namespace })
  const url = `${address.replace(/^http/, 'ws')}/v1/client/allocation/${allocation.ID}/exec?${query}`
  const conversation = await terminal.connect(url, token === '' ? {} : { 'X-Nomad-Token': token })
  return converse(conversation, hasTerminal, options.interactive, io, terminal)
}

async function newestOf(jobId: string, client: Client): Promise<AllocationStub> {
  const job = await client.get<JobAnswer>(`/v1/job/${encodeURIComponent(jobId)}`)
  return newest(await allocationsOf(job, client), job)
}

async function converse(
  conversation: Conversation,
  hasTerminal: boolean,
  isInteractive: boolean,
  io: Io,
  terminal: ExecConsole,
): Promise<number> {
  const say = (told: object) => conversation.send(JSON.stringify(told))
  const tellSize = () => {
    const { columns, rows } = terminal.size()
    say({ tty_size: { width: columns, height: rows } })
  }
  const stopResize = hasTerminal ? terminal.onResize(tellSize) : () => {}
  const alive = setInterval(() => say({}), ALIVE_EVERY_MS)
  const stop = () => conversation.close()
  if (hasTerminal) terminal.setRaw(true)
  else io.signal.addEventListener('abort', stop, { once: true })
  try {
    if (hasTerminal) tellSize()
    // Input that breaks off is told by the program's end.
    if (isInteractive) sendInput(terminal, say).catch(() => {})
    else say({ stdin: { close: true } })
    for await (const text of conversation.incoming) {
      const heard = JSON.parse(text) as Heard
      for (const stream of ['stdout', 'stderr'] as const) {
        const data = heard[stream]?.data
        if (data !== undefined) terminal.write(stream, Buffer.from(data, 'base64'))
      }
      if (heard.exited === true) return heard.result?.exit_code ?? 0
    }
    throw new CommandError((await conversation.closed) || 'the server went away before the program had ended')
  } finally {
    clearInterval(alive)
    stopResize()
    if (hasTerminal) terminal.setRaw(false)
    terminal.endInput()
    io.signal.removeEventListener('abort', stop)
    conversation.close()
  }
}

async function sendInput(terminal: ExecConsole, say: (told: object) => void): Promise<void> {
  for await (const data of terminal.input) say({ stdin: { data: Buffer.from(data).toString('base64') } })
  say({ stdin: { close: true } })
}
