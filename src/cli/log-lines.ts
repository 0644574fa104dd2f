/** Logs are bytes on the wire; people count lines. */
import type { Client, Query } from './client.js'

/** Guessed at first, and doubled until there are lines enough. */
const BYTES_PER_LINE = 256
const NEWLINE = 10

/** Where the last `count` lines of what is there now begin, as a question for them. */
export async function startOfLast(count: number, path: string, query: Query, client: Client): Promise<Query> {
  for (let wanted = (count + 1) * BYTES_PER_LINE; ; wanted *= 2) {
    const bytes = await readAll(client.bytes(path, { ...query, follow: 'false', origin: 'end', offset: String(wanted) }))
    const start = offsetOfLast(bytes, count)
    if (start === undefined && bytes.length >= wanted) continue
    return { origin: 'end', offset: String(bytes.length - (start ?? 0)) }
  }
}

async function readAll(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of all) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Where the last `count` lines begin; undefined where there are not so many. A last line may be without its end. */
function offsetOfLast(bytes: Uint8Array, count: number): number | undefined {
  if (count === 0) return bytes.length
  let left = count
  for (let at = bytes.length - 2; at >= 0; at--) {
    if (bytes[at] === NEWLINE && --left === 0) return at + 1
  }
  return undefined
}

/** Whole lines out of bytes that come bit by bit. */
export class WholeLines {
  readonly #decoder = new TextDecoder()
  #rest = ''

  /** The lines that are whole by now. */
  add(bytes: Uint8Array): string {
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    const end = this.#rest.lastIndexOf('\n') + 1
    const lines = this.#rest.slice(0, end)
    this.#rest = this.#rest.slice(end)
    return lines
  }

  end(): string {
    const rest = this.#rest
    this.#rest = ''
    return rest === '' ? '' : `${rest}\n`
  }
}
