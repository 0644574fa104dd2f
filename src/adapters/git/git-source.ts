/**
 * A local git repository as the source of desired state. Everything is read from git objects of a resolved commit, so there
 * are no half-written files, no hooks and no symlinks to follow. The folders of the newest listing are kept: an unchanged one is not
 * read again.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobContent, GitSource, TreeEntry } from '../../controller/index.js'
import { type Commit, OrchestratorError, TerminalError } from '../../domain/index.js'
import { mayHaveTrailers, readTrailers } from './commit-trailers.js'
import { COMMIT_ID, highestTag } from './followed-ref.js'
import { runGit } from './git-command.js'
import { commonFolderOf, findGitFolder, identityOf } from './git-folder.js'
import { ObjectReader } from './object-reader.js'
import { type ParsedCommit, type ParsedTree, parseCommit, parseTree } from './parse-objects.js'
import { type Polling, RefWatcher } from './ref-watcher.js'
import { TREE_LIMITS, type TreeLimits, TreeListing } from './tree-listing.js'

export interface GitSourceOptions {
  /** A work tree or a bare repository. */
  readonly repository: string
  /** `HEAD`, a full ref name such as `refs/heads/main`, a commit, or with `versions` tags as in `refs/tags/v*`. */
  readonly ref: string
  /** The highest version of the tags in this range is followed. */
  readonly versions?: string
  /** What messages call it, where it is the copy of another; absent: what it is. */
  readonly shownAs?: { readonly repository: string; readonly ref: string }
  /** Looks at the ref's files in this interval instead of waiting for events: for network file systems, which send none. */
  readonly polling?: Polling
  readonly treeLimits?: TreeLimits
}

export class CliGitSource implements GitSource {
  readonly #repository: string
  readonly #ref: string
  readonly #versions: string | undefined
  readonly #shownAs: { readonly repository: string; readonly ref: string }
  readonly #polling: Polling | undefined
  readonly #treeLimits: TreeLimits
  readonly #watchers = new Set<RefWatcher>()
  #gitFolder: string
  /** Of the repository that the readers below were started in. */
  #identity: string
  #objects: ObjectReader
  #heads: ObjectReader
  /** By prefix: the folders of the newest listing. */
  #folders: ReadonlyMap<string, ParsedTree> = new Map()
  #newest: { readonly parsed: ParsedCommit; readonly commit: Commit } | undefined
  /** Trees that are not counted again. */
  readonly #refused = new Map<string, OrchestratorError>()

  /** @throws OrchestratorError GIT_NO_REPOSITORY, GIT_MISSING; TerminalError GIT_REF for a short name that has several meanings */
  static async open(options: GitSourceOptions): Promise<CliGitSource> {
    const gitFolder = await findGitFolder(options.repository)
    const meanings = await meaningsOf(options)
    if (meanings.length > 1) throw new TerminalError('GIT_REF', `the ref ${options.ref} is ambiguous; write ${meanings.join(' or ')}`)
    return new CliGitSource(options, gitFolder)
  }

  private constructor(options: GitSourceOptions, gitFolder: string) {
    this.#repository = options.repository
    this.#ref = options.ref
    this.#versions = options.versions
    this.#shownAs = options.shownAs ?? options
    this.#polling = options.polling
    this.#treeLimits = options.treeLimits ?? TREE_LIMITS
    this.#gitFolder = gitFolder
    this.#identity = identityOf(options.repository, gitFolder)
    this.#objects = new ObjectReader(options.repository, '--batch')
    this.#heads = new ObjectReader(options.repository, '--batch-check')
  }

  /** The folder that is read. */
  get repository(): string {
    return this.#repository
  }

