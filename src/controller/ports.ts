/** What the inner layers ask of the world. The real adapters and the simulated ones implement these and nothing more. */
import type { Commit, Job, JobOrder, JobSource, LogIndex, Mistake } from '../domain/index.js'
import type { JobName, ParseRequest, Syntax } from '../jobspec/index.js'
import type { SignatureFact } from './trust/trust-rules.js'

export type { Bus, BusMessage, Clock, Logger, Random } from '../domain/index.js'

/** One durable write: the Commands from `firstIndex` on, chained to the record before it. Made by `log-record.ts`. */
export interface LogRecord {
  readonly firstIndex: LogIndex
  readonly count: number
  readonly epoch: number
  /** Hash of the record before; empty for the first. */
  readonly previousHash: string
  /** SHA-256 over everything else: links the chain and detects damage. */
  readonly hash: string
  /** The encoded Commands, at most 768 KiB. */
  readonly payload: Uint8Array
}

/**
 * How an append ended. `refused`: another epoch wrote first, the place was taken, or the disk failed: the process has
 * decided things that never happened and must be rebuilt from the log. An unknown outcome is no third answer: the
 * adapter repeats the same batch under the same identity until the lease ends, then says `refused`.
 */
export type AppendOutcome = { readonly kind: 'durable' } | { readonly kind: 'refused'; readonly reason: string }

/** A cut of the state at `index`, encoded. Put in place only once the durable index has passed it. */
export interface Snapshot {
  readonly index: LogIndex
  readonly epoch: number
  /** Hash of the last record that the cut contains. */
  readonly chainHash: string
  readonly checksum: string
  readonly bytes: Uint8Array
}

export interface CommandLog {
  /** The newest sound snapshot. @throws DataDamagedError when there are snapshots and none is sound */
  loadSnapshot(): Promise<Snapshot | undefined>
  /** Records in order, the first being the one that holds `fromIndex`. @throws DataDamagedError on a gap or a broken chain */
  read(fromIndex: LogIndex): AsyncIterable<LogRecord>
  /**
   * Appends one record, all or nothing. Resolves only when it is durable, or can never become so. The first append of a
   * new epoch takes the lead: it succeeds only right behind the last record, and every older epoch is refused after it.
   */
  append(record: LogRecord): Promise<AppendOutcome>
  /** Keeps two, and trims the log below the older. */
  saveSnapshot(snapshot: Snapshot): Promise<void>
  /** Monotonic time at which this process was last known to lead, and how long that holds. `leaseMs` Infinity: until it dies. */
  lease(): { readonly confirmedMs: number; readonly leaseMs: number }
  close(): Promise<void>
}

/** One entry of a commit's tree, read from git objects, never from a checkout. */
export interface TreeEntry {
  readonly path: string
  readonly blob: string
  readonly mode: 'file' | 'executable' | 'symlink' | 'gitlink'
}

export type BlobContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-large'; readonly sizeBytes: number }

