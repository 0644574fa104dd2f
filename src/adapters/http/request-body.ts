/** Bodies are kept in memory until they are whole and answered, so there is a limit for each and one for all of them together. */
import type { IncomingMessage } from 'node:http'
import { OrchestratorError } from '../../domain/index.js'

const ALL_BYTES_MAX = 64 * 1024 * 1024

export class RequestBodies {
  readonly #allBytesMax: number
  readonly #bytesOf = new WeakMap<IncomingMessage, number>()
  #bytes = 0

  constructor(allBytesMax = ALL_BYTES_MAX) {
    this.#allBytesMax = allBytesMax
  }

  /** @throws OrchestratorError BODY_TOO_LARGE, TOO_BUSY, BAD_REQUEST */
  read(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax))
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const giveUp = (error: OrchestratorError) => {
        request.off('data', onChunk)
        request.resume()
        reject(error)
      }
      const onChunk = (chunk: Buffer) => {
        bytes += chunk.length
        this.#bytes += chunk.length
        this.#bytesOf.set(request, bytes)
        chunks.push(chunk)
        if (bytes > bytesMax) giveUp(tooLarge(bytesMax))
        else if (this.#bytes > this.#allBytesMax) giveUp(new OrchestratorError('TOO_BUSY', 'too many large requests at once; try again'))
      }
      request.on('data', onChunk)
      request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
      request.once('error', reject)
      request.once('close', () => reject(new OrchestratorError('BAD_REQUEST', 'the request ended before its body was whole')))
    })
  }

  /** It was answered, or its client has gone. */
  release(request: IncomingMessage): void {
    this.#bytes -= this.#bytesOf.get(request) ?? 0
    this.#bytesOf.delete(request)
  }
}

function tooLarge(bytesMax: number): OrchestratorError {
  return new OrchestratorError('BODY_TOO_LARGE', `http: request body too large; the limit here is ${bytesMax} bytes`)
}
