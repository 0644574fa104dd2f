/** Where desired state comes from: a git repository, its commits, and what each job owes to them. Drover's own notions. */

import type { OutcomeSeconds } from './histogram.js'
import type { JobOrder, JobRef } from './job-order.js'

/** The source that every cluster has: the one that declares hosts. */
export const SOURCE_DEFAULT = 'default'

/** What came from a source carries its id; absent: from the first, which is also that of everything older than there were several. */
export interface Sourced {
  readonly sourceId?: string
}

export function sourceIdOf({ sourceId }: Sourced): string {
  return sourceId ?? SOURCE_DEFAULT
}

/** As rows carry it. */
export function sourced(sourceId: string): Sourced {
  return sourceId === SOURCE_DEFAULT ? {} : { sourceId }
}

/** What a source may have in its files; names may end in `*`, which stands for any rest. */
export interface SourceLimits {
  readonly namespaces: readonly string[]
  readonly nodePools: readonly string[]
  readonly drivers: readonly string[]
  /** Tasks that are more than a guest on their host. */
  readonly privileged: boolean
  readonly hostVolumes: readonly string[]
  readonly priorityMax: number
}

/** A namespace that a source other than the first describes, or a variable that it sets. */
export interface SourceClaim {
  readonly sourceId: string
  readonly kind: 'namespace' | 'variable'
  readonly namespace: string
  /** Of a variable; empty for a namespace. */
  readonly path: string
}

export interface Commit {
  /** Full object id. */
  readonly id: string
  readonly author: string
  readonly authorEmail: string
  readonly atMs: number
  readonly subject: string
  /** `Drover-*` trailers in order of appearance. */
  readonly trailers: readonly { readonly key: string; readonly value: string }[]
}

/** One mistake an author made, where, and how to mend it. Lines and columns count from 1; 0 when unknown. */
export interface Mistake {
  readonly path: string
  readonly line: number
  readonly column: number
  /** The place right behind it; absent when unknown. */
  readonly end?: { readonly line: number; readonly column: number }
  readonly summary: string
  readonly detail: string
  /** The source line with a caret under it, when the place is known. */
  readonly snippet: string
  /** How many more mistakes of the file this one stands for; absent: it is one itself. */
  readonly more?: number
}

/** Of the file as a whole, or at a place that nobody knows. */
export function mistakeOfFile(path: string, summary: string, detail: string): Mistake {
  return { path, line: 0, column: 0, summary, detail, snippet: '' }
}

/** `path:line:column`, or the path alone for what concerns the file as a whole. */
export function placeText({ path, line, column }: Pick<Mistake, 'path' | 'line' | 'column'>): string {
  return line === 0 ? path : `${path}:${line}:${column}`
}

/**
 * One thing that a job was made from. `blob` stands for its content: the git object of a file, '' for one that was looked for and
 * is not there, a checksum of the paths below it for a folder, whose path ends in a slash.
 */
export interface SourceInput {
  readonly path: string
  readonly blob: string
}

/** What one job owes to the repository, kept beside the job and never on Nomad's wire. */
export interface JobSource extends Sourced {
  readonly namespace: string
  readonly jobId: string
  readonly path: string
  /** Everything the job was evaluated from, the job file first: the same inputs, the same job, no work. */
  readonly inputs: readonly SourceInput[]
  /** Commit that last changed the canonical form. */
  readonly commit: Commit
  /** Job version that this commit made. */
  readonly version: number
  /** When its changes are carried out; absent: at once. */
  readonly order?: JobOrder
  /** What the file says of groups with a `scaling` block, whose count a scaler may move. */
  readonly counts?: Readonly<Record<string, number>>
}

/** Which commit one version of a job comes from. A version that was made by going back has the content, and so the commit, of an older one. */
export interface VersionSource extends Sourced {
  readonly namespace: string
  readonly jobId: string
  readonly createIndex: number
  readonly version: number
  readonly path: string
  readonly commit: Commit
  /** The version whose content it repeats; null for one that a commit made. */
  readonly revertOf: number | null
  /** A scaler has moved a count of what the commit made; all else is the commit's. */
  readonly isScaled?: true
}

/** What runs of a job, held against what the repository asks for. */
export interface Standing {
  /** The current version, and the commit that its content comes from; null where it came from no commit. */
  readonly version: number
  readonly commit: Commit | null
  /** The older version whose content it repeats; null for one of its own. */
  readonly revertOf: number | null
  readonly setAside: SetAside | null
}

