import { Transform, type TransformCallback } from 'node:stream'
import { DownloadFailure } from './request.js'

/** Lets through so many bytes and fails with the next. Several streams may share what is left. */
export class SizeLimit extends Transform {
  readonly #left: { bytes: number }
  readonly #told: string

  /** @param told when there are more */
  constructor(left: { bytes: number }, told: string) {
    super()
    this.#left = left
    this.#told = told
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left.bytes -= chunk.length
    if (this.#left.bytes < 0) done(new DownloadFailure(this.#told))
    else done(null, chunk)
  }
}
