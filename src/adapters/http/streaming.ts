/** Answers that come part by part, each sent at once. A client that goes away ends what produces them. */
import type { ServerResponse } from 'node:http'
import { headerTexts } from './header-text.js'
import { varyOf } from './reply.js'

export async function sendStream(
  status: number,
  headers: Readonly<Record<string, string>>,
  parts: AsyncIterable<Uint8Array | string>,
  raw: ServerResponse,
): Promise<void> {
  raw.writeHead(status, { ...headerTexts(headers), Vary: varyOf(headers) })
  raw.flushHeaders()
  const room = new Room(raw)
  try {
    for await (const part of parts) {
      if (raw.destroyed) break
      if (!raw.write(part)) await room.wait()
    }
  } finally {
    raw.end()
  }
}

/** Waits until what was written has left, or nobody takes it any more. Listens once for the whole answer, however often it waits. */
class Room {
  readonly #raw: ServerResponse
  #wake: () => void = () => {}

  constructor(raw: ServerResponse) {
    this.#raw = raw
    raw.on('drain', () => this.#wake())
    raw.on('close', () => this.#wake())
  }

  wait(): Promise<void> {
    if (this.#raw.destroyed || !this.#raw.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
