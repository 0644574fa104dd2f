/**
 * What a container says, from its engine into the rotated log of its task, each byte once, whatever dies in between. A mark on disk
 * tells up to where the log has it: the time of the newest piece, and where the log's file ended then. What the file has gained since is
 * what was read after the mark.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import * as z from 'zod'
import { explainError, type Logger } from '../../../domain/index.js'
import { fromCheckedJson, toCheckedJson } from '../../checked-json.js'
import { LogWriter } from '../../supervisor/log-writer.js'
import type { RunLogs } from '../../supervisor/protocol.js'
import { type Engine, isMissing } from './engine.js'
import { type LogPiece, LogPieces, type LogStream, secondsOf } from './log-pieces.js'

export interface LogFollowerDeps {
  readonly engine: Engine
  readonly logger: Logger
  readonly containerId: string
  readonly logs: RunLogs
  readonly hasTerminal: boolean
  /** Of this agent alone: tasks can write into the folder of their logs. */
  readonly markFolder: string
}

/** Of one stream. */
const markSchema = z.object({
  /** RFC 3339, of the newest piece that was written; empty: of none yet. */
  since: z.string(),
  /** Bytes written of pieces as new as that. */
  sinceBytes: z.int().nonnegative(),
  fileNumber: z.int().nonnegative(),
  fileBytes: z.int().nonnegative(),
})
const marksSchema = z.object({ stdout: markSchema, stderr: markSchema })

type Mark = z.output<typeof markSchema>

const STREAMS: readonly LogStream[] = ['stdout', 'stderr']
const AGAIN_MS = 250
const MARK_EVERY_MS = 1_000
const MARK_EVERY_BYTES = 1024 * 1024
/** The stream ends by itself when its container has ended. */
const END_WITHIN_MS = 2_000

export class LogFollower {
  readonly #deps: LogFollowerDeps
  readonly #streams: Readonly<Record<LogStream, StreamLog>>
  readonly #markPath: string
  #following: Promise<void> | undefined
  #open: Readable | undefined
  #isEnding = false
  #isClosed = false
  #markedMs = 0
  #unmarkedBytes = 0

  constructor(deps: LogFollowerDeps) {
    this.#deps = deps
    mkdirSync(deps.markFolder, { recursive: true, mode: 0o700 })
    this.#markPath = markPath(deps.markFolder, deps.containerId)
    const marks = readMarks(this.#markPath, (reason) =>
      deps.logger.warn({ containerId: deps.containerId, reason }, 'how far a log was written cannot be read'),
    )
    this.#streams = { stdout: new StreamLog(deps, 'stdout', marks?.stdout), stderr: new StreamLog(deps, 'stderr', marks?.stderr) }
    // Where the log stands now belongs to runs before this one.
    if (marks === undefined) this.#mark()
  }

  start(): void {
    this.#following ??= this.#follow()
  }

