/**
 * Messages from their parts. Parts come in any order and may come twice; of messages that are never whole only the newest few are
 * kept. Pure.
 */
import type { SealedPart } from './seal.js'

type Pending = { readonly pieces: Map<number, Uint8Array>; sizeBytes: number }

/** Questions under way at once, with room to spare. */
const PENDING_MAX = 8
/** A host with a thousand allocations says a few megabytes. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024

export class Reassembly {
  readonly #pending = new Map<string, Pending>()

  get isEmpty(): boolean {
    return this.#pending.size === 0
  }

  /** The body that the part completes; undefined: more must come. */
  add(part: SealedPart): Uint8Array | undefined {
    if (part.parts === 1) return part.piece
    const key = JSON.stringify([part.kind, part.epoch, part.session, part.number, part.parts])
    const pending = this.#pending.get(key) ?? { pieces: new Map<number, Uint8Array>(), sizeBytes: 0 }
    this.#pending.set(key, pending)
    if (!pending.pieces.has(part.part)) pending.sizeBytes += part.piece.length
    pending.pieces.set(part.part, part.piece)
    if (pending.pieces.size === part.parts) {
      this.#pending.delete(key)
      return join(pending, part.parts)
    }
    this.#trim()
    return undefined
  }

  #trim(): void {
    let sizeBytes = [...this.#pending.values()].reduce((sum, pending) => sum + pending.sizeBytes, 0)
    for (const [key, pending] of this.#pending) {
      if (this.#pending.size <= PENDING_MAX && sizeBytes <= PENDING_BYTES_MAX) return
      this.#pending.delete(key)
      sizeBytes -= pending.sizeBytes
    }
  }
}

function join({ pieces, sizeBytes }: Pending, parts: number): Uint8Array {
  const body = new Uint8Array(sizeBytes)
  let at = 0
  for (let part = 0; part < parts; part++) {
    const piece = pieces.get(part)!
    body.set(piece, at)
    at += piece.length
  }
  return body
}
