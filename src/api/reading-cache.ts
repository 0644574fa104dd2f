/**
 * Lists that were read of the state as it is now: whoever asks the same again before anything has changed gets the same bytes, which are put
 * together anew otherwise. What is of one row has its bytes kept with the row (`encode.ts`).
 */
import type { LogIndex } from '../domain/index.js'
import type { ApiRequest } from './request.js'

const READINGS_MAX = 256
const BYTES_MAX = 8 * 1024 * 1024

/** As much of a reading as matters here. */
interface Keepable {
  readonly body: unknown
  readonly isOfStateOnly?: true
}

export class ReadingCache<Reading extends Keepable> {
  readonly #readings = new Map<string, Reading>()
  #index: LogIndex = -1
  #bytes = 0

  /** @param index of the state; readings of any other are forgotten */
  find(index: LogIndex, { method, path, query }: ApiRequest): Reading | undefined {
    if (index !== this.#index) {
      this.#clear()
      this.#index = index
    }
    return method === 'GET' ? this.#readings.get(`${path}?${query}`) : undefined
  }

  /** Right after `find`, for the same index. */
  keep({ method, path, query }: ApiRequest, reading: Reading): void {
    // What else is asked may depend on what was sent.
    if (method !== 'GET' || reading.isOfStateOnly !== true || !(reading.body instanceof Uint8Array)) return
    const bytes = reading.body.length
    if (bytes > BYTES_MAX) return
    if (this.#readings.size >= READINGS_MAX || this.#bytes + bytes > BYTES_MAX) this.#clear()
    this.#readings.set(`${path}?${query}`, reading)
    this.#bytes += bytes
  }

  #clear(): void {
    this.#readings.clear()
    this.#bytes = 0
  }
}
