/**
 * A remote repository as a bare mirror in the data folder: git fetches what is followed, and everything else reads the mirror, so that a
 * remote that is away takes nothing away. What git receives is checked whole before any ref moves; a fetch that breaks off leaves nothing.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { FetchOutcome, RemoteRepository } from '../../../controller/index.js'
import { explainError, OrchestratorError } from '../../../domain/index.js'
import type { FollowedRef } from '../followed-ref.js'
import { gitArguments, runGit } from '../git-command.js'
import { CurlTrace, TRACE_DESCRIPTOR, TRACE_ENVIRONMENT } from './curl-trace.js'
import { explainFetchFailure } from './fetch-failure.js'
import { type RemoteAccess, remoteSetting } from './remote-access.js'
import type { RepositoryAddress } from './remote-address.js'

export interface RemoteMirrorOptions {
  readonly address: Extract<RepositoryAddress, { kind: 'remote' }>
  readonly access: RemoteAccess
  readonly follows: FollowedRef
  /** What is followed, as the configuration has it. */
  readonly ref: string
  /** Of the mirror; made when it is not there. */
  readonly folder: string
  /** A fetch that takes longer is ended. */
  readonly timeoutMs: number
  /** Nobody else fetches into the folder: what a fetch that was killed has left there is in the way. */
  readonly isOnlyOwner: boolean
}

export type MergedRef =
  | { readonly kind: 'merged'; readonly headId: string; readonly id: string }
  | { readonly kind: 'conflict'; readonly headId: string; readonly paths: readonly string[] }

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

/** Timers end a little early. */
const EARLY_MS = 50
const STDERR_BYTES_MAX = 64 * 1024

/** What git refuses in objects by default, except what old and harmless tools have written. */
const CHECKS = [
  'fetch.fsckObjects=true',
  'fetch.fsck.zeroPaddedFilemode=ignore',
  'fetch.fsck.badTimezone=ignore',
  'fetch.fsck.missingSpaceBeforeDate=ignore',
]
/** In the foreground, so that nothing runs on its own; what was rewritten away can still be read for a while. */
const CARE = ['gc.autoDetach=false', 'maintenance.autoDetach=false', 'gc.pruneExpire=90.days.ago', 'fetch.recurseSubmodules=no']

export class RemoteMirror implements RemoteRepository {
  readonly #options: RemoteMirrorOptions
  readonly #running = new Set<number>()
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** The remote has asked not to be asked before, by whoever it is. */
  #notBeforeMs = 0

  /** @throws OrchestratorError GIT_MISSING, GIT_MIRROR */
  static async open(options: RemoteMirrorOptions): Promise<RemoteMirror> {
    await prepareFolder(options)
    return new RemoteMirror(options)
  }

  private constructor(options: RemoteMirrorOptions) {
    this.#options = options
  }

