/**
 * Reads in worker threads: a text that hangs or crashes its reader costs that reader and nothing else. Small texts of HCL
 * and JSON are read at once on the calling thread, which is linear in their length and cheaper than handing them over.
 */
import type { SyntaxOutcome, SyntaxReader } from '../../controller/index.js'
import { LIMITS, type Limits } from '../../jobspec/index.js'
import { WorkerPool, type WorkerPoolOptions } from '../workers/pool.js'
import { readFast } from './read-syntax.js'

export interface WorkerSyntaxOptions extends Pick<Partial<WorkerPoolOptions>, 'size' | 'workerUrl' | 'loadingMsMax'> {
  readonly limits?: Limits
  /** Texts up to this length are read on the calling thread. */
  readonly inlineLengthMax?: number
}

const SIZE = 1
const INLINE_LENGTH_MAX = 16 * 1024

export class WorkerSyntaxReader implements SyntaxReader {
  readonly #limits: Limits
  readonly #inlineLengthMax: number
  readonly #pool: WorkerPool

  constructor({ size = SIZE, limits = LIMITS, inlineLengthMax = INLINE_LENGTH_MAX, ...pool }: WorkerSyntaxOptions = {}) {
    this.#limits = limits
    this.#inlineLengthMax = inlineLengthMax
    this.#pool = new WorkerPool({ size, taskMsMax: limits.parseMsMax, ...pool })
  }

  async read(path: string, text: string): Promise<SyntaxOutcome> {
    const isInline = text.length <= this.#inlineLengthMax && !/\.ya?ml$/.test(path)
    // Our own reader has the last word; a worker is asked for better ones.
    const verdict = isInline ? readFast(path, text, this.#limits) : undefined
    if (verdict?.kind === 'syntax') return verdict
    const outcome = (await this.#pool.run({ kind: 'syntax', path, text, limits: this.#limits })) as SyntaxOutcome
    if (outcome.kind !== 'aborted') return outcome
    return verdict ?? { kind: 'aborted', reason: `${path} was not read: ${outcome.reason}` }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
