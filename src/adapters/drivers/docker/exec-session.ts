/** A program inside a container, as the engine lets it be talked to. */
import { readFileSync } from 'node:fs'
import { type Duplex, Readable } from 'node:stream'
import type { ExecOutput, ExecRequest, ExecSession, TerminalSize } from '../../../agent/index.js'
import { OrchestratorError } from '../../../domain/index.js'
import { type DockerClient, type Engine, isAway } from './engine.js'

const LOOK_MS = 20
const LOOKS_MAX = 250
const HEADER_BYTES = 8

/** @throws OrchestratorError PROGRAM when it cannot be started */
export async function openExec(engine: Engine, containerId: string, { command, terminal }: ExecRequest): Promise<ExecSession> {
  const hasTerminal = terminal !== undefined
  try {
    const { exec, stream } = await engine.ask(async (client) => {
      const exec = await client.getContainer(containerId).exec({
        Cmd: [...command],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: hasTerminal,
      })
      return { exec, stream: await exec.start({ hijack: true, stdin: true, Tty: hasTerminal }) }
    })
    const session = new DockerExec(engine, exec, stream, containerId, hasTerminal)
    if (terminal !== undefined) await session.resize(terminal)
    return session
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new OrchestratorError('PROGRAM', `${command[0]} cannot be run: ${reason}`, { command: command[0] ?? '' }, error)
  }
}

type Exec = Awaited<ReturnType<ReturnType<DockerClient['getContainer']>['exec']>>

class DockerExec implements ExecSession {
  readonly output: AsyncIterable<ExecOutput>
  readonly exitCode: Promise<number>
  readonly #engine: Engine
  readonly #exec: Exec
  readonly #stream: Duplex
  readonly #containerId: string
  #tell: (code: number) => void = () => {}
  #isEnded = false

  constructor(engine: Engine, exec: Exec, stream: Duplex, containerId: string, hasTerminal: boolean) {
    this.#engine = engine
    this.#exec = exec
    this.#stream = stream
    this.#containerId = containerId
    this.exitCode = new Promise((resolve) => {
      this.#tell = resolve
    })
    stream.on('error', () => {})
    stream.once('close', () => void this.#learnExit())
    stream.once('end', () => void this.#learnExit())
    const pieces = Readable.from(stream, { objectMode: true }) as AsyncIterable<Buffer>
    this.output = hasTerminal ? plain(pieces) : apart(pieces)
  }

  write(data: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed || this.#stream.writableEnded) return resolve()
      this.#stream.write(data, () => resolve())
    })
  }

  endInput(): void {
    if (!this.#stream.destroyed) this.#stream.end()
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    await this.#exec.resize({ w: columns, h: rows }).catch(() => {})
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#stream.destroy()
    void this.#kill()
  }

  /** The engine has no call for that: its process is known by its pid, where the engine is of this host. */
  async #kill(): Promise<void> {
    if (!this.#engine.isLocal) return
    const found = await this.#exec.inspect().catch(() => undefined)
    if (found?.Running !== true || found.Pid <= 0) return
    try {
      if (readFileSync(`/proc/${found.Pid}/cgroup`, 'utf8').includes(this.#containerId)) process.kill(found.Pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }

  async #learnExit(): Promise<void> {
    for (let look = 0; look < LOOKS_MAX; look++) {
      const found = await this.#engine.ask(() => this.#exec.inspect()).catch((error: unknown) => (isAway(error) ? undefined : null))
      if (found === null) return this.#tell(-1)
      if (found?.Running === false) return this.#tell(found.ExitCode ?? -1)
      if (this.#isEnded) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    this.#tell(-1)
  }
}

async function* plain(pieces: AsyncIterable<Buffer>): AsyncIterable<ExecOutput> {
  for await (const data of quiet(pieces)) yield { stream: 'stdout', data }
}

/** Frames: a byte that says which stream, three of nothing, four of length, content. */
async function* apart(pieces: AsyncIterable<Buffer>): AsyncIterable<ExecOutput> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of quiet(pieces)) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4)
      if (rest.length < end) break
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', data: rest.subarray(HEADER_BYTES, end) }
      rest = rest.subarray(end)
    }
  }
}

/** A stream that breaks off has ended. */
async function* quiet(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  try {
    yield* pieces
  } catch {
    // Whoever reads learns the rest from the exit code.
  }
}