  async resolve(): Promise<Commit> {
    await this.#followReplacement()
    if (this.#ref === 'HEAD') await this.#refuseDetachedHead()
    const name = this.#versions === undefined ? this.#ref : await this.#highestTag(this.#versions)
    const head = name === undefined ? undefined : await this.#heads.read(`${name}^{commit}`)
    if (head === undefined) throw new OrchestratorError('GIT_UNBORN', this.#explainMissingRef(), { ref: this.#shownAs.ref })
    if (this.#newest?.commit.id !== head.id) {
      const parsed = await this.#readCommit(head.id)
      const [commit] = await this.#withTrailers([parsed])
      this.#newest = { parsed, commit: commit! }
    }
    return this.#newest.commit
  }

  /** Of the commit that any name means here; undefined where there is none. */
  async idOf(name: string): Promise<string | undefined> {
    await this.#followReplacement()
    return (await this.#heads.read(`${name}^{commit}`))?.id
  }

  async list(commitId: string): Promise<readonly TreeEntry[]> {
    const { tree } = await this.#readCommit(commitId)
    const refused = this.#refused.get(tree)
    if (refused !== undefined) throw refused
    const listing = new TreeListing(this.#treeLimits)
    try {
      await this.#collect(tree, '', listing)
    } catch (error) {
      if (error instanceof OrchestratorError && error.code === 'GIT_TREE') this.#refused.set(tree, error)
      throw error
    }
    this.#folders = listing.folders
    return listing.entries
  }

  async read(blobs: readonly string[], maxBytes: number): Promise<ReadonlyMap<string, BlobContent>> {
    const contents = new Map<string, BlobContent>()
    const unique = [...new Set(blobs)]
    const heads = await Promise.all(unique.map((blob) => this.#heads.read(blob)))
    const small: string[] = []
    heads.forEach((head, at) => {
      const blob = unique[at]!
      if (head === undefined)
        throw new OrchestratorError('GIT_OBJECT', `git object ${blob} is missing; run git fsck in ${this.#repository}`, { blob })
      if (head.sizeBytes > maxBytes) contents.set(blob, { kind: 'too-large', sizeBytes: head.sizeBytes })
      else small.push(blob)
    })
    for (const [blob, object] of await Promise.all(small.map(async (blob) => [blob, await this.#objects.read(blob)] as const))) {
      if (object === undefined)
        throw new OrchestratorError('GIT_OBJECT', `git object ${blob} is missing; run git fsck in ${this.#repository}`, { blob })
      contents.set(blob, { kind: 'bytes', bytes: object.content })
    }
    return contents
  }

  async isAncestor(ancestorId: string, descendantId: string): Promise<boolean> {
    if (ancestorId === descendantId) return true
    const { parents } = await this.#readCommit(descendantId)
    if (parents.includes(ancestorId)) return true
    try {
      await runGit(this.#repository, ['merge-base', '--is-ancestor', ancestorId, descendantId])
      return true
    } catch (error) {
      // Exit code 1 says no; a commit that is gone altogether (128, after a rewrite and a collection) cannot be an ancestor.
      const code = (error as { code?: unknown }).code
      if (code === 1 || code === 128) return false
      throw new OrchestratorError('GIT_ANCESTRY', `git could not compare ${ancestorId} and ${descendantId}`, {}, error)
    }
  }

  async isShallow(): Promise<boolean> {
    return existsSync(join(commonFolderOf(this.#gitFolder), 'shallow'))
  }

  async commitsBetween(fromId: string | null, toId: string, limit: number): Promise<readonly Commit[]> {
    const parsed = await this.#readCommit(toId)
    // A merge brings the commits of its other parents along: only a single parent says that nothing lies between.
    const isAlone = fromId === null || (parsed.parents.length === 1 && parsed.parents[0] === fromId)
    if (isAlone) return this.#withTrailers([parsed])
    // A commit that is gone, after a rewrite and a collection, has nothing in common with what is there now.
    const isThere = (await this.#heads.read(`${fromId}^{commit}`)) !== undefined
    const range = isThere ? `${fromId}..${toId}` : toId
    const { stdout } = await runGit(this.#repository, ['rev-list', `--max-count=${limit}`, range, '--'])
    const ids = stdout.split('\n').filter((id) => id !== '')
    return this.#withTrailers(await Promise.all(ids.reverse().map((id) => this.#readCommit(id))))
  }

  async watch(onChange: () => void): Promise<() => Promise<void>> {
    const watcher = new RefWatcher({ gitFolder: this.#gitFolder, ref: this.#ref, polling: this.#polling, onChange })
    this.#watchers.add(watcher)
    return async () => {
      this.#watchers.delete(watcher)
      await watcher.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#objects.close(), this.#heads.close()])
  }

  /**
   * The path may lead to another repository than before: cloned anew, or a link that was turned over. Then everything that was started in
   * the old one is started again in the new one.
   */
  async #followReplacement(): Promise<void> {
    if (identityOf(this.#repository, this.#gitFolder) === this.#identity) return
    const gitFolder = await findGitFolder(this.#repository)
    const old = [this.#objects, this.#heads]
    this.#gitFolder = gitFolder
    this.#identity = identityOf(this.#repository, gitFolder)
    this.#objects = new ObjectReader(this.#repository, '--batch')
    this.#heads = new ObjectReader(this.#repository, '--batch-check')
    this.#folders = new Map()
    this.#newest = undefined
    for (const watcher of this.#watchers) watcher.moveTo(gitFolder)
    await Promise.all(old.map((reader) => reader.close()))
  }

  async #readCommit(id: string): Promise<ParsedCommit> {
    if (this.#newest?.commit.id === id) return this.#newest.parsed
    const object = await this.#objects.read(id)
    if (object === undefined || object.type !== 'commit') throw new OrchestratorError('GIT_OBJECT', `git commit ${id} is missing`, { id })
    return parseCommit(object.id, object.content)
  }

  async #withTrailers(parsed: readonly ParsedCommit[]): Promise<readonly Commit[]> {
    const asked = parsed.filter(({ commit, message }) => commit.id !== this.#newest?.commit.id && mayHaveTrailers(message))
    const trailers = await readTrailers(
      this.#repository,
      asked.map(({ commit }) => commit.id),
    )
    return parsed.map(({ commit }) =>
      commit.id === this.#newest?.commit.id ? this.#newest.commit : { ...commit, trailers: trailers.get(commit.id) ?? [] },
    )
  }

  async #collect(treeId: string, prefix: string, into: TreeListing): Promise<void> {
    const folder = await this.#readTree(treeId, prefix, into.contents)
    into.folders.set(prefix, folder)
    for (const item of folder.items) {
      into.count(item)
      if (item.mode !== 'tree') into.entries.push(item as TreeEntry)
      else await into.inFolder(() => this.#collect(item.blob, `${item.path}/`, into))
    }
  }

  async #readTree(id: string, prefix: string, contents: Map<string, Buffer>): Promise<ParsedTree> {
    const known = this.#folders.get(prefix)
    if (known?.id === id) return known
    const content = contents.get(id) ?? (await this.#objects.read(id))?.content
    if (content === undefined)
      throw new OrchestratorError('GIT_OBJECT', `git tree ${id} is missing; run git fsck in ${this.#repository}`, { id })
    contents.set(id, content)
    return parseTree(id, content, prefix, known)
  }

  /** A detached HEAD moves with every step of a rebase or bisect: what it names then is nobody's wish. */
  async #refuseDetachedHead(): Promise<void> {
    const head = await readFile(join(this.#gitFolder, 'HEAD'), 'utf8')
    if (head.startsWith('ref: ')) return
    const remedy = 'check out a branch (git switch main), or name one with --ref refs/heads/main'
    throw new OrchestratorError('GIT_DETACHED', `HEAD of ${this.#repository} is detached at ${head.trim().slice(0, 12)}; ${remedy}`)
  }

  async #highestTag(range: string): Promise<string | undefined> {
    const prefix = this.#ref.slice(0, -1)
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const { stdout } = await runGit(this.#repository, ['for-each-ref', '--format=%(refname)', folder])
    return highestTag(stdout.split('\n'), prefix, range)
  }

  #explainMissingRef(): string {
    const { repository, ref } = this.#shownAs
    if (this.#versions !== undefined)
      return `${repository} has no tag ${ref} of a version in "${this.#versions}"; tag a commit, or widen the range`
    if (repository !== this.#repository) return `${repository}, as it was fetched last, has no commit at ${ref}`
    if (ref !== 'HEAD') return `${repository} has no commit at ${ref}; create it, or name another ref with --ref`
    return `${repository} has no commit yet; commit your jobs folder first: git add jobs && git commit -m "first jobs"`
  }
}

/**
 * A short name means a branch, a tag or a remote's branch, whichever git finds first and whichever there is at the time: what a server
 * follows has to be named in full.
 * @throws TerminalError GIT_REF
 */
export async function refuseShortRef(options: GitSourceOptions): Promise<void> {
  const { ref } = options
  if (ref === 'HEAD' || ref.startsWith('refs/') || COMMIT_ID.test(ref)) return
  const meanings = await meaningsOf(options)
  const remedy = meanings.length === 0 ? 'use HEAD, or a full name such as refs/heads/main' : `write ${meanings.join(' or ')}`
  throw new TerminalError('GIT_REF', `the ref ${ref} is not a full name; ${remedy}`, { ref })
}

/** The branches, tags and remote branches that a short name could stand for. */
async function meaningsOf({ repository, ref }: GitSourceOptions): Promise<readonly string[]> {
  if (ref === 'HEAD' || ref.startsWith('refs/') || COMMIT_ID.test(ref)) return []
  const names = [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/remotes/${ref}`]
  const { stdout } = await runGit(repository, ['for-each-ref', '--format=%(refname)', ...names])
  return stdout.split('\n').filter((name) => names.includes(name))
}