  /** After the container has ended: resolves when all that it said is in the log, or cannot be had. */
  async finish(): Promise<void> {
    this.#isEnding = true
    await Promise.race([this.#following, delay(END_WITHIN_MS)])
    this.#open?.destroy()
    await this.#following
    if (this.#isClosed) return
    await this.#read(false).catch((error: unknown) => this.#say(error))
    this.close()
  }

  /** What is under way is left alone; a new life goes on from the mark. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#open?.destroy()
    this.#mark()
    for (const stream of STREAMS) this.#streams[stream].close()
  }

  async #follow(): Promise<void> {
    while (!this.#isEnding && !this.#isClosed) {
      try {
        await this.#read(true)
      } catch (error) {
        if (isMissing(error)) return
        this.#say(error)
      }
      if (!this.#isEnding && !this.#isClosed) await delay(AGAIN_MS)
    }
  }

  async #read(isFollowing: boolean): Promise<void> {
    const { engine, containerId, hasTerminal } = this.#deps
    for (const stream of STREAMS) this.#streams[stream].begin()
    const since = oldest(this.#streams.stdout.since, this.#streams.stderr.since)
    const options = {
      stdout: true,
      stderr: true,
      timestamps: true,
      ...(since === '' ? {} : { since: secondsOf(since) as unknown as number }),
    }
    const pieces = new LogPieces(hasTerminal)
    if (!isFollowing) {
      const whole = await engine.ask((client) => client.getContainer(containerId).logs({ ...options, follow: false }))
      return this.#write(pieces.add(asBytes(whole)))
    }
    const open = (await engine.ask((client) => client.getContainer(containerId).logs({ ...options, follow: true }))) as Readable
    this.#open = open
    if (this.#isClosed) open.destroy()
    try {
      for await (const chunk of open) this.#write(pieces.add(chunk as Buffer))
    } finally {
      this.#open = undefined
    }
  }

  #write(pieces: readonly LogPiece[]): void {
    if (this.#isClosed) return
    let isRotated = false
    for (const piece of pieces) {
      try {
        const { written, hasRotated } = this.#streams[piece.stream].write(piece)
        this.#unmarkedBytes += written
        isRotated ||= hasRotated
      } catch (error) {
        // A full disk: the task goes on, and what cannot be kept is told of.
        this.#say(error)
      }
    }
    if (pieces.length > 0 && (isRotated || this.#unmarkedBytes > MARK_EVERY_BYTES || performance.now() - this.#markedMs > MARK_EVERY_MS))
      this.#mark()
  }

  #mark(): void {
    this.#markedMs = performance.now()
    this.#unmarkedBytes = 0
    try {
      const marks = { stdout: this.#streams.stdout.mark(), stderr: this.#streams.stderr.mark() }
      writeFileSync(`${this.#markPath}.new`, toCheckedJson(marks), { mode: 0o600 })
      renameSync(`${this.#markPath}.new`, this.#markPath)
    } catch (error) {
      this.#say(error)
    }
  }

  #say(error: unknown): void {
    const { logger, containerId } = this.#deps
    if (!this.#isClosed) logger.debug({ containerId, error: explainError(error) }, 'output of a container could not be read')
  }
}

export function forgetMark(folder: string, containerId: string): void {
  rmSync(markPath(folder, containerId), { force: true })
}

class StreamLog {
  readonly #writer: LogWriter
  /** Time of the newest piece that was taken, and how many bytes came of that time. */
  #since: string
  #sinceBytes = 0
  /** Bytes that the file has and that will be told again. */
  #skip: number

  constructor({ logs }: LogFollowerDeps, stream: LogStream, mark: Mark | undefined) {
    this.#writer = new LogWriter(logs.folder, `${logs.task}.${stream}`, logs.filesMax, logs.fileBytesMax)
    this.#since = mark?.since ?? ''
    this.#skip = mark === undefined ? 0 : mark.sinceBytes + this.#writer.bytesSince({ number: mark.fileNumber, bytes: mark.fileBytes })
  }

  get since(): string {
    return this.#since
  }

  /** The engine tells everything again that is as new as the newest that was taken. */
  begin(): void {
    this.#skip += this.#sinceBytes
    this.#sinceBytes = 0
  }

  write({ atText, content }: LogPiece): { readonly written: number; readonly hasRotated: boolean } {
    if (atText < this.#since) return { written: 0, hasRotated: false }
    if (atText > this.#since) {
      this.#since = atText
      this.#sinceBytes = 0
    }
    this.#sinceBytes += content.length
    const skipped = Math.min(this.#skip, content.length)
    this.#skip -= skipped
    const rest = content.subarray(skipped)
    if (rest.length === 0) return { written: 0, hasRotated: false }
    const before = this.#writer.position().number
    this.#writer.write(rest, Date.parse(atText) || Date.now())
    return { written: rest.length, hasRotated: this.#writer.position().number !== before }
  }

  mark(): Mark {
    const { number, bytes } = this.#writer.position()
    return { since: this.#since, sinceBytes: this.#sinceBytes + this.#skip, fileNumber: number, fileBytes: bytes }
  }

  close(): void {
    this.#writer.close()
  }
}

function markPath(folder: string, containerId: string): string {
  return join(folder, `${containerId}.json`)
}

/** @param onDamage there is something, and it is no mark: what the engine still has of the log is written once more */
function readMarks(path: string, onDamage: (reason: string) => void): Readonly<Record<LogStream, Mark>> | undefined {
  if (!existsSync(path)) return undefined
  try {
    return marksSchema.parse(fromCheckedJson(readFileSync(path, 'utf8')))
  } catch (error) {
    onDamage(explainError(error))
    return undefined
  }
}

function oldest(a: string, b: string): string {
  return a < b ? a : b
}

/** Without following, the library gives the whole; a text where it could be read as JSON. */
function asBytes(answer: unknown): Buffer {
  return Buffer.isBuffer(answer) ? answer : Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer))
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
