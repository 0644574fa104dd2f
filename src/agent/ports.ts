/** What the agent asks of its host. Real adapters and the simulated host implement these. */
import type { AllocatedDeviceResource, Allocation, Job, Node, Task, TaskArtifact } from '../domain/index.js'
import type { Driver, TaskDirectories } from './driver.js'
import type { NetworkPort } from './network.js'
import type { FileEntry, HostStats } from './rpc.js'

/** What a task asks for and nobody would carry out is told before anything of it is run, rather than left out. */
export type RefusalOf = (job: Job, group: string, task: string) => string | undefined

export interface TaskProgram {
  readonly command: string
  readonly args: readonly string[]
  /** It is ended after so long. */
  readonly timeoutMs: number
}

export interface ProgramResult {
  readonly exitCode: number
  /** Of both streams, the first part. */
  readonly output: string
}

/** Writing and reading in the folder of a task, never through a link that leads out of it. */
export interface TaskFiles {
  /**
   * Puts a whole file in place of what is there. False: it held just that before.
   * @throws OrchestratorError PATH_ESCAPES
   */
  write(file: NewTaskFile): Promise<boolean>
  /** `root` is the task's folder. @throws OrchestratorError NO_SUCH_FILE, PATH_ESCAPES */
  read(root: string, path: string): Promise<Uint8Array>
  /** A link at `path` to a folder of the host; what was there must be a link or nothing. @throws OrchestratorError PATH_ESCAPES, PATH_TAKEN */
  link(link: { readonly root: string; readonly path: string; readonly target: string }): Promise<void>
}

export interface NewTaskFile {
  /** Path of the task's folder; `path` is below it, or below the allocation's shared folder by `../alloc/…`. */
  readonly root: string
  readonly path: string
  readonly content: Uint8Array
  readonly mode: number
  /** `user`, `uid` or `uid:gid`; empty: nobody in particular. */
  readonly owner: string
}

export interface ArtifactDownload {
  readonly artifact: TaskArtifact
  readonly taskFolder: string
  /** As `User` of the task. */
  readonly owner: string
  readonly signal: AbortSignal
}

export interface Artifacts {
  /** @throws OrchestratorError ARTIFACT with what people should know */
  download(request: ArtifactDownload): Promise<void>
}

/** Opens encrypted values with the keys of this host. */
export interface ValueOpener {
  /** Never rejects. */
  open(text: string): Promise<OpenedValue>
}

export type OpenedValue =
  | { readonly kind: 'opened'; readonly text: string }
  /** A sentence with the remedy. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Devices of this host. */
export interface DevicePort {
  /** What comes with those that were taken for a task. @throws OrchestratorError DEVICE when the host has one of them no more */
  grant(devices: readonly AllocatedDeviceResource[]): DeviceGrant
}

export interface DeviceGrant {
  readonly environment: Readonly<Record<string, string>>
  /** Files of devices, at the same paths in the task. */
  readonly nodes: readonly string[]
}

/** What hooks need of the host. */
export interface HookPorts {
  readonly files: TaskFiles
  readonly artifacts: Artifacts
  readonly checks: CheckPort
  readonly devices: DevicePort
  readonly network: NetworkPort
  readonly refusalOf: RefusalOf
  readonly values: ValueOpener
  /** Bytes nobody can guess, the same ones for the same purpose as long as this agent has its key. */
  stableRandom(purpose: string, size: number): Uint8Array
}

export interface CheckPort {
  /** Never rejects. */
  http(check: HttpCheck): Promise<CheckAnswer>
  tcp(check: { readonly host: string; readonly port: number; readonly timeoutMs: number }): Promise<CheckAnswer>
  grpc(check: GrpcCheck): Promise<CheckAnswer>
}

export interface GrpcCheck {
  readonly host: string
  readonly port: number
  /** Empty: the whole server. */
  readonly service: string
  readonly isTls: boolean
  readonly isTlsVerified: boolean
  readonly timeoutMs: number
}

