/** The files of a work tree as if they were committed: what `validate`, `render` and `plan` look at before there is a commit. */
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobContent, TreeEntry } from '../../controller/index.js'

export class WorkTree {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Every entry below the given folders, ordered by path; a folder that is not there has none. Stands for the blob: the path. */
  async list(folders: readonly string[]): Promise<readonly TreeEntry[]> {
    const entries = (await Promise.all(folders.map((folder) => this.#listFolder(folder)))).flat()
    return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async read(paths: readonly string[], maxBytes: number): Promise<ReadonlyMap<string, BlobContent>> {
    const contents = await Promise.all(paths.map(async (path) => [path, await this.#readFile(path, maxBytes)] as const))
    return new Map(contents)
  }

  async #listFolder(folder: string): Promise<readonly TreeEntry[]> {
    const names = await readdir(join(this.#root, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
      throw error
    })
    const entries = await Promise.all(
      names.filter((name) => name !== '.git').map((name) => this.#entriesOf(folder === '' ? name : `${folder}/${name}`)),
    )
    return entries.flat()
  }

  async #entriesOf(path: string): Promise<readonly TreeEntry[]> {
    const found = await lstat(join(this.#root, path))
    if (found.isDirectory()) return this.#listFolder(path)
    if (found.isSymbolicLink()) return [{ path, blob: path, mode: 'symlink' }]
    return found.isFile() ? [{ path, blob: path, mode: 'file' }] : []
  }

  async #readFile(path: string, maxBytes: number): Promise<BlobContent> {
    const { size } = await stat(join(this.#root, path))
    return size > maxBytes ? { kind: 'too-large', sizeBytes: size } : { kind: 'bytes', bytes: await readFile(join(this.#root, path)) }
  }
}
