/**
 * What server and agent say to each other over the bus. Every message carries the cluster id and the epoch of the leader it belongs
 * to. `messages.ts` encodes and checks them, `seal.ts` signs them and cuts them into what the bus carries.
 */
import type { Allocation, AllocationReport, Job, Node, ServiceRegistration, Variable } from '../domain/index.js'

export const PROTOCOL_FORMAT = 2

export interface Subjects {
  readonly starting: (nodeId: string) => string
  readonly register: (nodeId: string) => string
  readonly heartbeat: (nodeId: string) => string
  readonly desired: (nodeId: string) => string
  /** What an answer has beyond its first part, and the whole answer to a question of several parts. */
  readonly answer: (nodeId: string) => string
  readonly pull: (nodeId: string) => string
  readonly report: (nodeId: string) => string
  readonly data: (nodeId: string) => string
  readonly identity: (nodeId: string) => string
  readonly ended: (nodeId: string) => string
  readonly rpc: (nodeId: string, method: RpcMethod) => string
}

export function subjects(region: string): Subjects {
  const of = (nodeId: string, last: string) => `drover.${region}.agent.${nodeId}.${last}`
  return {
    starting: (nodeId) => of(nodeId, 'starting'),
    register: (nodeId) => of(nodeId, 'register'),
    heartbeat: (nodeId) => of(nodeId, 'heartbeat'),
    desired: (nodeId) => of(nodeId, 'desired'),
    answer: (nodeId) => of(nodeId, 'answer'),
    pull: (nodeId) => of(nodeId, 'pull'),
    report: (nodeId) => of(nodeId, 'report'),
    data: (nodeId) => of(nodeId, 'data'),
    identity: (nodeId) => of(nodeId, 'identity'),
    ended: (nodeId) => of(nodeId, 'ended'),
    rpc: (nodeId, method) => of(nodeId, `rpc.${method}`),
  }
}

/** What a host asks of its server. */
export const QUESTION_KINDS = ['starting', 'register', 'heartbeat', 'pull', 'report', 'data', 'identity', 'ended'] as const
export type QuestionKind = (typeof QUESTION_KINDS)[number]

/** Every message: which cluster, and the highest epoch its sender knows. An agent obeys no older epoch. */
export interface Envelope {
  readonly clusterId: string
  readonly epoch: number
}

/**
 * agent → server: I am being started, and will register once I have found again what runs. Until then the host counts as heard. A nonce
 * proves, as in a registration, that it is said now.
 */
export interface StartingRequest extends Envelope {
  readonly nonce: string
}

/** `unknown`: not among the hosts that are waited for, so there is nothing to be said before it registers. */
export type StartingResponse =
  | (Envelope & { readonly kind: 'challenge'; readonly nonce: string })
  | (Envelope & { readonly kind: 'heard'; readonly heartbeatTtlMs: number })
  | (Envelope & { readonly kind: 'unknown' })

/** agent → server: I am here, this is what I have, this is what runs. `clusterId` is empty for an agent that never joined. */
export interface RegisterRequest extends Envelope {
  /** Everything the node itself knows; the server adds pool, eligibility and drain from its declaration. */
  readonly node: Node
  /** Allocations whose processes run or whose end is not yet acknowledged, with what the agent last reported. */
  readonly holds: readonly { readonly allocation: Allocation; readonly report: AllocationReport }[]
  /** Of the newest report ever made; 0 on a fresh disk, where numbers begin again. */
  readonly reportNumber: number
  /** Of an earlier answer: proves, under this host's seal, that the request is made now. Empty on the first try. */
  readonly nonce: string
}

/** Public keys by which a host knows its server from now on: that of today, and that of tomorrow while it is being changed. */
export type ServerKeys = readonly string[]

export type RegisterResponse =
  | (Envelope & {
      readonly kind: 'accepted'
      readonly index: number
      readonly heartbeatTtlMs: number
      /** The node as declared and stored: its name, pool, class and meta are what tasks see in their environment. */
      readonly node: Node
      readonly serverKeys: ServerKeys
      /** Allocations that the host holds and that were out of sight until now. */
      readonly reconnected?: readonly string[] | undefined
    })
  | (Envelope & { readonly kind: 'challenge'; readonly nonce: string })
  | (Envelope & {
      readonly kind: 'refused'
      readonly reason: string
      readonly remedy: string
      /** A host that is not declared runs nothing after so long; null: it is refused for something else, and runs on. */
      readonly stopTasksAfterMs: number | null
    })

export interface HeartbeatRequest extends Envelope {
  /** Version of the desired set that the agent holds whole; 0 before the first. */
  readonly version: number
}