export interface GitSource {
  /** The commit that the tracked ref names now. @throws OrchestratorError GIT_* with what to mend */
  resolve(): Promise<Commit>
  /** Every entry of the commit, ordered by path. What did not change since the last call is the same object again. */
  list(commitId: string): Promise<readonly TreeEntry[]>
  /** Contents by blob id. A larger one is told by its size only. @throws OrchestratorError GIT_OBJECT when one is missing */
  read(blobs: readonly string[], maxBytes: number): Promise<ReadonlyMap<string, BlobContent>>
  isAncestor(ancestorId: string, descendantId: string): Promise<boolean>
  /** Whether older history was cut off (`git clone --depth`), so that an ancestor may not be found as one. */
  isShallow(): Promise<boolean>
  /**
   * Commits that `toId` reaches and `fromId` does not, whichever parent they came by, oldest first, the newest `limit` of them. Where
   * `fromId` is null only `toId`; where it is gone from the repository, all that `toId` reaches.
   */
  commitsBetween(fromId: string | null, toId: string, limit: number): Promise<readonly Commit[]>
  /** Calls back whenever the ref may have moved; too often is fine. Returns the way to stop. */
  watch(onChange: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** Whose keys are believed, and what git finds of the signatures of commits. @throws OrchestratorError GIT_SIGNATURE */
export interface CommitSignatures {
  /** Reads the keys as they are now. @returns what stands for all of them */
  prepare(): Promise<string>
  read(commitIds: readonly string[]): Promise<ReadonlyMap<string, SignatureFact>>
  /**
   * Paths that the commit itself changes. Of a merge: those that it does not have as a merge makes them by itself, where one side alone has
   * changed them.
   */
  touched(commitId: string): Promise<readonly string[]>
}

/** A request to merge into the branch that is followed. */
export interface MergeRequest {
  readonly number: number
  readonly headId: string
  /** By which the repository gives it out. */
  readonly ref: string
}

export interface CommitStatus {
  readonly state: 'success' | 'failure'
  readonly description: string
}

/** Where people look at requests. @throws OrchestratorError FORGE with what to mend */
export interface Forge {
  openRequests(branch: string): Promise<readonly MergeRequest[]>
  setStatus(commitId: string, status: CommitStatus): Promise<void>
  /** Writes the comment that begins with `marker`, or rewrites it where it is there. */
  putComment(request: number, marker: string, body: string): Promise<void>
}

/** How an attempt to fetch ended. `problem` is a sentence with the remedy, `retryAfterMs` what the remote asks to wait. */
export type FetchOutcome =
  | { readonly kind: 'fetched' }
  /** `isMissing`: the remote answered, and has nothing of that name. */
  | { readonly kind: 'failed'; readonly problem: string; readonly retryAfterMs: number | null; readonly isMissing: boolean }

/** A repository elsewhere, of which a copy is kept here. */
export interface RemoteRepository {
  /** As it may be shown: without credentials. */
  readonly url: string
  /** Brings the copy up to date. Never throws, and changes nothing unless all of it is there. `isAnnounced`: something new is expected. */
  update(isAnnounced: boolean): Promise<FetchOutcome>
}

/**
 * The first half of parsing: text to syntax, where CPU and memory are not bounded by us. `aborted` means "not read yet"
 * (the worker died or ran out of time): it is retried and never recorded as the author's mistake.
 */
export interface SyntaxReader {
  read(path: string, text: string): Promise<SyntaxOutcome>
  close(): Promise<void>
}

/** A job file with everything that it reads, to a job that is checked in full. */
export interface JobReader {
  read(path: string, tree: JobFileTree, options: JobFileOptions): Promise<JobFileOutcome>
  close(): Promise<void>
}

export type SyntaxOutcome =
  | { readonly kind: 'syntax'; readonly syntax: Syntax }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | { readonly kind: 'aborted'; readonly reason: string }

/** One state of the repository. Paths are relative to its root. */
export interface JobFileTree {
  has(path: string): boolean
  /** Every path below the folder, in order; '' is the root. */
  list(folder: string): readonly string[]
  /** What stands for the content of a path, as `SourceInput.blob` has it. */
  blobOf(path: string): string
  /** A mistake for what is no plain text file: links, submodules, LFS pointers, wrong encoding, too large. */
  read(path: string): Promise<{ readonly text: string } | { readonly mistake: Mistake }>
}

export type JobFileOptions = Pick<
  ParseRequest,
  'variables' | 'variableFiles' | 'environment' | 'isStrict' | 'namespace' | 'nodePools' | 'overlay' | 'limits' | 'support'
>

export type JobFileOutcome =
  | {
      readonly kind: 'job'
      readonly job: Job
      readonly order?: JobOrder | undefined
      readonly warnings: readonly string[]
      readonly inputs: JobSource['inputs']
    }
  | {
      readonly kind: 'mistakes'
      readonly mistakes: readonly Mistake[]
      /** The job that the file's text names, where its folder means a namespace and that much can be read. */
      readonly names?: JobName | undefined
      /** All that was looked at, also what was not there: as long as it stays so, so do the mistakes. Absent: not known. */
      readonly inputs?: JobSource['inputs'] | undefined
    }
  /** Not read this time, which says nothing of the file: to be tried again. */
  | { readonly kind: 'aborted'; readonly reason: string }

/** Signs tokens that prove who a task is. */
export interface IdentitySigner {
  /** JSON web keys, without what is secret of them. */
  readonly publicKeys: readonly Readonly<Record<string, string>>[]
  /** A JSON web token in its compact form. */
  sign(claims: IdentityClaims): Promise<string>
}

/** Members of a JSON web token. Times in seconds. */
export interface IdentityClaims {
  readonly aud?: string | readonly string[]
  readonly iat: number
  readonly nbf: number
  readonly exp?: number
  readonly jti: string
  readonly sub: string
  readonly nomad_allocation_id: string
  readonly nomad_job_id: string
  readonly nomad_namespace: string
  readonly nomad_task: string
}