export interface HttpCheck {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
  readonly timeoutMs: number
  readonly isTlsVerified: boolean
  readonly tlsServerName: string
}

export interface CheckAnswer {
  readonly isPassing: boolean
  readonly output: string
  /** 0 where there is none. */
  readonly statusCode: number
}

/** Small durable key-value store of one agent: intent is written before it is acted upon. */
export interface LocalStore {
  /** @throws OrchestratorError DAMAGED when what was written is there and is not what was written */
  get(key: string): unknown
  /** Puts what cannot be read where people can look at it, out of the way. */
  setAside(key: string): Promise<void>
  /** Keys that start with `prefix`, in order. */
  keys(prefix: string): readonly string[]
  /**
   * Resolves when everything given is durable, all or nothing; `undefined` deletes. What was asked for earlier becomes durable
   * earlier, also when nobody waited for it.
   */
  write(changes: Readonly<Record<string, unknown>>): Promise<void>
  close(): Promise<void>
}

/** What is below the folder of an allocation, for those who look from outside. Paths are relative and never leave it. */
export interface AllocationFiles {
  /** @throws OrchestratorError NO_SUCH_FILE, NOT_A_FOLDER, PATH_ESCAPES */
  list(allocationId: string, path: string): Promise<readonly FileEntry[]>
  /** @throws OrchestratorError NO_SUCH_FILE, PATH_ESCAPES */
  stat(allocationId: string, path: string): Promise<FileEntry>
  /**
   * At most `lengthBytes` from `offsetBytes` on; fewer only at the end. Of regular files only, and never waiting for anybody.
   * @throws OrchestratorError NO_SUCH_FILE, NOT_A_FILE, PATH_ESCAPES, SECRET_FILE
   */
  read(allocationId: string, path: string, offsetBytes: number, lengthBytes: number): Promise<Uint8Array>
  /** When the pieces of `<task>.<stream>` were written, in their order. Empty: nobody knows. @throws OrchestratorError PATH_ESCAPES */
  logSpans(allocationId: string, log: string): Promise<readonly LogSpan[]>
  /** Calls back when something in the folder may have changed; too often is fine. Returns the way to stop. */
  watch(allocationId: string, folder: string, onChange: () => void): () => void
}

/** A piece of a log, and when it was written. */
export interface LogSpan {
  /** Of the log's file. */
  readonly number: number
  /** Where in it the span begins; it ends where the next one does. */
  readonly offsetBytes: number
  readonly fromMs: number
  readonly untilMs: number
}

/** By the name of a task. */
export type IsolationOf = (taskName: string) => Driver['isolation']

/** The folders of allocations on the host. */
export interface AllocationDirectories {
  create(allocation: Allocation, tasks: readonly Task[], isolationOf: IsolationOf): Promise<void>
  /** Moves `alloc/data` and the `local` of each task from one allocation, which has ended, to another that has no folders yet. What is there is kept. */
  inherit(fromId: string, toId: string, tasks: readonly Task[]): Promise<void>
  of(allocationId: string, taskName: string): TaskDirectories
  /** What is in the secrets folders is gone; they are made anew with the next `create`. */
  forgetSecrets(allocationId: string): Promise<void>
  remove(allocationId: string): Promise<void>
  /** Allocation ids that have folders. */
  list(): Promise<readonly string[]>
}

/** What this host is: everything of a Node that the host itself knows. */
export type Fingerprint = () => Promise<Node>

export type HostUsage = () => Promise<HostStats>

/** A key that proves who speaks: the host's, or the server's. */
export interface Signer {
  readonly publicKey: string
  sign(bytes: Uint8Array): Uint8Array
}

/** Whether the signature over the bytes was made with the private half of the key. False for whatever is no key or no signature. */
export type Verify = (publicKey: string, bytes: Uint8Array, signature: Uint8Array) => boolean
