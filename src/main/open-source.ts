/** The repository of a source: a folder of this machine, or the mirror of a remote. */
import { mkdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DeferredGitSource } from '../adapters/git/deferred-source.js'
import { type FollowedRef, parseFollowedRef } from '../adapters/git/followed-ref.js'
import { CliGitSource, refuseShortRef } from '../adapters/git/git-source.js'
import { parseRepositoryAddress } from '../adapters/git/remote/remote-address.js'
import { RemoteMirror } from '../adapters/git/remote/remote-mirror.js'
import type { Remotes } from '../adapters/git/remote/remotes.js'
import { lockFolder } from '../adapters/lmdb/folder-lock.js'
import type { GitSource } from '../controller/index.js'
import { OrchestratorError, SOURCE_DEFAULT, TerminalError } from '../domain/index.js'
import type { ServerConfig } from './server-config.js'
import { FULL_REF, remoteAccessOf, type SourceConfig } from './source-config.js'

/** What can be asked of any commit of a repository. */
type AnyCommit = GitSource & Pick<CliGitSource, 'idOf'>

export interface OpenSource {
  readonly git: GitSource
  /** The folder that is read. */
  readonly folder: string
  /** Undefined: the repository is the one that is read. */
  readonly remote: RemoteMirror | undefined
  /** Of looks at what is here, in milliseconds, and at what is there. */
  readonly pollMs: number
  readonly remotePollMs: number
  /** The same repository, for questions about any commit of it. */
  readonly anyCommit: GitSource
  /** The id of the commit that a full ref or a whole id means, fetched where it is elsewhere. @throws OrchestratorError GIT_REF, GIT_UNKNOWN_REF, GIT_REMOTE */
  find(ref: string): Promise<string>
  close(): Promise<void>
}

/** Of the few files of a ref, where the file system sends no events. */
const WATCH_INTERVAL_MS = 500
const FOLDER_POLL_SECONDS = 2
/** So many are looked at that often; more of them less often, since it only backs up the events. */
const FOLDERS_AT_THAT_PACE = 20
/** Nobody writes a mirror but the server that reads it. */
const MIRROR_POLL_SECONDS = 30
const REMOTE_POLL_SECONDS = 30
/** A question takes some 8 ms of a processor: so many are asked that often, and with more of them one each second. */
const REMOTES_AT_THAT_PACE = 30

export interface OpenSourceOptions {
  readonly id: string
  readonly source: SourceConfig
  /** Of the server. */
  readonly dataFolder: string
  /** The repository has to be there, and a remote that was never fetched has to answer: what is wrong is told at once. */
  readonly isNeeded: boolean
  /** How many sources the server follows. */
  readonly count: number
  /** No other program has this data folder open. */
  readonly isOnlyOwner: boolean
  /** Shared by all sources of the server. */
  readonly remotes: Remotes
}

/** What a server keeps of a source. */
export function folderOfSource(dataFolder: string, id: string): string {
  return id === SOURCE_DEFAULT ? dataFolder : join(dataFolder, 'sources', id)
}

/** Every source of the configuration, the first one first. */
export function sourcesOf({ source, sources }: Pick<ServerConfig, 'source' | 'sources'>) {
  return [
    { id: SOURCE_DEFAULT, source, allow: undefined },
    ...Object.entries(sources).map(([id, { allow, ...rest }]) => ({ id, source: rest, allow })),
  ]
}

/**
 * @throws OrchestratorError GIT_* and TerminalError GIT_REF, with what to mend
 */
export async function openSource(options: OpenSourceOptions): Promise<OpenSource> {
  const address = parseRepositoryAddress(options.source.repository)
  return address.kind === 'folder' ? openFolder(resolve(address.path), options) : openRemote(address, options)
}

