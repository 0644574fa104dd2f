/** One reading at a time, in a thread of its own with a deep stack; whoever started it ends it when it takes too long. */
import { parentPort } from 'node:worker_threads'
import { invariant } from '../../domain/index.js'
import type { Limits } from '../../jobspec/index.js'
import { readSyntax } from './read-syntax.js'

export interface ReadRequest {
  readonly id: number
  readonly path: string
  readonly text: string
  readonly limits: Limits
}

export type ReadAnswer =
  | { readonly id: number; readonly outcome: Awaited<ReturnType<typeof readSyntax>> }
  | { readonly id: number; readonly error: string }

const port = parentPort
invariant(port !== null, 'the syntax worker was started outside a worker thread')
port.on('message', async (request: ReadRequest) => {
  try {
    port.postMessage({ id: request.id, outcome: await readSyntax(request.path, request.text, request.limits) } satisfies ReadAnswer)
  } catch (error) {
    port.postMessage({
      id: request.id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    } satisfies ReadAnswer)
  }
})