/** `version` newer than the agent's: pull. `isKnown` false: register again. */
export interface HeartbeatResponse extends Envelope {
  readonly version: number
  readonly index: number
  readonly isKnown: boolean
  /** False: its declaration is gone, it gets nothing new, and what it runs is moved away in time. */
  readonly isDeclared: boolean
  readonly heartbeatTtlMs: number
  readonly serverKeys: ServerKeys
}

/** One allocation of the set, as id, modify index and what is wanted. `evict` and `stop` both end it. */
export type DesiredEntry = readonly [id: string, modifyIndex: number, want: 'run' | 'stop']

/**
 * The whole set of one node at `version`, the durable index at which it last changed. Ids are all there in every set;
 * bodies only of what changed since `baseVersion` (0: all).
 */
export interface DesiredSet extends Envelope {
  readonly nodeId: string
  readonly version: number
  readonly baseVersion: number
  /** Number and hash of all entries. */
  readonly count: number
  readonly hash: string
  readonly entries: readonly DesiredEntry[]
  readonly bodies: readonly Allocation[]
  /** The job versions that the bodies run, each once. */
  readonly jobs: readonly Job[]
}

export interface PullRequest extends Envelope {
  readonly nodeId: string
}

/** The set in full. */
export type PullResponse = DesiredSet

/** From the outbox, numbered per node and never reused; repeated until acknowledged by the current epoch. */
export interface ReportRequest extends Envelope {
  readonly nodeId: string
  readonly number: number
  readonly reports: readonly AllocationReport[]
}

/** Sent when the report is durable. `isKnown` false: the node must register first; the outbox keeps the report. */
export interface ReportResponse extends Envelope {
  readonly number: number
  readonly isKnown: boolean
}

/** server → agent. Streamed answers; each method has its own part type in `agent/rpc.ts`. */
export type RpcMethod =
  | 'logs'
  | 'fs-list'
  | 'fs-stat'
  | 'fs-read'
  | 'stats'
  | 'restart'
  | 'signal'
  | 'checks'
  | 'exec'
  | 'exec-input'
  | 'gc'

/** What templates read, in the namespace of a job that runs on the asking host. */
export type DataQuestion = { readonly namespace: string } & (
  | { readonly kind: 'variable' | 'key'; readonly path: string }
  /** What is below a prefix: variables without their values, keys with them. */
  | { readonly kind: 'variables' | 'keys'; readonly prefix: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'services' }
)

export function dataKey(question: DataQuestion): string {
  return JSON.stringify(question)
}

/** agent → server: everything that templates of this host read, each with the version that is known. A newer request takes the place of one that is held. */
export interface DataRequest extends Envelope {
  readonly questions: readonly (readonly [question: DataQuestion, version: string])[]
}

/** Held until an answer is not of the version known, at most `DATA_HELD_MS`; only those are in it. */
export interface DataResponse extends Envelope {
  readonly answers: readonly DataAnswer[]
}

export const DATA_HELD_MS = 60_000

export interface DataAnswer {
  readonly key: string
  readonly version: string
  readonly found: DataFound
}

export type DataFound =
  | { readonly kind: 'absent' }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'variables'; readonly variables: readonly Omit<Variable, 'Items'>[] }
  | { readonly kind: 'keys'; readonly pairs: readonly DataPair[] }
  | { readonly kind: 'service'; readonly instances: readonly DataInstance[] }
  | { readonly kind: 'services'; readonly services: readonly { readonly name: string; readonly tags: readonly string[] }[] }

export interface DataPair {
  readonly path: string
  readonly value: string
  /** Jobs that may have it where it is encrypted. */
  readonly readers?: readonly string[]
  readonly createIndex: number
  readonly modifyIndex: number
}

export interface DataInstance {
  readonly registration: ServiceRegistration
  readonly nodeName: string
  readonly nodeAddress: string
}

/** agent → server: tokens that prove who a task is, for identities that it asks for in its job. */
export interface IdentityRequest extends Envelope {
  readonly allocationId: string
  readonly task: string
  readonly identities: readonly string[]
}

export type IdentityResponse = Envelope &
  (
    | { readonly kind: 'signed'; readonly tokens: readonly IdentityToken[] }
    /** The server knows of no such task on this host, or of no such identity. */
    | { readonly kind: 'refused'; readonly reason: string }
  )

export interface IdentityToken {
  readonly identity: string
  /** A JSON web token, signed by the server. */
  readonly token: string
  /** Wall ms; null: valid as long as its key. */
  readonly expiresMs: number | null
}

/** agent → server: allocations that have ended here and whose files are kept. */
export interface EndedRequest extends Envelope {
  readonly ids: readonly string[]
}

export interface EndedResponse extends Envelope {
  /** Those that the server knows nothing of: nobody will look at them any more. */
  readonly forgotten: readonly string[]
}
