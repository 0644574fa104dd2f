import { Transform, type TransformCallback } from 'node:stream'
import { DownloadFailure } from './request.js'

/** Lets through so many bytes and fails with the next. Several streams may share what is left. */
export class SizeLimit extends Transform {
  readonly #left: { bytes: number }
  readonly #limit: number
  readonly #what: string

  constructor(limit: number, what: string, left: { bytes: number } = { bytes: limit }) {
    super()
    this.#left = left
    this.#limit = limit
    this.#what = what
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left.bytes -= chunk.length
    if (this.#left.bytes < 0) done(new DownloadFailure(`${this.#what} has more than ${this.#limit} bytes`))
    else done(null, chunk)
  }
}
