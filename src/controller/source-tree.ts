/** One commit's files, read once each, with the checks that every used path must pass. */
import { type JobSource, type Mistake, mistakeOfFile, OrchestratorError } from '../domain/index.js'
import { companionNames, LIMITS } from '../jobspec/index.js'
import { checksumOf } from './checksum.js'
import type { BlobContent, GitSource, TreeEntry } from './ports.js'
import { classifyPath, isBelow, JOBS_FOLDER } from './repository-layout.js'

export type TreeFile = { readonly text: string } | { readonly mistake: Mistake }

export class SourceTree {
  readonly entries: readonly TreeEntry[]
  readonly #git: Pick<GitSource, 'read'>
  readonly #byPath: ReadonlyMap<string, TreeEntry>
  readonly #contents = new Map<string, BlobContent>()
  readonly #listings = new Map<string, string>()
  #paths: readonly string[] | undefined

  /** Of the files that belong to a job; absent: only those without one. */
  readonly #overlay: string | undefined

  constructor(git: Pick<GitSource, 'read'>, entries: readonly TreeEntry[], overlay?: string) {
    this.#git = git
    this.#overlay = overlay
    this.entries = entries
    this.#byPath = new Map(entries.map((entry) => [entry.path, entry]))
  }

  find(path: string): TreeEntry | undefined {
    return this.#byPath.get(path)
  }

  has(path: string): boolean {
    return this.#byPath.has(path)
  }

  /** Paths below the folder, in order. */
  list(folder: string): readonly string[] {
    this.#paths ??= this.entries.map((entry) => entry.path)
    const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`
    return this.#paths.filter((path) => path.startsWith(prefix))
  }

  /** Fetches many blobs in one go, so that reading them one by one afterwards waits for nothing. */
  async prefetch(paths: readonly string[]): Promise<void> {
    const blobs = paths.flatMap((path) => {
      const entry = this.#byPath.get(path)
      return entry === undefined || this.#contents.has(entry.blob) || !isRegular(entry) ? [] : [entry.blob]
    })
    if (blobs.length === 0) return
    for (const [blob, content] of await this.#git.read(blobs, LIMITS.fileBytesMax)) this.#contents.set(blob, content)
  }

  async read(path: string): Promise<TreeFile> {
    const entry = this.#byPath.get(path)
    if (entry === undefined) return { mistake: mistakeOfFile(path, `no file ${path} at this commit`, 'Add it, or correct the path.') }
    if (!isRegular(entry)) return { mistake: irregularFile(entry) }
    await this.prefetch([path])
    const content = this.#contents.get(entry.blob)
    if (content === undefined) throw new OrchestratorError('GIT_OBJECT', `git object ${entry.blob} of ${path} was not read`, { path })
    return decode(entry, content)
  }

  /** The bytes of a file, or why there are none; undefined where there is no such path. */
  async readBytes(path: string): Promise<BlobContent | { readonly kind: 'unreadable'; readonly reason: string } | undefined> {
    const entry = this.#byPath.get(path)
    if (entry === undefined) return undefined
    if (!isRegular(entry)) return { kind: 'unreadable', reason: irregularFile(entry).detail }
    await this.prefetch([path])
    return this.#contents.get(entry.blob)
  }

  /** What stands for the content of a path now, as `SourceInput.blob` has it. */
  blobOf(path: string): string {
    if (!path.endsWith('/')) return this.#byPath.get(path)?.blob ?? ''
    const known = this.#listings.get(path) ?? checksumOf(Buffer.from(this.list(path).join('\0')))
    this.#listings.set(path, known)
    return known
  }

  /** Whether every input is still what it was, and no new companion of the job file has appeared. */
  matches({ path, inputs }: Pick<JobSource, 'path' | 'inputs'>): boolean {
    // Of a job that another source has handed over nothing was read here yet.
    if (inputs.length === 0) return false
    for (const input of inputs) if (this.blobOf(input.path) !== input.blob) return false
    const companions = companionNames(path, this.#overlay).filter((companion) => this.has(companion))
    return companions.every((companion) => inputs.some((input) => input.path === companion))
  }
}

/**
 * Links and submodules where jobs and hosts are declared. What lies beyond them is not read, so any job that seems to be gone may be
 * there: each is a mistake at its path and holds removals.
 */
export function findUnreadable(entries: readonly TreeEntry[], folder: string): readonly Unreadable[] {
  const found = entries.filter((entry) => !isRegular(entry) && isBelow(entry.path, folder))
  return found.map((entry) => ({ entry, mistake: irregularFile(entry) }))
}

export interface Unreadable {
  readonly entry: TreeEntry
  readonly mistake: Mistake
}

/** Those of which nobody knows the jobs. One in the place of a job file is told when that file is read. */
export function findHiddenJobs(entries: readonly TreeEntry[]): readonly Unreadable[] {
  return findUnreadable(entries, JOBS_FOLDER).filter(({ entry }) => classifyPath(entry.path).kind !== 'job')
}

function isRegular(entry: TreeEntry): boolean {
  return entry.mode === 'file' || entry.mode === 'executable'
}

function irregularFile(entry: TreeEntry): Mistake {
  if (entry.mode === 'symlink') return mistakeOfFile(entry.path, 'Symbolic link', 'Links are not followed; commit the file itself.')
  return mistakeOfFile(entry.path, 'Submodule', 'Submodules are not read; commit the files themselves.')
}

const LFS_POINTER = 'version https://git-lfs.github.com/spec/'

function decode(entry: TreeEntry, content: BlobContent): TreeFile {
  if (content.kind === 'too-large') {
    const detail = `It has ${content.sizeBytes} bytes; at most ${LIMITS.fileBytesMax} are read. Move data out of the job file.`
    return { mistake: mistakeOfFile(entry.path, 'File too large', detail) }
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content.bytes)
  } catch {
    return { mistake: mistakeOfFile(entry.path, 'Not UTF-8', 'Save it in UTF-8.') }
  }
  if (text.startsWith(LFS_POINTER)) return { mistake: mistakeOfFile(entry.path, 'Git LFS pointer', 'Commit the file itself.') }
  return { text }
}