/** What the file says and what does not run: its version failed, and is not tried again before the file says something else. */
export interface SetAside {
  readonly version: number
  readonly commit: Commit
  readonly path: string
  /** Why its roll-out failed; empty where the roll-out is not kept any more. */
  readonly reason: string
}

/** A file that could not be read as a job at the newest commit. The job it last defined, if any, stays as it was. */
export interface FrozenFile extends Sourced {
  readonly path: string
  readonly blob: string
  /** The job this path defined when it was last sound, or else the one that its text names; null where neither is known. */
  readonly namespace: string | null
  readonly jobId: string | null
  /** Of that job; absent: none that is known. */
  readonly bundle?: string
  /** The other source that has what the file asks for; with it the mistake goes. */
  readonly takenBy?: string
  /** Jobs that it names and nobody defines; the mistake goes when somebody does. */
  readonly missing?: readonly JobRef[]
  readonly mistakes: readonly Mistake[]
}

/** A removal or rewind that waits for a commit trailer, or a commit that waits for signatures. */
export interface Held {
  readonly reason: 'mass-deletion' | 'unreadable-files' | 'rewind' | 'untrusted'
  readonly commit: string
  readonly jobs: readonly { readonly namespace: string; readonly jobId: string }[]
  readonly remedy: string
}

/** A source of the cluster, as of its last completed sync. */
export interface SourceStatus {
  readonly id: string
  readonly ref: string
  /** With which it was read; absent: without one. */
  readonly overlay?: string
  /** The commit that desired state stands at; null before the first. */
  readonly commit: Commit | null
  readonly held: Held | null
  /** The newest commit that was verified with all before it; absent where signatures of all are not asked for. */
  readonly verified?: VerifiedCommit
  readonly modifyIndex: number
}

/** A commit whose signature counts, as do those of all commits between it and `root`. */
export interface VerifiedCommit {
  readonly root: string
  readonly id: string
}

/** How it stands with the repository elsewhere that this server follows. Times of this server's life only. */
export interface RemoteStatus {
  /** Without credentials. */
  readonly url: string
  /** Why the last fetch failed; null: it did not, or there was none yet. */
  readonly problem: string | null
  /** When the remote was last fetched, and how long ago; null: not since this server runs. */
  readonly fetchedAtMs: number | null
  readonly ageMs: number | null
  readonly fetches: number
  readonly failuresInARow: number
  /** How long the last fetch took. */
  readonly fetchMs: number
  /** Until the remote is asked again; 0: it is being asked. */
  readonly nextInMs: number
}

/** Looks at a repository since this server runs, of those that have ended. */
export interface LookCounts {
  readonly seconds: OutcomeSeconds
  /** Since the last one that succeeded; null: there was none. */
  readonly ageMs: number | null
  /** Signatures that were read, by what was found of them; none where nobody asks for them. */
  readonly signatures: Readonly<Record<string, number>>
}

/** How it stands with a source that is followed, beside what the state knows of it. */
export interface FollowedHealth {
  readonly id: string
  readonly ref: string
  /** With which its files are read; null: without one. */
  readonly overlay: string | null
  /** Why the repository could not be read the last time; null: it could. */
  readonly problem: string | null
  /** The remote that is followed; null: the repository is on this machine. */
  readonly remote: RemoteStatus | null
  /** How long the remote takes to answer; null: there is none. */
  readonly fetchSeconds: OutcomeSeconds | null
  /** What its files may say; null: anything. */
  readonly limits: SourceLimits | null
  /** Null: nobody looks here. */
  readonly looks: LookCounts | null
}

/** A host as `agents/**` declares it. Only declared hosts may join, each proving its key. */
export interface NodeDeclaration {
  readonly name: string
  readonly path: string
  readonly pool: string
  readonly nodeClass: string
  readonly datacenter: string
  readonly meta: Readonly<Record<string, string>>
  /** The host's nkey; empty when `dev` is to bind one of its agents. */
  readonly publicKey: string
  readonly reserved: { readonly cpuMhz: number; readonly memoryMb: number; readonly diskMb: number; readonly ports: string }
  readonly hostVolumes: Readonly<Record<string, { readonly path: string; readonly readOnly: boolean }>>
  readonly isEligible: boolean
  /** What runs there is to be moved away; null: it may stay. */
  readonly drain: DeclaredDrain | null
}

export interface DeclaredDrain {
  /** What is left then is stopped; 0: it takes as long as it takes. */
  readonly deadlineMs: number
  /** Does not wait for the health of what replaces it. */
  readonly isForced: boolean
  readonly ignoresSystemJobs: boolean
}

export const DRAIN_DEADLINE_MS_DEFAULT = 3_600_000
