/**
 * One persistent `git cat-file --batch`: objects by id or by any name git resolves, in 0.1 ms each, without a process per
 * question. Requests are answered in order; the process is started again when it dies.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { OrchestratorError } from '../../domain/index.js'
import { gitArguments, gitEnvironment } from './git-command.js'

export interface GitObject {
  readonly id: string
  readonly type: string
  readonly sizeBytes: number
  /** Absent when only the head was asked for. */
  readonly content: Buffer
}

type Waiting = { readonly resolve: (object: GitObject | undefined) => void; readonly reject: (error: Error) => void }

/** Of a commit or a folder. What is larger is not held in memory. */
const OBJECT_BYTES_MAX = 64 * 1024 * 1024

export class ObjectReader {
  readonly #repository: string
  readonly #mode: '--batch' | '--batch-check'
  #process: ChildProcessWithoutNullStreams | undefined
  #waiting: Waiting[] = []
  #chunks: Buffer[] = []
  #buffered = 0
  /** Bytes that are still to come of an object that is too large. */
  #skipped = 0
  readonly #bytesMax: number
  #isClosed = false

  constructor(repository: string, mode: '--batch' | '--batch-check', bytesMax = OBJECT_BYTES_MAX) {
    this.#repository = repository
    this.#mode = mode
    this.#bytesMax = bytesMax
  }

  /**
   * The object that `name` means (id, `HEAD`, `refs/heads/main`, `<commit>^{tree}`…); undefined when there is none.
   * @throws OrchestratorError GIT_OBJECT_SIZE, GIT_CLOSED, GIT_MISSING, GIT_OBJECTS
   */
  read(name: string): Promise<GitObject | undefined> {
    if (this.#isClosed) return Promise.reject(new OrchestratorError('GIT_CLOSED', `git object ${name} was asked for after closing`))
    return new Promise((resolve, reject) => {
      const child = this.#process ?? this.#start()
      this.#waiting.push({ resolve, reject })
      child.stdin.write(`${name}\n`)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const child = this.#process
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.stdin.end()
    await ended
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn('git', [...gitArguments(this.#repository), 'cat-file', this.#mode], { env: gitEnvironment() })
    this.#process = child
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-2_000)
    })
    child.stdin.on('error', () => {})
    child.on('error', (cause) => this.#fail(new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause)))
    child.on('close', (code) => this.#fail(new OrchestratorError('GIT_OBJECTS', `git cat-file ended with ${code}: ${complaint.trim()}`)))
    return child
  }

  #fail(error: OrchestratorError): void {
    this.#process = undefined
    this.#chunks = []
    this.#buffered = 0
    this.#skipped = 0
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }

  #take(chunk: Buffer): void {
    this.#keep(chunk)
    for (;;) {
      const buffer = this.#joined()
      const end = buffer.indexOf(0x0a)
      if (end < 0) return
      const head = buffer.toString('utf8', 0, end)
      const [id = '', type = '', size = '0'] = head.split(' ')
      if (head.endsWith(' missing') || head.endsWith(' ambiguous')) {
        this.#consume(end + 1)
        this.#waiting.shift()?.resolve(undefined)
        continue
      }
      const sizeBytes = Number(size)
      const bodyLength = this.#mode === '--batch' ? sizeBytes + 1 : 0
      if (bodyLength > this.#bytesMax + 1) {
        const rest = buffer.subarray(end + 1)
        this.#consume(buffer.length)
        this.#skipped = bodyLength
        this.#keep(rest)
        this.#waiting.shift()?.reject(tooLarge(id, sizeBytes, this.#bytesMax))
        continue
      }
      if (buffer.length < end + 1 + bodyLength) return
      const content = Buffer.from(buffer.subarray(end + 1, end + 1 + Math.max(0, bodyLength - 1)))
      this.#consume(end + 1 + bodyLength)
      this.#waiting.shift()?.resolve({ id, type, sizeBytes, content })
    }
  }

  #keep(chunk: Buffer): void {
    const kept = chunk.subarray(Math.min(chunk.length, this.#skipped))
    this.#skipped -= chunk.length - kept.length
    if (kept.length === 0) return
    this.#chunks.push(kept)
    this.#buffered += kept.length
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  #consume(bytes: number): void {
    this.#buffered -= bytes
    const rest = this.#joined().subarray(bytes)
    this.#chunks = rest.length > 0 ? [rest] : []
  }
}

function tooLarge(id: string, sizeBytes: number, bytesMax: number): OrchestratorError {
  return new OrchestratorError('GIT_OBJECT_SIZE', `git object ${id} has ${sizeBytes} bytes and is not read; at most ${bytesMax} are`, {
    id,
  })
}
