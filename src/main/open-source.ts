/** The repository that a server follows: a folder of this machine, or the mirror of a remote. */
import { realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type FollowedRef, parseFollowedRef } from '../adapters/git/followed-ref.js'
import { CliGitSource, refuseShortRef } from '../adapters/git/git-source.js'
import { parseRepositoryAddress } from '../adapters/git/remote/remote-address.js'
import { RemoteMirror } from '../adapters/git/remote/remote-mirror.js'
import { lockFolder } from '../adapters/lmdb/folder-lock.js'
import { OrchestratorError, TerminalError } from '../domain/index.js'
import type { ServerConfig } from './config.js'
import { FULL_REF, remoteAccessOf } from './source-config.js'

export interface OpenSource {
  readonly git: CliGitSource
  /** Undefined: the repository is the one that is read. */
  readonly remote: RemoteMirror | undefined
  /** Of looks at what is here, in milliseconds, and at what is there. */
  readonly pollMs: number
  readonly remotePollMs: number
  /** The same repository, for questions about any commit of it. */
  readonly anyCommit: CliGitSource
  /** The id of the commit that a full ref or a whole id means, fetched where it is elsewhere. @throws OrchestratorError GIT_REF, GIT_UNKNOWN_REF, GIT_REMOTE */
  find(ref: string): Promise<string>
  close(): Promise<void>
}

/** Of the few files of a ref, where the file system sends no events. */
const WATCH_INTERVAL_MS = 500
const FOLDER_POLL_SECONDS = 2
const REMOTE_POLL_SECONDS = 30

export interface OpenSourceOptions {
  /** A remote that was never fetched has to answer: then something in the configuration is wrong, and it is told at once. */
  readonly isFirstLook: boolean
  /** No other program has this data folder open. */
  readonly isOnlyOwner: boolean
}

/**
 * @throws OrchestratorError GIT_* and TerminalError GIT_REF, with what to mend
 */
export async function openSource(config: Pick<ServerConfig, 'source' | 'data_dir'>, options: OpenSourceOptions): Promise<OpenSource> {
  const { source } = config
  const address = parseRepositoryAddress(source.repository)
  const versions = source.versions === undefined ? {} : { versions: source.versions }
  const polling = source.watch === 'polling' ? { polling: { intervalMs: WATCH_INTERVAL_MS } } : {}
  const pollMs = 1000 * FOLDER_POLL_SECONDS
  if (address.kind === 'folder') {
    const folder = { repository: resolve(address.path), ref: source.ref, ...versions, ...polling }
    const git = await CliGitSource.open(folder)
    await refuseShortRef(folder)
    const anyCommit = await CliGitSource.open({ repository: folder.repository, ref: 'HEAD' })
    return {
      git,
      anyCommit,
      remote: undefined,
      pollMs: 1000 * (source.poll_seconds ?? FOLDER_POLL_SECONDS),
      remotePollMs: 0,
      find: (ref) => findHere(anyCommit, ref),
      close: async () => {
        await git.close()
        await anyCommit.close()
      },
    }
  }
  const lock = options.isOnlyOwner ? await lockFolder(realpathSync(config.data_dir), 'mirror') : undefined
  try {
    const remote = await RemoteMirror.open({
      address,
      access: remoteAccessOf(source),
      follows: parseFollowedRef(source.ref, source.versions),
      ref: source.ref,
      folder: join(resolve(config.data_dir), 'mirror'),
      timeoutMs: 1000 * source.fetch_timeout_seconds,
      isOnlyOwner: options.isOnlyOwner,
    })
    if (options.isFirstLook && !(await remote.hasFollowed())) {
      const outcome = await remote.update()
      if (outcome.kind === 'failed') throw new OrchestratorError('GIT_REMOTE', outcome.problem)
    }
    const shownAs = { repository: address.url, ref: source.ref }
    const git = await CliGitSource.open({ repository: remote.folder, ref: remote.ref, ...versions, shownAs })
    const anyCommit = await CliGitSource.open({ repository: remote.folder, ref: 'HEAD' })
    const remotePollMs = 1000 * (source.poll_seconds ?? REMOTE_POLL_SECONDS)
    const close = async () => {
      await remote.close()
      await git.close()
      await anyCommit.close()
      await lock?.release()
    }
    const find = (ref: string) => findThere(remote, anyCommit, ref)
    return { git, anyCommit, remote, pollMs, remotePollMs, find, close }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

async function findHere(git: CliGitSource, ref: string): Promise<string> {
  refuseAmbiguous(ref)
  const id = await git.idOf(ref)
  if (id === undefined) throw new OrchestratorError('GIT_UNKNOWN_REF', `the repository has no commit at ${ref}`, { ref })
  return id
}

async function findThere(remote: RemoteMirror, git: CliGitSource, ref: string): Promise<string> {
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
