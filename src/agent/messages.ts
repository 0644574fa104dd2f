/**
 * Messages as bytes: `[format, kind, message]` in msgpack. What arrives is checked before anyone acts on it, so a foreign
 * or damaged message is an error with its place and never half an order.
 */
import { Packr } from 'msgpackr'
import { z } from 'zod'
import { type Allocation, type AllocationReport, type Job, type Node, OrchestratorError } from '../domain/index.js'
import {
  type DesiredEntry,
  type DesiredSet,
  type HeartbeatRequest,
  type HeartbeatResponse,
  PROTOCOL_FORMAT,
  type PullRequest,
  type PullResponse,
  type RegisterRequest,
  type RegisterResponse,
  type ReportRequest,
  type ReportResponse,
} from './protocol.js'

export interface Messages {
  readonly register: RegisterRequest
  readonly 'register-response': RegisterResponse
  readonly heartbeat: HeartbeatRequest
  readonly 'heartbeat-response': HeartbeatResponse
  readonly desired: DesiredSet
  readonly pull: PullRequest
  readonly 'pull-response': PullResponse
  readonly report: ReportRequest
  readonly 'report-response': ReportResponse
}

export type MessageKind = keyof Messages

/** Bodies are the wire's own objects; only what identifies them is checked, for they were checked when they were stored. */
const identified = z.looseObject({ ID: z.string().min(1) })
const allocation = z.custom<Allocation>((value) => identified.safeParse(value).success, 'an allocation with its ID')
const job = z.custom<Job>((value) => identified.safeParse(value).success, 'a job with its ID')
const node = z.custom<Node>((value) => identified.safeParse(value).success, 'a node with its ID')
const report = z.custom<AllocationReport>(
  (value) => z.looseObject({ ID: z.string().min(1), ClientStatus: z.string(), TaskStates: z.looseObject({}) }).safeParse(value).success,
  'a report with ID, ClientStatus and TaskStates',
)

const index = z.number().int().nonnegative()
const envelope = { clusterId: z.string(), epoch: index }

const desiredSet = z.object({
  ...envelope,
  nodeId: z.string().min(1),
  version: index,
  baseVersion: index,
  part: index,
  parts: z.number().int().positive(),
  count: index,
  hash: z.string(),
  entries: z.array(z.tuple([z.string(), index, z.enum(['run', 'stop'])])),
  bodies: z.array(allocation),
  jobs: z.array(job),
})

const schemas: { readonly [Kind in MessageKind]: z.ZodType<Messages[Kind]> } = {
  register: z.object({
    ...envelope,
    node,
    holds: z.array(z.object({ allocation, report })),
    reportNumber: index,
    publicKey: z.string(),
    nonce: z.string(),
    signature: z.string(),
  }),
  'register-response': z.discriminatedUnion('kind', [
    z.object({ ...envelope, kind: z.literal('accepted'), index, heartbeatTtlMs: z.number().positive(), node }),
    z.object({ ...envelope, kind: z.literal('challenge'), nonce: z.string().min(1) }),
    z.object({ ...envelope, kind: z.literal('refused'), reason: z.string(), remedy: z.string() }),
  ]),
  heartbeat: z.object({ ...envelope, version: index }),
  'heartbeat-response': z.object({ ...envelope, version: index, index, isKnown: z.boolean(), heartbeatTtlMs: z.number().positive() }),
  desired: desiredSet,
  pull: z.object({ ...envelope, nodeId: z.string().min(1) }),
  'pull-response': z.object({ ...envelope, parts: z.array(desiredSet).min(1) }),
  report: z.object({ ...envelope, nodeId: z.string().min(1), number: index, reports: z.array(report) }),
  'report-response': z.object({ ...envelope, number: index, isKnown: z.boolean() }),
}

const packr = new Packr({ useRecords: false })

export function encodeMessage<Kind extends MessageKind>(kind: Kind, message: Messages[Kind]): Uint8Array {
  // The packer hands out a slice of a larger buffer, which a message that waits would keep alive.
  return Uint8Array.from(packr.pack([PROTOCOL_FORMAT, kind, message]))
}

/** @throws OrchestratorError PROTOCOL when the bytes are no such message of this format, with what is wrong where */
export function decodeMessage<Kind extends MessageKind>(kind: Kind, payload: Uint8Array): Messages[Kind] {
  const [format, found, message] = unpack(payload)
  if (format !== PROTOCOL_FORMAT || found !== kind) {
    const facts = { format, kind: found }
    throw new OrchestratorError(
      'PROTOCOL',
      `expected a ${kind} message of format ${PROTOCOL_FORMAT}, got ${String(found)} of ${String(format)}`,
      facts,
    )
  }
  const result = schemas[kind].safeParse(message)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new OrchestratorError('PROTOCOL', `the ${kind} message is malformed at ${issue.path.join('.') || '(top)'}: ${issue.message}`, {
    kind,
  })
}

function unpack(payload: Uint8Array): readonly unknown[] {
  let value: unknown
  try {
    value = packr.unpack(payload)
  } catch (cause) {
    throw new OrchestratorError('PROTOCOL', 'a message is no msgpack', { sizeBytes: payload.length }, cause)
  }
  return Array.isArray(value) ? value : []
}

/** Values of the rpc methods, in the same packing; `rpc.ts` says their types. */
export function encodeValue(value: unknown): Uint8Array {
  return Uint8Array.from(packr.pack(value))
}

/** @throws OrchestratorError PROTOCOL */
export function decodeValue(payload: Uint8Array): unknown {
  try {
    return packr.unpack(payload)
  } catch (cause) {
    throw new OrchestratorError('PROTOCOL', 'a message is no msgpack', { sizeBytes: payload.length }, cause)
  }
}

/**
 * Tells a lost or doubled entry; order does not matter and the ids are of the server's own making, so 2 × 32 bits of a
 * plain mixing function are enough. 16 hex digits.
 */
export function hashEntries(entries: readonly DesiredEntry[]): string {
  let high = 0
  let low = 0
  for (const entry of entries) {
    const text = entry.join(' ')
    high = (high + mixText(text, 0x9e3779b9)) >>> 0
    low = (low + mixText(text, 0x85ebca6b)) >>> 0
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

function mixText(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return (hash ^ (hash >>> 16)) >>> 0
}
