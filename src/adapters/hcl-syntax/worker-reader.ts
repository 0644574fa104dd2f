/**
 * Reads in worker threads: a text that hangs or crashes its reader costs that reader and nothing else. Small texts of HCL
 * and JSON are read at once on the calling thread, which is linear in their length and cheaper than handing them over.
 */
import { Worker } from 'node:worker_threads'
import type { SyntaxOutcome, SyntaxReader } from '../../controller/index.js'
import { LIMITS, type Limits } from '../../jobspec/index.js'
import { readFast } from './read-syntax.js'
import type { ReadAnswer, ReadRequest } from './worker.js'

export interface WorkerSyntaxOptions {
  /** Readers at once. */
  readonly size?: number
  readonly limits?: Limits
  /** Texts up to this length are read on the calling thread. */
  readonly inlineLengthMax?: number
  /** The compiled worker; tests that run from sources name another. */
  readonly workerUrl?: URL
}

interface Waiting {
  readonly path: string
  readonly text: string
  readonly resolve: (outcome: SyntaxOutcome) => void
  /** What our own reader said already; only better words for it are asked for. */
  readonly verdict: SyntaxOutcome | undefined
}

interface Reader {
  readonly worker: Worker
  readonly waiting: Waiting
  readonly timer: NodeJS.Timeout
}

const SIZE = 2
const STACK_MB = 64
const HEAP_MB = 512
const INLINE_LENGTH_MAX = 64 * 1024

export class WorkerSyntaxReader implements SyntaxReader {
  readonly #options: WorkerSyntaxOptions
  readonly #limits: Limits
  readonly #queue: Waiting[] = []
  readonly #idle: Worker[] = []
  readonly #busy = new Map<Worker, Reader>()
  #nextId = 1
  #isClosed = false

  constructor(options: WorkerSyntaxOptions = {}) {
    this.#options = options
    this.#limits = options.limits ?? LIMITS
  }

  read(path: string, text: string): Promise<SyntaxOutcome> {
    const isInline = text.length <= (this.#options.inlineLengthMax ?? INLINE_LENGTH_MAX) && !/\.ya?ml$/.test(path)
    const verdict = isInline ? readFast(path, text, this.#limits) : undefined
    if (verdict?.kind === 'syntax') return Promise.resolve(verdict)
    return new Promise((resolve) => {
      this.#queue.push({ path, text, resolve, verdict })
      this.#serve()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { resolve, verdict } of this.#queue.splice(0)) resolve(verdict ?? { kind: 'aborted', reason: 'the reader was closed' })
    const workers = [...this.#idle.splice(0), ...this.#busy.keys()]
    for (const reader of this.#busy.values()) this.#end(reader, { kind: 'aborted', reason: 'the reader was closed' })
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  #serve(): void {
    while (this.#queue.length > 0 && !this.#isClosed) {
      const worker = this.#idle.pop() ?? (this.#busy.size < (this.#options.size ?? SIZE) ? this.#start() : undefined)
      if (worker === undefined) return
      this.#give(worker, this.#queue.shift()!)
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#options.workerUrl ?? new URL('./worker.js', import.meta.url), {
      resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
    })
    worker.on('message', (answer: ReadAnswer) => this.#onAnswer(worker, answer))
    worker.on('error', (error) => this.#onDeath(worker, `its reader died: ${error.message}`))
    worker.on('exit', () => this.#onDeath(worker, 'its reader ended'))
    // An idle reader does not keep the process alive.
    worker.unref()
    return worker
  }

  #give(worker: Worker, waiting: Waiting): void {
    const { parseMsMax } = this.#limits
    const timer = setTimeout(() => {
      this.#onDeath(worker, `reading it takes longer than ${parseMsMax} ms`)
      void worker.terminate()
    }, parseMsMax)
    this.#busy.set(worker, { worker, waiting, timer })
    worker.ref()
    worker.postMessage({ id: this.#nextId++, path: waiting.path, text: waiting.text, limits: this.#limits } satisfies ReadRequest)
  }

  #onAnswer(worker: Worker, answer: ReadAnswer): void {
    const reader = this.#busy.get(worker)
    if (reader === undefined) return
    worker.unref()
    this.#idle.push(worker)
    this.#end(reader, 'outcome' in answer ? answer.outcome : { kind: 'aborted', reason: answer.error })
    this.#serve()
  }

  /** Told by the first of time-out, error and exit; the others find nothing to do. */
  #onDeath(worker: Worker, reason: string): void {
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
    const reader = this.#busy.get(worker)
    if (reader === undefined) return
    this.#end(reader, { kind: 'aborted', reason: `${reader.waiting.path} was not read: ${reason}` })
    this.#serve()
  }

  #end(reader: Reader, outcome: SyntaxOutcome): void {
    clearTimeout(reader.timer)
    this.#busy.delete(reader.worker)
    const { resolve, verdict } = reader.waiting
    resolve(outcome.kind === 'aborted' && verdict !== undefined ? verdict : outcome)
  }
}