async function openFolder(folder: string, { source, isNeeded, count }: OpenSourceOptions): Promise<OpenSource> {
  const versions = source.versions === undefined ? {} : { versions: source.versions }
  const polling = source.watch === 'polling' ? { polling: { intervalMs: WATCH_INTERVAL_MS } } : {}
  const followed = { repository: folder, ref: source.ref, ...versions, ...polling }
  const git = new DeferredGitSource(async () => {
    const opened = await CliGitSource.open(followed)
    await refuseShortRef(followed)
    return opened
  })
  if (isNeeded) await git.open()
  const anyCommit = new DeferredGitSource(() => CliGitSource.open({ repository: folder, ref: 'HEAD' }))
  return {
    git,
    folder,
    anyCommit,
    remote: undefined,
    pollMs: 1000 * (source.poll_seconds ?? FOLDER_POLL_SECONDS * Math.max(1, count / FOLDERS_AT_THAT_PACE)),
    remotePollMs: 0,
    find: (ref) => findHere(anyCommit, ref),
    close: async () => {
      await git.close()
      await anyCommit.close()
    },
  }
}

async function openRemote(
  address: Extract<ReturnType<typeof parseRepositoryAddress>, { kind: 'remote' }>,
  { id, source, dataFolder, isNeeded, count, isOnlyOwner, remotes }: OpenSourceOptions,
): Promise<OpenSource> {
  const own = folderOfSource(dataFolder, id)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const lock = isOnlyOwner ? await lockFolder(realpathSync(own), 'mirror') : undefined
  const remotePollMs = 1000 * (source.poll_seconds ?? REMOTE_POLL_SECONDS * Math.max(1, count / REMOTES_AT_THAT_PACE))
  try {
    const remote = await RemoteMirror.open({
      remote: remotes.of(address, remoteAccessOf(source)),
      follows: parseFollowedRef(source.ref, source.versions),
      ref: source.ref,
      folder: join(resolve(own), 'mirror'),
      timeoutMs: 1000 * source.fetch_timeout_seconds,
      listingAgeMsMax: remotePollMs / 2,
      isOnlyOwner,
    })
    if (isNeeded && !(await remote.hasFollowed())) {
      const outcome = await remote.update()
      if (outcome.kind === 'failed') throw new OrchestratorError('GIT_REMOTE', outcome.problem)
    }
    const shownAs = { repository: address.url, ref: source.ref }
    const versions = source.versions === undefined ? {} : { versions: source.versions }
    const git = await CliGitSource.open({ repository: remote.folder, ref: remote.ref, ...versions, shownAs })
    const anyCommit = await CliGitSource.open({ repository: remote.folder, ref: 'HEAD' })
    return {
      git,
      folder: remote.folder,
      anyCommit,
      remote,
      pollMs: 1000 * MIRROR_POLL_SECONDS,
      remotePollMs,
      find: (ref) => findThere(remote, anyCommit, ref),
      close: async () => {
        await remote.close()
        await git.close()
        await anyCommit.close()
        await lock?.release()
      },
    }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

async function findHere(git: AnyCommit, ref: string): Promise<string> {
  refuseAmbiguous(ref)
  const id = await git.idOf(ref)
  if (id === undefined) throw new OrchestratorError('GIT_UNKNOWN_REF', `the repository has no commit at ${ref}`, { ref })
  return id
}

async function findThere(remote: RemoteMirror, git: AnyCommit, ref: string): Promise<string> {
  const isCommit = refuseAmbiguous(ref).kind === 'commit'
  // What was fetched once needs no remote.
  const known = isCommit ? await git.idOf(ref) : undefined
  return known ?? remote.fetchOther(ref)
}

/** @throws TerminalError GIT_REF */
function refuseAmbiguous(ref: string): FollowedRef {
  if (!FULL_REF.test(ref))
    throw new TerminalError('GIT_REF', `the ref ${ref} is a short name; write refs/heads/${ref}, refs/tags/${ref} or a whole commit id`)
  return parseFollowedRef(ref)
}
