/**
 * Messages as bytes, in msgpack. What arrives is checked before anyone acts on it, so a damaged message is an error with its place
 * and never half an order.
 */
import { Packr } from 'msgpackr/pack'
import * as z from 'zod'
import type { Allocation, AllocationReport, Job, Node } from '../domain/index.js'
import type {
  DataFound,
  DataRequest,
  DataResponse,
  DesiredEntry,
  DesiredSet,
  EndedRequest,
  EndedResponse,
  Envelope,
  HeartbeatRequest,
  HeartbeatResponse,
  IdentityRequest,
  IdentityResponse,
  PullRequest,
  PullResponse,
  RegisterRequest,
  RegisterResponse,
  ReportRequest,
  ReportResponse,
  StartingRequest,
  StartingResponse,
} from './protocol.js'
import { DroppedMessage } from './seal.js'

export interface Messages {
  readonly starting: StartingRequest
  readonly 'starting-response': StartingResponse
  readonly register: RegisterRequest
  readonly 'register-response': RegisterResponse
  readonly heartbeat: HeartbeatRequest
  readonly 'heartbeat-response': HeartbeatResponse
  readonly desired: DesiredSet
  readonly pull: PullRequest
  readonly 'pull-response': PullResponse
  readonly report: ReportRequest
  readonly 'report-response': ReportResponse
  readonly data: DataRequest
  readonly 'data-response': DataResponse
  readonly identity: IdentityRequest
  readonly 'identity-response': IdentityResponse
  readonly ended: EndedRequest
  readonly 'ended-response': EndedResponse
}

export type MessageKind = keyof Messages

/** Bodies are the wire's own objects; only what identifies them is checked, for they were checked when they were stored. */
const identified = z.looseObject({ ID: z.string().min(1) })
const allocation = z.custom<Allocation>((value) => identified.safeParse(value).success, 'an allocation with its ID')
const job = z.custom<Job>((value) => identified.safeParse(value).success, 'a job with its ID')
const node = z.custom<Node>((value) => identified.safeParse(value).success, 'a node with its ID')
const reported = z.looseObject({ ID: z.string().min(1), ClientStatus: z.string(), TaskStates: z.looseObject({}) })
const report = z.custom<AllocationReport>((value) => reported.safeParse(value).success, 'a report with ID, ClientStatus and TaskStates')

const index = z.number().int().nonnegative()
const serverKeys = z.array(z.string()).min(1)
const envelope = { clusterId: z.string(), epoch: index }

const desiredSet = z.object({
  ...envelope,
  nodeId: z.string().min(1),
  version: index,
  baseVersion: index,
  count: index,
  hash: z.string(),
  entries: z.array(z.tuple([z.string(), index, z.enum(['run', 'stop'])])),
  bodies: z.array(allocation),
  jobs: z.array(job),
})

const namespace = z.string().min(1)
const dataQuestion = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['variable', 'key']), namespace, path: z.string() }),
  z.object({ kind: z.enum(['variables', 'keys']), namespace, prefix: z.string() }),
  z.object({ kind: z.literal('service'), namespace, name: z.string() }),
  z.object({ kind: z.literal('services'), namespace }),
])
/** Rows of the server's tables, checked when they were stored. */
const found = z.looseObject({ kind: z.string() })
const dataFound = z.custom<DataFound>((value) => found.safeParse(value).success, 'what was found')

