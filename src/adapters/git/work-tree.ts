/** The files of a work tree as if they were committed: what `validate`, `render` and `plan` look at before there is a commit. */
import { existsSync } from 'node:fs'
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

  /** Every entry, ordered by path: what git tracks or would, or in a folder that is no repository's, everything. Stands for the blob: the path. */
  async list(): Promise<readonly TreeEntry[]> {
    const entries = this.#isRepository() ? await this.#listTracked() : await this.#listFolder('')
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

  async #listFolder(folder: string): Promise<TreeEntry[]> {
    const found = await readdir(join(this.#root, folder), { withFileTypes: true })
    const entries = await Promise.all(
      found.map(async (item) => {
        const path = folder === '' ? item.name : `${folder}/${item.name}`
        if (item.isDirectory()) return item.name === '.git' ? [] : this.#listFolder(path)
        return (await this.#entryOf(path)) ?? []
      }),
    )
    return entries.flat()
  }

  /** Undefined for what is neither file nor link nor submodule, and for what git knows and is deleted here. */
  async #entryOf(path: string): Promise<TreeEntry | undefined> {
    const found = await lstat(join(this.#root, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (found === undefined) return undefined
    if (found.isDirectory()) return { path, blob: path, mode: 'gitlink' }
    if (found.isSymbolicLink()) return { path, blob: path, mode: 'symlink' }
    return found.isFile() ? { path, blob: path, mode: 'file' } : undefined
  }

  async #readFile(path: string, maxBytes: number): Promise<BlobContent> {
    const { size } = await stat(join(this.#root, path))
    return size > maxBytes ? { kind: 'too-large', sizeBytes: size } : { kind: 'bytes', bytes: await readFile(join(this.#root, path)) }
  }
}
