/**
 * How messages between server and host travel: as parts of bounded size, each signed and bound to what it belongs to. Whoever
 * reaches the bus can read what passes and can send what it likes; it can make nobody act, and nobody keep anything.
 *
 *   part   [format, signer, signature, inner]
 *   inner  [direction, kind, cluster, epoch, node, session, number, part, parts, piece]
 *
 * The signature covers all of `inner`, so a part cannot be moved to another node, cluster, epoch, question or direction. What was
 * said once cannot be said again: see `reassembly.ts` and `replay-window.ts`. Pure: keys are the signer's and the verifier's.
 */
import { Packr } from 'msgpackr/pack'
import * as z from 'zod'
import { OrchestratorError } from '../domain/index.js'
import type { Signer, Verify } from './ports.js'
import { PROTOCOL_FORMAT, type RpcMethod } from './protocol.js'

export type Direction = 'to-server' | 'to-host'

export interface Seal {
  readonly direction: Direction
  readonly kind: string
  /** Empty from a host that never joined. */
  readonly clusterId: string
  readonly epoch: number
  readonly nodeId: string
  /** Of the agent: one for each life. Answers and calls bear that of the agent they are for; sets, which any life heeds, none. */
  readonly session: string
  /** Of a question and its answer: grows with each question of a session. Of a set: its version. Of a call: grows with each of an epoch. */
  readonly number: number
}

export interface SealedPart extends Seal {
  /** Public key, proven by the signature. */
  readonly signer: string
  readonly part: number
  readonly parts: number
  readonly piece: Uint8Array
}

/** Why a message was dropped: told in metrics and logs by these words. */
export type DropReason =
  /** No message of this format. */
  | 'malformed'
  /** The signature does not belong to the bytes, or to nobody who may say this. */
  | 'forged'
  /** Of another cluster. */
  | 'foreign'
  /** Of an epoch or a session that is over. */
  | 'stale'
  /** Said before. */
  | 'replayed'
  /** For another node, another kind of message, the other direction, or no answer to what was asked. */
  | 'misdirected'

/** A message that must not be heeded. */
export class DroppedMessage extends OrchestratorError {
  readonly reason: DropReason

  constructor(reason: DropReason, text: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super('PROTOCOL', text, { ...facts, reason }, cause)
    this.reason = reason
  }
}

/** What the server asks of an agent outside of sets; each answer of a stream bears its place in it. */
export type CallAnswer = readonly [sequence: number, outcome: 'part' | 'end' | 'error', value: unknown]

export function callKind(method: RpcMethod): string {
  return `call-${method}`
}

/** What format, signer, signature and seal take of a message, with room to spare. */
const SEAL_BYTES = 1_024
/** However much a broker allows: a smaller one lets others through sooner. */
const PART_BYTES_MAX = 512 * 1024
const PARTS_MAX = 4_096

const packr = new Packr({ useRecords: false })
const count = z.number().int().nonnegative()
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes')
const outerSchema = z.tuple([z.literal(PROTOCOL_FORMAT), z.string(), bytes, bytes])
const innerSchema = z.tuple([
  z.enum(['to-server', 'to-host']),
  z.string(),
  z.string(),
  count,
  z.string(),
  z.string(),
  count,
  count,
  z.number().int().positive().max(PARTS_MAX),
  bytes,
])

/** @param messageBytesMax what the bus carries in one message */
export function sealMessage(signer: Signer, seal: Seal, body: Uint8Array, messageBytesMax: number): readonly Uint8Array[] {
  const pieceBytes = Math.max(1, Math.min(messageBytesMax, PART_BYTES_MAX) - SEAL_BYTES)
  const parts = Math.max(1, Math.ceil(body.length / pieceBytes))
  const { direction, kind, clusterId, epoch, nodeId, session, number } = seal
  return Array.from({ length: parts }, (_, part) => {
    const piece = body.subarray(part * pieceBytes, (part + 1) * pieceBytes)
    const inner = pack([direction, kind, clusterId, epoch, nodeId, session, number, part, parts, piece])
    return pack([PROTOCOL_FORMAT, signer.publicKey, signer.sign(inner), inner])
  })
}

/** @throws DroppedMessage malformed, forged */
export function openPart(payload: Uint8Array, verify: Verify): SealedPart {
  const outer = outerSchema.safeParse(unpack(payload))
  if (!outer.success) throw new DroppedMessage('malformed', `a message is none of format ${PROTOCOL_FORMAT}`, { sizeBytes: payload.length })
  const [, signer, signature, packed] = outer.data
  if (!verify(signer, packed, signature)) throw new DroppedMessage('forged', `a message is not signed with the key ${signer}`, { signer })
  const inner = innerSchema.safeParse(unpack(packed))
  if (!inner.success) throw new DroppedMessage('malformed', `a message of ${signer} has no seal`, { signer })
  const [direction, kind, clusterId, epoch, nodeId, session, number, part, parts, piece] = inner.data
  if (part >= parts) throw new DroppedMessage('malformed', `part ${part} of ${parts} parts`, { signer })
  return { signer, direction, kind, clusterId, epoch, nodeId, session, number, part, parts, piece }
}

function pack(value: unknown): Uint8Array {
  // The packer hands out a slice of a larger buffer, which a message that waits would keep alive.
  return Uint8Array.from(packr.pack(value))
}

function unpack(payload: Uint8Array): unknown {
  try {
    return packr.unpack(payload)
  } catch {
    // Whatever it is, it is not what is looked for.
    return undefined
  }
}