const schemas: { readonly [Kind in MessageKind]: z.ZodType<Messages[Kind]> } = {
  starting: z.object({ ...envelope, nonce: z.string() }),
  'starting-response': z.discriminatedUnion('kind', [
    z.object({ ...envelope, kind: z.literal('challenge'), nonce: z.string().min(1) }),
    z.object({ ...envelope, kind: z.literal('heard'), heartbeatTtlMs: z.number().positive() }),
    z.object({ ...envelope, kind: z.literal('unknown') }),
  ]),
  register: z.object({
    ...envelope,
    node,
    holds: z.array(z.object({ allocation, report })),
    reportNumber: index,
    nonce: z.string(),
  }),
  'register-response': z.discriminatedUnion('kind', [
    z.object({
      ...envelope,
      kind: z.literal('accepted'),
      index,
      heartbeatTtlMs: z.number().positive(),
      node,
      serverKeys,
      reconnected: z.array(z.string()).optional(),
    }),
    z.object({ ...envelope, kind: z.literal('challenge'), nonce: z.string().min(1) }),
    z.object({
      ...envelope,
      kind: z.literal('refused'),
      reason: z.string(),
      remedy: z.string(),
      stopTasksAfterMs: z.number().nonnegative().nullable(),
    }),
  ]),
  heartbeat: z.object({ ...envelope, version: index }),
  'heartbeat-response': z.object({
    ...envelope,
    version: index,
    index,
    isKnown: z.boolean(),
    isDeclared: z.boolean(),
    heartbeatTtlMs: z.number().positive(),
    serverKeys,
  }),
  desired: desiredSet,
  pull: z.object({ ...envelope, nodeId: z.string().min(1) }),
  'pull-response': desiredSet,
  report: z.object({ ...envelope, nodeId: z.string().min(1), number: index, reports: z.array(report) }),
  'report-response': z.object({ ...envelope, number: index, isKnown: z.boolean() }),
  data: z.object({ ...envelope, questions: z.array(z.tuple([dataQuestion, z.string()])) }),
  'data-response': z.object({ ...envelope, answers: z.array(z.object({ key: z.string(), version: z.string(), found: dataFound })) }),
  identity: z.object({ ...envelope, allocationId: z.string().min(1), task: z.string().min(1), identities: z.array(z.string()).max(100) }),
  'identity-response': z.discriminatedUnion('kind', [
    z.object({
      ...envelope,
      kind: z.literal('signed'),
      tokens: z.array(z.object({ identity: z.string(), token: z.string().min(1), expiresMs: z.number().nullable() })),
    }),
    z.object({ ...envelope, kind: z.literal('refused'), reason: z.string() }),
  ]),
  ended: z.object({ ...envelope, ids: z.array(z.string()) }),
  'ended-response': z.object({ ...envelope, forgotten: z.array(z.string()) }),
}

const packr = new Packr({ useRecords: false })

export function encodeMessage<Kind extends MessageKind>(_kind: Kind, message: Messages[Kind]): Uint8Array {
  return encodeValue(message)
}

/** @param seal that it came under, which must say the same of cluster and epoch. @throws DroppedMessage malformed, with what is wrong where */
export function decodeMessage<Kind extends MessageKind>(kind: Kind, body: Uint8Array, seal: Envelope): Messages[Kind] {
  const result = schemas[kind].safeParse(decodeValue(body))
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new DroppedMessage('malformed', `the ${kind} message is malformed at ${issue.path.join('.') || '(top)'}: ${issue.message}`, {
      kind,
    })
  }
  const { clusterId, epoch } = result.data
  if (clusterId !== seal.clusterId || epoch !== seal.epoch)
    throw new DroppedMessage(
      'malformed',
      `the ${kind} message says epoch ${epoch} of ${clusterId}, its seal ${seal.epoch} of ${seal.clusterId}`,
    )
  return result.data
}

/** Values of the rpc methods, in the same packing; `rpc.ts` says their types. */
export function encodeValue(value: unknown): Uint8Array {
  // The packer hands out a slice of a larger buffer, which a message that waits would keep alive.
  return Uint8Array.from(packr.pack(value))
}

/** @throws DroppedMessage malformed */
export function decodeValue(body: Uint8Array): unknown {
  try {
    return packr.unpack(body)
  } catch (cause) {
    throw new DroppedMessage('malformed', 'a message is no msgpack', { sizeBytes: body.length }, cause)
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
