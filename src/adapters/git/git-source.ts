/**
 * A local git repository as the source of desired state. Everything is read from git objects of a resolved commit, so there
 * are no half-written files, no hooks and no symlinks to follow. The folders of the newest listing are kept: an unchanged one is not
 * read again.
 */
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BlobContent, GitSource, TreeEntry } from '../../controller/index.js'
import { type Commit, OrchestratorError } from '../../domain/index.js'
import { GIT_ENVIRONMENT, gitArguments, ObjectReader } from './object-reader.js'
import { type ParsedCommit, type ParsedTree, parseCommit, parseTree } from './parse-objects.js'
import { watchRef } from './ref-watcher.js'

const run = promisify(execFile)

export interface GitSourceOptions {
  /** A work tree or a bare repository. */
  readonly repository: string
  /** `HEAD`, or a full ref name such as `refs/heads/main`. */
  readonly ref: string
}

export class CliGitSource implements GitSource {
  readonly #repository: string
  readonly #ref: string
  readonly #gitFolder: string
  readonly #objects: ObjectReader
  readonly #heads: ObjectReader
  /** By prefix: the folders of the newest listing. */
  #folders: ReadonlyMap<string, ParsedTree> = new Map()
  #newest: ParsedCommit | undefined

  /** @throws OrchestratorError GIT_NO_REPOSITORY, GIT_MISSING */
  static async open(options: GitSourceOptions): Promise<CliGitSource> {
    const { repository } = options
    if (!existsSync(repository) || !statSync(repository).isDirectory()) {
      throw new OrchestratorError('GIT_NO_REPOSITORY', `${repository} is no folder; name a git repository with --repo`, { repository })
    }
    return new CliGitSource(options, await findGitFolder(repository))
  }

  private constructor(options: GitSourceOptions, gitFolder: string) {
    this.#repository = options.repository
    this.#ref = options.ref
    this.#gitFolder = gitFolder
    this.#objects = new ObjectReader(options.repository, '--batch')
    this.#heads = new ObjectReader(options.repository, '--batch-check')
  }

  async resolve(): Promise<Commit> {
    if (this.#ref === 'HEAD') await this.#refuseDetachedHead()
    const head = await this.#heads.read(`${this.#ref}^{commit}`)
    if (head === undefined) throw new OrchestratorError('GIT_UNBORN', await this.#explainMissingRef(), { ref: this.#ref })
    if (this.#newest?.commit.id !== head.id) this.#newest = await this.#readCommit(head.id)
    return this.#newest.commit
  }

  async list(commitId: string): Promise<readonly TreeEntry[]> {
    const { tree } = await this.#readCommit(commitId)
    const entries: TreeEntry[] = []
    const folders = new Map<string, ParsedTree>()
    await this.#collect(tree, '', { entries, folders })
    this.#folders = folders
    return entries
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
      await this.#git(['merge-base', '--is-ancestor', ancestorId, descendantId])
      return true
    } catch (error) {
      // Exit code 1 says no; a commit that is gone altogether (128, after a rewrite and a collection) cannot be an ancestor.
      const code = (error as { code?: unknown }).code
      if (code === 1 || code === 128) return false
      throw new OrchestratorError('GIT_ANCESTRY', `git could not compare ${ancestorId} and ${descendantId}`, {}, error)
    }
  }

  async commitsBetween(fromId: string | null, toId: string, limit: number): Promise<readonly Commit[]> {
    const { commit, parents } = await this.#readCommit(toId)
    if (fromId === null || parents[0] === fromId) return [commit]
    if (!(await this.isAncestor(fromId, toId))) return [commit]
    const { stdout } = await this.#git(['rev-list', `--max-count=${limit}`, `${fromId}..${toId}`])
    const ids = stdout.split('\n').filter((id) => id !== '')
    const commits = await Promise.all(ids.map((id) => this.#readCommit(id)))
    return commits.map((parsed) => parsed.commit).reverse()
  }

  watch(onChange: () => void): Promise<() => Promise<void>> {
    return watchRef({ gitFolder: this.#gitFolder, ref: this.#ref, onChange })
  }

  async close(): Promise<void> {
    await Promise.all([this.#objects.close(), this.#heads.close()])
  }

  async #readCommit(id: string): Promise<ParsedCommit> {
    if (this.#newest?.commit.id === id) return this.#newest
    const object = await this.#objects.read(id)
    if (object === undefined || object.type !== 'commit') throw new OrchestratorError('GIT_OBJECT', `git commit ${id} is missing`, { id })
    return parseCommit(object.id, object.content)
  }

  async #collect(treeId: string, prefix: string, into: { entries: TreeEntry[]; folders: Map<string, ParsedTree> }): Promise<void> {
    const folder = await this.#readTree(treeId, prefix)
    into.folders.set(prefix, folder)
    for (const item of folder.items) {
      if (item.mode === 'tree') await this.#collect(item.blob, `${item.path}/`, into)
      else into.entries.push(item as TreeEntry)
    }
  }

  async #readTree(id: string, prefix: string): Promise<ParsedTree> {
    const known = this.#folders.get(prefix)
    if (known?.id === id) return known
    const object = await this.#objects.read(id)
    if (object === undefined)
      throw new OrchestratorError('GIT_OBJECT', `git tree ${id} is missing; run git fsck in ${this.#repository}`, { id })
    return parseTree(id, object.content, prefix, known)
  }

  #git(words: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return run('git', [...gitArguments(this.#repository), ...words], {
      env: { ...process.env, ...GIT_ENVIRONMENT },
      maxBuffer: 64 * 1024 * 1024,
    })
  }

  /** A detached HEAD moves with every step of a rebase or bisect: what it names then is nobody's wish. */
  async #refuseDetachedHead(): Promise<void> {
    const head = await readFile(join(this.#gitFolder, 'HEAD'), 'utf8')
    if (head.startsWith('ref: ')) return
    const remedy = 'check out a branch (git switch main), or name one with --ref refs/heads/main'
    throw new OrchestratorError('GIT_DETACHED', `HEAD of ${this.#repository} is detached at ${head.trim().slice(0, 12)}; ${remedy}`)
  }

  async #explainMissingRef(): Promise<string> {
    if (this.#ref !== 'HEAD') return `${this.#repository} has no commit at ${this.#ref}; create it, or name another ref with --ref`
    return `${this.#repository} has no commit yet; commit your jobs folder first: git add jobs && git commit -m "first jobs"`
  }
}

async function findGitFolder(repository: string): Promise<string> {
  try {
    const { stdout } = await run('git', [...gitArguments(repository), 'rev-parse', '--absolute-git-dir', '--show-prefix'], {
      env: { ...process.env, ...GIT_ENVIRONMENT },
    })
    const [gitFolder = '', prefix = ''] = stdout.split('\n')
    if (prefix !== '') {
      throw new OrchestratorError(
        'GIT_NO_REPOSITORY',
        `${repository} is the folder ${prefix} inside a repository; name its top folder with --repo`,
      )
    }
    return gitFolder
  } catch (cause) {
    if (cause instanceof OrchestratorError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause)
    throw new OrchestratorError(
      'GIT_NO_REPOSITORY',
      `${repository} is not a git repository; run git init there, or name another with --repo`,
      { repository },
    )
  }
}
