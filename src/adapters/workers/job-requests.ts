/** Jobs in request bodies are read in workers of their own: whoever sends bodies keeps nobody's commits waiting. */
import type { JobAnswer, JobRequest, JobRequests } from '../../api/index.js'
import { LIMITS } from '../../jobspec/index.js'
import { type Aborted, WorkerPool, type WorkerPoolOptions } from './pool.js'

const SIZE = 1
/** Bodies take memory while they wait. */
const QUEUE_MAX = 64

export class WorkerJobRequests implements JobRequests {
  readonly #pool: WorkerPool

  constructor(options: Partial<WorkerPoolOptions> = {}) {
    this.#pool = new WorkerPool({ size: SIZE, taskMsMax: LIMITS.parseMsMax, queueMax: QUEUE_MAX, ...options })
  }

  answer(request: JobRequest): Promise<JobAnswer | Aborted> {
    return this.#pool.run({ kind: 'job-request', request, limits: LIMITS }) as Promise<JobAnswer | Aborted>
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