  get url(): string {
    return this.#options.address.url
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

  /** Fetches what is followed. Never throws: a remote that is away is an answer. */
  update(): Promise<FetchOutcome> {
    return this.#afterOthers(() => this.#fetchFollowed())
  }

  /**
   * Fetches one ref or commit beside what is followed. @returns the id of its commit
   * @throws OrchestratorError GIT_UNKNOWN_REF, GIT_REMOTE with the sentence of why not
   */
  fetchOther(ref: string): Promise<string> {
    return this.#afterOthers(async () => {
      const outcome = await this.#fetch([`+${ref}:${TRIED}`], ref)
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
    this.#isClosed = true
    for (const pid of this.#running) endGroup(pid)
    await this.#last
  }

  /** Two at once would wait for each other's locks. */
  #afterOthers<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #fetchFollowed(): Promise<FetchOutcome> {
    const { follows, ref } = this.#options
    switch (follows.kind) {
      case 'ref':
        return this.#fetch([`+${follows.name}:${FOLLOWED}`], ref)
      case 'tags':
        return this.#fetch(['--prune', `+${follows.prefix}*:${mirrored(follows.prefix)}*`], ref)
      case 'commit':
        // What it names never changes.
        return (await this.#hasCommit(follows.id)) ? { kind: 'fetched' } : this.#fetch([`+${follows.id}:${FOLLOWED}`], ref)
    }
  }

  async #hasCommit(id: string): Promise<boolean> {
    const { stdout } = await runGit(this.folder, ['for-each-ref', '--format=%(objectname)', FOLLOWED])
    return stdout.trim() === id
  }

  async #fetch(words: readonly string[], ref: string): Promise<FetchOutcome> {
    if (this.#isClosed) return { kind: 'failed', problem: `${this.url} is not asked any more`, retryAfterMs: null, isMissing: false }
    const { address, access, timeoutMs } = this.#options
    const waitMs = this.#notBeforeMs - performance.now()
    if (waitMs > EARLY_MS)
      return { kind: 'failed', problem: `${this.url} asks to be left alone for a while`, retryAfterMs: waitMs, isMissing: false }
    try {
      const { arguments: settings, environment } = remoteSetting(address.protocol, access)
      const options = words.filter((word) => word.startsWith('--'))
      const refspecs = words.filter((word) => !word.startsWith('--'))
      const checks = [...CHECKS, ...CARE].flatMap((setting) => ['-c', setting])
      const result = await this.#run(
        [
          ...settings,
          ...checks,
          'fetch',
          '--no-tags',
          '--no-write-fetch-head',
          '--force',
          '--atomic',
          '--quiet',
          ...fileOptions(address.protocol),
          ...options,
          '--',
          address.url,
          ...refspecs,
        ],
        { ...environment, ...TRACE_ENVIRONMENT },
        timeoutMs,
      )
      if (result.code === 0) return { kind: 'fetched' }
      this.#notBeforeMs = performance.now() + (result.retryAfterMs ?? 0)
      return explainFetchFailure({ url: this.url, ref, access, ...result })
    } catch (error) {
      return { kind: 'failed', problem: `${this.url} could not be asked: ${explainError(error)}`, retryAfterMs: null, isMissing: false }
    }
  }

  #run(words: readonly string[], env: NodeJS.ProcessEnv, timeoutMs: number) {
    return new Promise<{
      code: number | null
      stderr: string
      httpStatus: number
      retryAfterMs: number | null
      endedAfterMs: number | null
    }>((resolve, reject) => {
      const trace = new CurlTrace()
      const stdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const
      // A group of its own: its helpers (ssh, index-pack) end with it.
      const child = spawn('git', [...gitArguments(this.folder), ...words], { env, stdio: [...stdio], detached: true })
      let stderr = ''
      let endedAfterMs: number | null = null
      child.stderr?.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_BYTES_MAX)
      })
      trace.read(child.stdio[TRACE_DESCRIPTOR] as Readable)
      const { pid } = child
      if (pid !== undefined) this.#running.add(pid)
      const timer = setTimeout(() => {
        endedAfterMs = timeoutMs
        if (pid !== undefined) endGroup(pid)
      }, timeoutMs)
      const settle = () => {
        clearTimeout(timer)
        if (pid !== undefined) this.#running.delete(pid)
      }
      child.once('error', (cause) => {
        settle()
        reject(new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause))
      })
      child.once('close', (code) => {
        settle()
        resolve({ code, stderr, httpStatus: trace.status, retryAfterMs: trace.retryAfterMs, endedAfterMs })
      })
    })
  }
}

function mirrored(prefix: string): string {
  return TAGS + prefix.slice('refs/tags/'.length)
}

/** A repository of another owner on this machine; git asks this of itself only over `file:`. */
function fileOptions(protocol: string): readonly string[] {
  return protocol === 'file' ? ['--upload-pack=git -c safe.directory=* upload-pack'] : []
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGTERM')
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
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
