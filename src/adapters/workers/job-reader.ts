/**
 * Job files in workers. Small ones are read on the server's thread, a few a turn, within a budget that is over in a moment: that is sooner
 * done than handing them over, and what exceeds it is read again in a worker, whose verdict counts. A commit of hundreds is for the workers.
 */
import { type JobFileOptions, type JobFileOutcome, type JobFileTree, type JobReader, readJobFile } from '../../controller/index.js'
import { type JobSource, mistakeOfFile } from '../../domain/index.js'
import { companionNames, LIMITS, type Limits } from '../../jobspec/index.js'
import { readFast } from '../hcl-syntax/read-syntax.js'
import { Turnstile } from '../turnstile.js'
import { WorkerPool, type WorkerPoolOptions } from './pool.js'
import type { Question, Reply } from './tasks.js'

export interface WorkerJobReaderOptions extends Partial<WorkerPoolOptions> {
  readonly limits?: Limits
  /** Files that may be read on this thread in a row. */
  readonly inlineMax?: number
}

const SIZE = 2
const INLINE_MAX = 200
const INLINE_PER_TURN = 4
/** What is read after this long is a commit of its own. */
const ROW_ENDS_AFTER_MS = 1_000
const INLINE_LENGTH_MAX = 16 * 1024
const INLINE_LIMITS: Partial<Limits> = {
  stepsMax: 5_000,
  outputMax: 64 * 1024,
  groupCountMax: 20,
  jobBytesMax: 64 * 1024,
  inputCountMax: 4,
}
/** A file that was given up this often is told of as one that cannot be read: nobody waits for it any longer. */
const ATTEMPTS_MAX = 5
const FILES_REMEMBERED_MAX = 1_000

export class WorkerJobReader implements JobReader {
  readonly #limits: Limits
  readonly #pool: WorkerPool
  readonly #inlineMax: number
  readonly #turns = new Turnstile(INLINE_PER_TURN)
  readonly #treeIds = new WeakMap<JobFileTree, number>()
  #nextTreeId = 1
  #inARow = 0
  #lastMs = 0
  /** How often what stands in a file was given up, by path. */
  readonly #attempts = new Map<string, { readonly text: string; readonly count: number }>()

  constructor({ limits = LIMITS, inlineMax = INLINE_MAX, ...pool }: WorkerJobReaderOptions = {}) {
    this.#limits = limits
    this.#inlineMax = inlineMax
    this.#pool = new WorkerPool({ size: SIZE, taskMsMax: limits.parseMsMax, ...pool })
  }

  async read(path: string, tree: JobFileTree, options: JobFileOptions): Promise<JobFileOutcome> {
    const file = await tree.read(path)
    if ('mistake' in file) return { kind: 'mistakes', mistakes: [file.mistake], inputs: [{ path, blob: tree.blobOf(path) }] }
    const quick = await this.#readInline(path, file.text, tree, options)
    return quick ?? this.#readInWorker(path, file.text, tree, options)
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async #readInline(path: string, text: string, tree: JobFileTree, options: JobFileOptions): Promise<JobFileOutcome | undefined> {
    if (text.length > INLINE_LENGTH_MAX || /\.ya?ml$/.test(path) || !this.#isFewYet()) return undefined
    await this.#turns.pass()
    const limits = { ...this.#limits, ...INLINE_LIMITS }
    const reader = { read: async (name: string, content: string) => readFast(name, content, limits), close: async () => {} }
    const outcome = await readJobFile(path, tree, reader, { ...options, limits })
    return outcome.kind === 'job' ? outcome : undefined
  }

  #isFewYet(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#lastMs > ROW_ENDS_AFTER_MS) this.#inARow = 0
    this.#lastMs = nowMs
    return ++this.#inARow <= this.#inlineMax
  }

  async #readInWorker(path: string, text: string, tree: JobFileTree, options: JobFileOptions): Promise<JobFileOutcome> {
    const companions = companionNames(path, options.overlay).filter((name) => tree.has(name))
    const treeId = this.#treeIdOf(tree)
    const answer = async (question: Question): Promise<Reply> =>
      question.kind === 'paths' ? { kind: 'paths', paths: tree.list('') } : { kind: 'text', ...(await tree.read(question.path)) }
    const task = { kind: 'job-file', path, text, treeId, companions, options: { ...options, limits: this.#limits } } as const
    const outcome = (await this.#pool.run(task, answer)) as JobFileOutcome
    if (outcome.kind === 'aborted') return this.#giveUp(path, text, tree, outcome)
    this.#attempts.delete(path)
    const filledIn = (inputs: JobSource['inputs']) => inputs.map((input) => ({ path: input.path, blob: tree.blobOf(input.path) }))
    if (outcome.kind === 'job') return { ...outcome, inputs: filledIn(outcome.inputs) }
    return outcome.inputs === undefined ? outcome : { ...outcome, inputs: filledIn(outcome.inputs) }
  }

  #giveUp(path: string, text: string, tree: JobFileTree, outcome: Extract<JobFileOutcome, { kind: 'aborted' }>): JobFileOutcome {
    const known = this.#attempts.get(path)
    const count = known?.text === text ? known.count + 1 : 1
    if (this.#attempts.size >= FILES_REMEMBERED_MAX) this.#attempts.clear()
    this.#attempts.set(path, { text, count })
    if (count < ATTEMPTS_MAX) return outcome
    const detail = `It was given up ${count} times: ${outcome.reason}. Make the file smaller, or let it compute less.`
    const mistakes = [mistakeOfFile(path, 'File cannot be read', detail)]
    // Whatever else it was to read: it is not tried once more at every commit.
    return { kind: 'mistakes', mistakes, inputs: [{ path, blob: tree.blobOf(path) }] }
  }

  #treeIdOf(tree: JobFileTree): number {
    const known = this.#treeIds.get(tree) ?? this.#nextTreeId++
    this.#treeIds.set(tree, known)
    return known
  }
}
