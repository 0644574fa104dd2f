/** A program beside a task, in a session of its own. What it leaves behind in its session is ended with it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { ExecOutput, ExecSession, TerminalSize } from '../agent/index.js'
import { OrchestratorError } from '../domain/index.js'
import { quote } from './supervisor/wrapper.js'
import type { TaskUser } from './task-user.js'

export interface ProgramStart {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  readonly user: TaskUser | null
  readonly terminal?: TerminalSize
}

/** @throws OrchestratorError PROGRAM when it cannot be started */
export async function startProgram({ command, args, environment, folder, user, terminal }: ProgramStart): Promise<ExecSession> {
  const [program, ...words] = terminal === undefined ? [command, ...args] : inTerminal([command, ...args], terminal)
  const child = spawn(program!, words, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) =>
      reject(new OrchestratorError('PROGRAM', `${command} cannot be run: ${cause.message}`, { command }, cause)),
    )
  })
  const endAll = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // Nothing of it is left.
    }
  }
  // Whoever ends first: nobody has to read what it says.
  child.stdin.on('error', () => {})
  const exitCode = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      endAll()
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
  return {
    output: outputOf([
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ]),
    exitCode,
    async write(data) {
      if (!child.stdin.destroyed && !child.stdin.write(data)) await Promise.race([once(child.stdin, 'drain').catch(() => {}), exitCode])
    },
    endInput: () => void child.stdin.end(),
    // The terminal belongs to script(1), which only follows one that it has itself.
    resize: async () => {},
    end() {
      endAll()
      // What left its session may hold them open for good.
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
    },
  }
}

/** script(1), part of every system, makes the terminal. */
function inTerminal(words: readonly string[], { columns, rows }: TerminalSize): readonly string[] {
  const line = `stty columns ${columns} rows ${rows} 2>/dev/null; exec ${words.map(quote).join(' ')}`
  return ['script', '--quiet', '--return', '--command', line, '/dev/null']
}

/** Pieces of both streams in the order in which they come; a stream waits while its last piece is not taken. */
export async function* outputOf(streams: readonly (readonly [ExecOutput['stream'], Readable])[]): AsyncIterable<ExecOutput> {
  const next = async (stream: ExecOutput['stream'], pieces: AsyncIterator<Uint8Array>) => ({
    stream,
    pieces,
    piece: await pieces.next().catch((): IteratorResult<Uint8Array> => ({ done: true, value: undefined })),
  })
  const waiting = new Map(
    streams.map(([stream, source]) => [stream, next(stream, source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>)] as const),
  )
  while (waiting.size > 0) {
    const { stream, pieces, piece } = await Promise.race(waiting.values())
    if (piece.done === true) waiting.delete(stream)
    else {
      waiting.set(stream, next(stream, pieces))
      yield { stream, data: piece.value }
    }
  }
}
