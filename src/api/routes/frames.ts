/** Pieces of files as Nomad streams them: JSON objects back to back, without anything between them. */
import type { Frame } from '../../agent/index.js'
import { explainError } from '../../domain/index.js'
import type { ApiResponse } from '../request.js'
import { agentFault } from './agent-fault.js'

/**
 * The parts of an answer. The first one is waited for, so that what the agent refuses is still told by a status; what fails
 * later can only be appended as text.
 */
export async function streamed(
  frames: AsyncIterable<Frame>,
  allocationId: string,
  encode: (frame: Frame) => Uint8Array | string | undefined,
): Promise<AsyncIterable<Uint8Array | string>> {
  const iterator = frames[Symbol.asyncIterator]()
  let first: IteratorResult<Frame>
  try {
    first = await iterator.next()
  } catch (error) {
    throw agentFault(error, allocationId)
  }
  return encodeFrames(first, iterator, encode)
}

async function* encodeFrames(
  first: IteratorResult<Frame>,
  iterator: AsyncIterator<Frame>,
  encode: (frame: Frame) => Uint8Array | string | undefined,
): AsyncIterable<Uint8Array | string> {
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) {
      const part = encode(next.value)
      if (part !== undefined) yield part
    }
  } catch (error) {
    yield explainError(error)
  } finally {
    await iterator.return?.()
  }
}

export async function framesOf(frames: AsyncIterable<Frame>, allocationId: string): Promise<ApiResponse> {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: await streamed(frames, allocationId, encodeFrame) }
}

/** Members at zero are left out; a frame without any is a heartbeat. The offset is where the next piece of the file begins. */
function encodeFrame({ file, offsetBytes, data, event }: Frame): string {
  return JSON.stringify({
    ...(data.length === 0 ? {} : { Offset: offsetBytes + data.length }),
    ...(data.length === 0 ? {} : { Data: toBase64(data) }),
    ...(file === '' || (data.length === 0 && event === undefined) ? {} : { File: file }),
    ...(event === undefined ? {} : { FileEvent: event }),
  })
}

/** In pieces: a call takes only so many arguments. */
const PIECE_BYTES = 8_190

function toBase64(data: Uint8Array): string {
  let text = ''
  for (let at = 0; at < data.length; at += PIECE_BYTES) text += btoa(String.fromCharCode(...data.subarray(at, at + PIECE_BYTES)))
  return text
}
