/** The files of a work tree as if they were committed: what `validate`, `render` and `plan` look at before there is a commit. */
import { type Dirent, existsSync } from 'node:fs'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobContent, TreeEntry } from '../../controller/index.js'
import { findConverted, hasCrLf, withoutCr } from './committed-text.js'
import { runGit } from './git-command.js'

export class WorkTree {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /**
   * Every entry, ordered by path: what git tracks or would, or in a folder that is no repository's, everything. Stands for the blob: the path.
   * @param seenMax in a folder that is no repository's: after so many files and folders the rest is left out, the deepest first
   */
  async list(seenMax = Number.POSITIVE_INFINITY): Promise<readonly TreeEntry[]> {
    const entries = this.#isRepository() ? await this.#listTracked() : await this.#listFolders(seenMax)
    return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async read(paths: readonly string[], maxBytes: number): Promise<ReadonlyMap<string, BlobContent>> {
    const contents = new Map(await Promise.all(paths.map(async (path) => [path, await this.#readFile(path, maxBytes)] as const)))
    if (!this.#isRepository()) return contents
    const suspects = [...contents].flatMap(([path, content]) => (content.kind === 'bytes' && hasCrLf(content.bytes) ? [path] : []))
    for (const path of await findConverted(this.#root, suspects)) {
      const content = contents.get(path)
      if (content?.kind === 'bytes') contents.set(path, { kind: 'bytes', bytes: withoutCr(content.bytes) })
    }
    return contents
  }

  #isRepository(): boolean {
    return existsSync(join(this.#root, '.git'))
  }

  async #listTracked(): Promise<TreeEntry[]> {
    const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
    const { stdout } = await runGit(this.#root, words)
    const entries = await Promise.all(stdout.split('\0').map((path) => (path === '' ? undefined : this.#entryOf(path))))
    return entries.filter((entry) => entry !== undefined)
  }

  /** Level by level; folders count as well. */
  async #listFolders(seenMax: number): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = []
    const folders = ['']
    for (let at = 0; at < folders.length && at + entries.length < seenMax; at++) {
      const folder = folders[at]!
      for (const item of await this.#itemsOf(folder)) {
        const path = folder === '' ? item.name : `${folder}/${item.name}`
        if (!item.isDirectory()) entries.push(...entryOf(path, item))
        else if (item.name !== '.git') folders.push(path)
      }
    }
    return entries
  }

  /** Nothing of a folder that has gone meanwhile, or that is not for whoever asks: what lies there is not to be read either. */
  #itemsOf(folder: string): Promise<readonly Dirent[]> {
    return readdir(join(this.#root, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (folder !== '' && ['ENOENT', 'EACCES', 'EPERM'].includes(error.code ?? '')) return []
      throw error
    })
  }

  /** Undefined for what is neither file nor link nor submodule, and for what git knows and is deleted here. */
  async #entryOf(path: string): Promise<TreeEntry | undefined> {
    const found = await lstat(join(this.#root, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (found === undefined) return undefined
    return found.isDirectory() ? { path, blob: path, mode: 'gitlink' } : entryOf(path, found)[0]
  }

  async #readFile(path: string, maxBytes: number): Promise<BlobContent> {
    const { size } = await stat(join(this.#root, path))
    return size > maxBytes ? { kind: 'too-large', sizeBytes: size } : { kind: 'bytes', bytes: await readFile(join(this.#root, path)) }
  }
}

/** Nothing for what is neither file nor link. */
function entryOf(path: string, found: Pick<Dirent, 'isFile' | 'isSymbolicLink'>): readonly TreeEntry[] {
  if (found.isSymbolicLink()) return [{ path, blob: path, mode: 'symlink' }]
  return found.isFile() ? [{ path, blob: path, mode: 'file' }] : []
}
