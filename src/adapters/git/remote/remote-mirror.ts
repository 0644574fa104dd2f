/**
 * A remote repository as a bare mirror in the data folder: git fetches what is followed, and everything else reads the mirror, so that a
 * remote that is away takes nothing away. What git receives is checked whole before any ref moves; a fetch that breaks off leaves nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FetchOutcome, RemoteRepository } from '../../../controller/index.js'
import { OrchestratorError } from '../../../domain/index.js'
import type { FollowedRef } from '../followed-ref.js'
import { gitArguments, gitEnvironment, runGit } from '../git-command.js'
import { refuseLargeTree, type TreeLimits } from '../tree-listing.js'
import { runGroup } from './remote-git.js'
import type { ListingFollower } from './remote-listing.js'
import type { Remote } from './remotes.js'

export interface RemoteMirrorOptions {
  readonly remote: Remote
  readonly follows: FollowedRef
  /** What is followed, as the configuration has it. */
  readonly ref: string
  /** Of the mirror; made when it is not there. */
  readonly folder: string
  /** A fetch that takes longer is ended. */
  readonly timeoutMs: number
  /** What another source was told of the remote this long ago is news enough. */
  readonly listingAgeMsMax: number
  /** Nobody else fetches into the folder: what a fetch that was killed has left there is in the way. */
  readonly isOnlyOwner: boolean
  readonly treeLimits?: TreeLimits
}

export type MergedRef =
  | { readonly kind: 'merged'; readonly headId: string; readonly id: string }
  | { readonly kind: 'conflict'; readonly headId: string; readonly paths: readonly string[] }
  /** git would have too much to go through. */
  | { readonly kind: 'refused'; readonly headId: string; readonly why: string }

/** Always the same, so that the same merge is the same commit. */
const MERGER: NodeJS.ProcessEnv = {
  GIT_AUTHOR_NAME: 'drover',
  GIT_AUTHOR_EMAIL: 'drover@localhost',
  GIT_AUTHOR_DATE: '@1 +0000',
  GIT_COMMITTER_NAME: 'drover',
  GIT_COMMITTER_EMAIL: 'drover@localhost',
  GIT_COMMITTER_DATE: '@1 +0000',
}

/** Refs of the mirror, none of which a remote can name. */
const FOLLOWED = 'refs/drover/followed'
const TAGS = 'refs/drover/tags/'
const TRIED = 'refs/drover/asked'

/** What git refuses in objects by default, except what old and harmless tools have written. */
const CHECKS = [
  'fetch.fsckObjects=true',
  'fetch.fsck.zeroPaddedFilemode=ignore',
  'fetch.fsck.badTimezone=ignore',
  'fetch.fsck.missingSpaceBeforeDate=ignore',
]
/**
 * In the foreground, so that nothing runs on its own; what was rewritten away can still be read for a while; and a large file is written
 * as it comes, whatever a small pack says of its size, instead of being held in memory.
 */
const CARE = [
  'core.bigFileThreshold=16m',
  'gc.autoDetach=false',
  'maintenance.autoDetach=false',
  'gc.pruneExpire=90.days.ago',
  'fetch.recurseSubmodules=no',
]

/** git's housekeeping has little to do after one, and takes from what was fetched the processor that it waits for. */
const FETCHES_PER_MAINTENANCE = 20

export class RemoteMirror implements RemoteRepository {
  readonly #options: RemoteMirrorOptions
  readonly #listing: ListingFollower
  readonly #ending = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  /** What is followed, by its names at the remote, as it is here; undefined: that was not looked at yet. */
  #here: ReadonlyMap<string, string> | undefined
  #fetches = 0

  /** @throws OrchestratorError GIT_MISSING, GIT_MIRROR */
  static async open(options: RemoteMirrorOptions): Promise<RemoteMirror> {
    await prepareFolder(options)
    return new RemoteMirror(options)
  }

  private constructor(options: RemoteMirrorOptions) {
    this.#options = options
    const { remote, follows, folder, timeoutMs } = options
    this.#listing = remote.listing.follow(followedNames(follows), { folder, timeoutMs })
  }

  get url(): string {
    return this.#options.remote.git.url
  }

  get folder(): string {
    return this.#options.folder
  }

