/**
 * What git does not tell: the status of the last answer and how long the remote asks to wait. git writes the heads of all answers to a
 * descriptor of their own (its documentation, "git", GIT_TRACE_CURL), credentials left out; only these two are looked at, nothing is kept.
 */
import type { Readable } from 'node:stream'
import { parseRetryAfter } from '../../retry-after.js'

export const TRACE_DESCRIPTOR = 3

export const TRACE_ENVIRONMENT: NodeJS.ProcessEnv = {
  GIT_TRACE_CURL: String(TRACE_DESCRIPTOR),
  GIT_TRACE_CURL_NO_DATA: '1',
  GIT_TRACE_REDACT: '1',
}

const LINE_BYTES_MAX = 16 * 1024
const STATUS = /<= Recv header: HTTP\/[\d.]+ (\d{3})/
const RETRY_AFTER = /<= Recv header: retry-after: *(.+?)\s*$/i

export class CurlTrace {
  status = 0
  retryAfterMs: number | null = null
  #line = ''

  read(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => this.add(chunk.toString('latin1')))
    // git's helper may be ended while it writes.
    stream.on('error', () => {})
  }

  add(text: string): void {
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop()!.slice(-LINE_BYTES_MAX)
    for (const line of lines) this.#look(line)
  }

  #look(line: string): void {
    const [, status] = STATUS.exec(line) ?? []
    if (status !== undefined) {
      this.status = Number(status)
      this.retryAfterMs = null
    }
    const [, value] = RETRY_AFTER.exec(line) ?? []
    if (value !== undefined) this.retryAfterMs = parseRetryAfter(value, Date.now())
  }
}
