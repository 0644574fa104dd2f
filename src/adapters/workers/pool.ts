/**
 * Threads for work whose cost others decide: what hangs, dies or grows costs its thread and nothing else. Started when there is something
 * to do, ended when there is nothing for a while.
 */
import { Worker } from 'node:worker_threads'
import type { FromWorker, Question, Reply, Task, TaskAnswer } from './tasks.js'

export interface WorkerPoolOptions {
  /** Threads at once. */
  readonly size: number
  /** A task may compute this long between two messages. */
  readonly taskMsMax: number
  /** A thread that loads its program, or that of HCL, may take this long; absent: two minutes, as on a machine under load. */
  readonly loadingMsMax?: number
  /** Tasks that may wait; more are refused at once. Absent: any number. */
  readonly queueMax?: number
  /** The compiled worker; tests name others. */
  readonly workerUrl?: URL
}

export type Aborted = { readonly kind: 'aborted'; readonly reason: string }

interface Waiting {
  readonly task: Task
  readonly answer: (question: Question) => Promise<Reply>
  readonly resolve: (outcome: TaskAnswer | Aborted) => void
}

interface Running extends Waiting {
  readonly id: number
  timer: NodeJS.Timeout
}

const STACK_MB = 64
const HEAP_MB = 512
/** A thread that has come to hold more than this starts anew: the memory is for others. */
const HEAP_BYTES_KEPT = 96 * 1024 * 1024
const IDLE_MS = 30_000
/** A machine under load needs long to load what one at rest has in a moment. */
const LOADING_MS_MAX = 120_000

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #queue: Waiting[] = []
  readonly #idle = new Map<Worker, NodeJS.Timeout>()
  readonly #busy = new Map<Worker, Running>()
  /** Those that have not said yet that they can begin. */
  readonly #fresh = new WeakSet<Worker>()
  #nextId = 1
  #isClosed = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#busy.size === 0
  }

  /** `answer` is asked for what the task needs of the server. Never rejects. */
  run(task: Task, answer: Waiting['answer'] = noAnswers): Promise<TaskAnswer | Aborted> {
    if (this.#isClosed) return Promise.resolve(CLOSED)
    if (this.#queue.length >= (this.#options.queueMax ?? Number.POSITIVE_INFINITY)) return Promise.resolve(CROWDED)
    return new Promise((resolve) => {
      this.#queue.push({ task, answer, resolve })
      this.#serve()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { resolve } of this.#queue.splice(0)) resolve(CLOSED)
    const workers = [...this.#idle.keys(), ...this.#busy.keys()]
    for (const timer of this.#idle.values()) clearTimeout(timer)
    this.#idle.clear()
    for (const worker of this.#busy.keys()) this.#end(worker, CLOSED)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  #serve(): void {
    while (this.#queue.length > 0 && !this.#isClosed) {
      const worker = this.#takeIdle() ?? (this.#busy.size < this.#options.size ? this.#start() : undefined)
      if (worker === undefined) return
      this.#give(worker, this.#queue.shift()!)
    }
  }

  #takeIdle(): Worker | undefined {
    const [found] = this.#idle
    if (found === undefined) return undefined
    const [worker, timer] = found
    clearTimeout(timer)
    this.#idle.delete(worker)
    return worker
  }

  #start(): Worker {
    const worker = new Worker(this.#options.workerUrl ?? new URL('./worker.js', import.meta.url), {
      resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
    })
    this.#fresh.add(worker)
    worker.on('message', (message: FromWorker) => this.#onMessage(worker, message))
    worker.on('error', (error) => this.#onDeath(worker, `its reader died: ${error.message}`))
    worker.on('exit', () => this.#onDeath(worker, 'its reader ended'))
    return worker
  }

  #give(worker: Worker, waiting: Waiting): void {
    const id = this.#nextId++
    this.#busy.set(worker, { ...waiting, id, timer: this.#watch(worker, this.#fresh.has(worker)) })
    // An idle thread does not keep the process alive.
    worker.ref()
    worker.postMessage({ id, task: waiting.task })
  }

  #watch(worker: Worker, isLoading = false): NodeJS.Timeout {
    const { taskMsMax, loadingMsMax = LOADING_MS_MAX } = this.#options
    const msMax = isLoading ? loadingMsMax : taskMsMax
    return setTimeout(() => {
      this.#onDeath(worker, `reading it takes longer than ${msMax} ms`)
      void worker.terminate()
    }, msMax)
  }

  #onMessage(worker: Worker, message: FromWorker): void {
    const running = this.#busy.get(worker)
    if (running === undefined || message.id !== running.id) return
    if ('isLoading' in message) {
      clearTimeout(running.timer)
      this.#fresh.delete(worker)
      running.timer = this.#watch(worker, message.isLoading)
      return
    }
    if ('question' in message) {
      clearTimeout(running.timer)
      void this.#reply(worker, running, message.question)
      return
    }
    this.#end(worker, 'answer' in message ? message.answer : { kind: 'aborted', reason: message.error })
    if ('answer' in message && message.heapBytes > HEAP_BYTES_KEPT) void worker.terminate()
    else this.#rest(worker)
    this.#serve()
  }

  async #reply(worker: Worker, running: Running, question: Question): Promise<void> {
    try {
      const reply = await running.answer(question)
      if (this.#busy.get(worker) !== running) return
      running.timer = this.#watch(worker)
      worker.postMessage({ id: running.id, reply })
    } catch (error) {
      if (this.#busy.get(worker) !== running) return
      this.#end(worker, { kind: 'aborted', reason: error instanceof Error ? error.message : String(error) })
      // It waits for an answer that does not come.
      void worker.terminate()
      this.#serve()
    }
  }

  #rest(worker: Worker): void {
    worker.unref()
    const timer = setTimeout(() => {
      this.#idle.delete(worker)
      void worker.terminate()
    }, IDLE_MS)
    timer.unref()
    this.#idle.set(worker, timer)
  }

  /** Told by the first of time-out, error and exit; the others find nothing to do. */
  #onDeath(worker: Worker, reason: string): void {
    clearTimeout(this.#idle.get(worker))
    this.#idle.delete(worker)
    if (!this.#busy.has(worker)) return
    this.#end(worker, { kind: 'aborted', reason })
    this.#serve()
  }

  #end(worker: Worker, outcome: TaskAnswer | Aborted): void {
    const running = this.#busy.get(worker)
    if (running === undefined) return
    clearTimeout(running.timer)
    this.#busy.delete(worker)
    running.resolve(outcome)
  }
}

const CLOSED: Aborted = { kind: 'aborted', reason: 'the reader was closed' }
const CROWDED: Aborted = { kind: 'aborted', reason: 'too many others wait to be read; try again' }

function noAnswers(question: Question): Promise<Reply> {
  return Promise.reject(new Error(`nobody answers what was asked: ${question.kind}`))
}