  /** What is followed, as it is named in the mirror. */
  get ref(): string {
    const { follows } = this.#options
    return follows.kind === 'tags' ? `${mirrored(follows.prefix)}*` : FOLLOWED
  }

  async hasFollowed(): Promise<boolean> {
    const { stdout } = await runGit(this.folder, ['for-each-ref', '--count=1', FOLLOWED, TAGS])
    return stdout !== ''
  }

  /**
   * Fetches what is followed, where something of it is other than here. Never throws: a remote that is away is an answer.
   * @param isAnnounced somebody says that there is something new: then it is fetched without a question before
   */
  update(isAnnounced = false): Promise<FetchOutcome> {
    return this.#afterOthers(() => this.#fetchFollowed(isAnnounced))
  }

  /**
   * Fetches one ref or commit beside what is followed. @returns the id of its commit
   * @throws OrchestratorError GIT_UNKNOWN_REF, GIT_REMOTE with the sentence of why not
   */
  fetchOther(ref: string): Promise<string> {
    return this.#afterOthers(async () => {
      const outcome = await this.#fetch([], [`+${ref}:${TRIED}`], ref)
      if (outcome.kind === 'failed') throw new OrchestratorError(outcome.isMissing ? 'GIT_UNKNOWN_REF' : 'GIT_REMOTE', outcome.problem)
      const { stdout } = await runGit(this.folder, ['rev-parse', '--verify', '--end-of-options', `${TRIED}^{commit}`])
      return stdout.trim()
    })
  }

  /**
   * Fetches a ref and merges it into what is followed, without a work tree and without moving anything.
   * @throws OrchestratorError GIT_UNKNOWN_REF, GIT_REMOTE
   */
  async mergeOther(ref: string): Promise<MergedRef> {
    const headId = await this.fetchOther(ref)
    const why = await refuseLargeTree(this.folder, headId, this.#options.treeLimits)
    if (why !== undefined) return { kind: 'refused', headId, why }
    const words = ['merge-tree', '--write-tree', '--name-only', '--no-messages', FOLLOWED, headId]
    const { stdout, isClean } = await runGit(this.folder, words).then(
      (done) => ({ stdout: done.stdout, isClean: true }),
      (error: { code?: unknown; stdout?: string }) => {
        // git's word for conflicts.
        if (error.code === 1) return { stdout: error.stdout ?? '', isClean: false }
        throw new OrchestratorError('GIT_MERGE', `${ref} could not be merged into what is followed`, { ref }, error)
      },
    )
    const [tree = '', ...paths] = stdout.split('\n').filter((line) => line !== '')
    if (!isClean) return { kind: 'conflict', headId, paths }
    const parents = ['-p', FOLLOWED, '-p', headId]
    const { stdout: id } = await runGit(this.folder, ['commit-tree', tree, ...parents, '-m', `merge ${ref}`], MERGER)
    return { kind: 'merged', headId, id: id.trim() }
  }

  async close(): Promise<void> {
    this.#ending.abort()
    this.#listing.leave()
    await this.#last
  }

  /** Two at once would wait for each other's locks. */
  #afterOthers<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #fetchFollowed(isAnnounced: boolean): Promise<FetchOutcome> {
    const { follows, listingAgeMsMax } = this.#options
    if (follows.kind === 'commit') {
      // What it names never changes.
      return (await this.#hasCommit(follows.id)) ? { kind: 'fetched' } : this.#fetch([], [`+${follows.id}:${FOLLOWED}`])
    }
    if (!isAnnounced) {
      this.#here ??= await this.#readHere()
      const listing = this.#here.size === 0 ? undefined : await this.#listing.ask(listingAgeMsMax)
      if (listing?.kind === 'failed') return listing
      if (listing !== undefined && isSame(this.#here, listing.refs, follows)) return { kind: 'fetched' }
    }
    const outcome =
      follows.kind === 'ref'
        ? await this.#fetch([], [`+${follows.name}:${FOLLOWED}`])
        : await this.#fetch(['--prune'], [`+${follows.prefix}*:${mirrored(follows.prefix)}*`])
    this.#here = undefined
    return outcome
  }

  async #readHere(): Promise<ReadonlyMap<string, string>> {
    const { follows } = this.#options
    const { stdout } = await runGit(this.folder, ['for-each-ref', '--format=%(objectname) %(refname)', FOLLOWED, TAGS])
    const rows = stdout.split('\n').flatMap((line): [string, string][] => {
      const [id = '', name = ''] = line.split(' ')
      if (name === FOLLOWED) return follows.kind === 'ref' ? [[follows.name, id]] : []
      return name.startsWith(TAGS) && follows.kind === 'tags' ? [[`refs/tags/${name.slice(TAGS.length)}`, id]] : []
    })
    return new Map(rows)
  }

  async #hasCommit(id: string): Promise<boolean> {
    const { stdout } = await runGit(this.folder, ['for-each-ref', '--format=%(objectname)', FOLLOWED])
    return stdout.trim() === id
  }

  async #fetch(options: readonly string[], refs: readonly string[], ref = this.#options.ref): Promise<FetchOutcome> {
    const { remote, timeoutMs } = this.#options
    const checks = [...CHECKS, ...CARE].flatMap((setting) => ['-c', setting])
    const words = [
      ...checks,
      'fetch',
      '--no-auto-maintenance',
      '--no-tags',
      '--no-write-fetch-head',
      '--force',
      '--atomic',
      '--quiet',
      ...options,
    ]
    const answer = await remote.git.ask({ folder: this.folder, words, refs, ref, timeoutMs, signal: this.#ending.signal })
    if (answer.kind === 'failed') return answer
    if (this.#fetches++ % FETCHES_PER_MAINTENANCE === 0) this.#maintain()
    return { kind: 'fetched' }
  }

  /** git's own housekeeping, behind the fetch, whose news nobody is to wait for longer. What goes wrong is tried again behind the next one. */
  #maintain(): void {
    const { signal } = this.#ending
    const settings = CARE.flatMap((setting) => ['-c', setting])
    const words = [...gitArguments(this.folder), ...settings, 'maintenance', 'run', '--auto', '--quiet']
    const { timeoutMs } = this.#options
    this.#afterOthers(async () => signal.aborted || runGroup(words, gitEnvironment(), { timeoutMs, signal })).catch(() => {})
  }
}

function followedNames(follows: FollowedRef): string {
  switch (follows.kind) {
    case 'ref':
      return follows.name
    case 'tags':
      return `${follows.prefix}*`
    case 'commit':
      return follows.id
  }
}

/** Whether what is followed is the same at the remote; the listing also holds what others follow. */
function isSame(here: ReadonlyMap<string, string>, there: ReadonlyMap<string, string>, follows: FollowedRef): boolean {
  const isFollowed = (name: string) => (follows.kind === 'tags' ? name.startsWith(follows.prefix) : name === followedNames(follows))
  const followed = [...there].filter(([name]) => isFollowed(name))
  return followed.length === here.size && followed.every(([name, id]) => here.get(name) === id)
}

function mirrored(prefix: string): string {
  return TAGS + prefix.slice('refs/tags/'.length)
}

async function prepareFolder({ folder, isOnlyOwner }: RemoteMirrorOptions): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    if (isOnlyOwner) clearLeftovers(folder)
    if (!(await isMirror(folder))) {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      await runGit(folder, ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', '.'])
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause)
    throw new OrchestratorError('GIT_MIRROR', `the mirror ${folder} of the repository could not be made`, { folder }, cause)
  }
}

async function isMirror(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, 'HEAD'))) return false
  return runGit(folder, ['rev-parse', '--is-bare-repository']).then(
    ({ stdout }) => stdout.trim() === 'true',
    () => false,
  )
}

function clearLeftovers(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (isLeftover(name) || (name === FOLLOWED && isTorn(join(folder, name)))) rmSync(join(folder, name), { recursive: true, force: true })
}

/** After a loss of power a ref may be an empty file, which git refuses to replace. */
function isTorn(ref: string): boolean {
  return !/^[0-9a-f]{40,64}\n$/.test(readFileSync(ref, 'utf8'))
}

function isLeftover(name: string): boolean {
  return name.endsWith('.lock') || name === 'gc.pid' || /^objects\/(pack\/tmp_|incoming-|tmp_objdir-)/.test(name) || /\/tmp_obj_/.test(name)
}
