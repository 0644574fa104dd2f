/** A repository in memory: commits, trees and blobs with ids, branches that can be rewritten, and watchers. */
import type { BlobContent, GitSource, TreeEntry } from '../../src/controller/index.js'
import { type Clock, type Commit, OrchestratorError } from '../../src/domain/index.js'

export type Files = Readonly<Record<string, string>>

type Stored = { readonly commit: Commit; readonly parent: string | null; readonly files: ReadonlyMap<string, string> }

export class SimulatedRepository {
  head: string | null = null
  /** The first commit of all. */
  root: string | null = null
  readonly #commits = new Map<string, Stored>()
  readonly #blobs = new Map<string, string>()
  readonly #watchers = new Set<() => void>()

  /** A commit on top of the head (or of `parent`): `changes` by path, null deletes. Returns its id. */
  commit(
    changes: Readonly<Record<string, string | null>>,
    options: { readonly subject?: string; readonly trailers?: Commit['trailers']; readonly parent?: string | null } = {},
  ): string {
    const parent = options.parent === undefined ? this.head : options.parent
    const files = new Map(parent === null ? [] : this.#commits.get(parent)!.files)
    for (const [path, text] of Object.entries(changes)) {
      if (text === null) files.delete(path)
      else files.set(path, this.#storeBlob(text))
    }
    const id = hashText(`${parent} ${[...files].join(' ')} ${this.#commits.size}`)
    const commit = {
      id,
      author: 'somebody',
      authorEmail: 'somebody@example.org',
      atMs: 0,
      subject: options.subject ?? 'change',
      trailers: options.trailers ?? [],
    }
    this.#commits.set(id, { commit, parent, files })
    this.root ??= id
    this.move(id)
    return id
  }

  /** Points the branch at any commit: what a reset or a forced push does. */
  move(id: string): void {
    this.head = id
    for (const watcher of this.#watchers) watcher()
  }

  /** The commit so many before the head, or the first of all. */
  behind(commits: number): string {
    let at = this.head!
    for (let back = 0; back < commits; back++) at = this.#commits.get(at)!.parent ?? at
    return at
  }

  /** Paths below a folder, in order. */
  pathsIn(folder: string): readonly string[] {
    const paths = this.head === null ? [] : [...this.#commits.get(this.head)!.files.keys()]
    return paths.filter((path) => path.startsWith(`${folder}/`)).sort()
  }

  text(path: string): string | undefined {
    const blob = this.head === null ? undefined : this.#commits.get(this.head)!.files.get(path)
    return blob === undefined ? undefined : this.#blobs.get(blob)
  }

  isAncestor(ancestor: string, descendant: string): boolean {
    for (let at: string | null = descendant; at !== null; at = this.#commits.get(at)?.parent ?? null) if (at === ancestor) return true
    return false
  }

  /** The repository as one process reads it: each answer takes a moment. */
  sourceFor(clock: Clock): GitSource {
    const pause = () => new Promise<void>((resolve) => clock.after(1, resolve))
    const find = (id: string) => {
      const stored = this.#commits.get(id)
      if (stored === undefined) throw new OrchestratorError('GIT_OBJECT', `no commit ${id}`)
      return stored
    }
    return {
      resolve: async () => {
        await pause()
        if (this.head === null) throw new OrchestratorError('GIT_UNBORN', 'no commit yet')
        return find(this.head).commit
      },
      list: async (id) => {
        await pause()
        const entries = [...find(id).files].map(([path, blob]): TreeEntry => ({ path, blob, mode: 'file' }))
        return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
      },
      read: async (blobs, maxBytes) => {
        await pause()
        return new Map(blobs.map((blob) => [blob, this.#contentOf(blob, maxBytes)]))
      },
      isAncestor: async (ancestor, descendant) => this.isAncestor(ancestor, descendant),
      isShallow: async () => false,
      commitsBetween: async (from, to) => {
        const commits: Commit[] = []
        for (
          let at: string | null = to;
          at !== null && (from === null || !this.isAncestor(at, from));
          at = this.#commits.get(at)?.parent ?? null
        ) {
          commits.unshift(find(at).commit)
          if (from === null) break
        }
        return commits
      },
      watch: async (onChange) => {
        const watcher = () => void clock.after(1, onChange)
        this.#watchers.add(watcher)
        return async () => void this.#watchers.delete(watcher)
      },
      close: async () => {},
    }
  }

  #storeBlob(text: string): string {
    const id = hashText(text)
    this.#blobs.set(id, text)
    return id
  }

  #contentOf(blob: string, maxBytes: number): BlobContent {
    const text = this.#blobs.get(blob)
    if (text === undefined) throw new OrchestratorError('GIT_OBJECT', `no blob ${blob}`)
    const bytes = new TextEncoder().encode(text)
    return bytes.length > maxBytes ? { kind: 'too-large', sizeBytes: bytes.length } : { kind: 'bytes', bytes }
  }
}

/** 40 hex digits, as git has them; only equality matters here. */
function hashText(text: string): string {
  let a = 0x811c9dc5
  let b = 0x1000193
  for (let at = 0; at < text.length; at++) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193) >>> 0
    b = Math.imul(b + text.charCodeAt(at), 0x85ebca6b) >>> 0
  }
  const part = (value: number) => (value >>> 0).toString(16).padStart(8, '0')
  return `${part(a)}${part(b)}${part(a ^ b)}${part(Math.imul(a, 31))}${part(text.length)}`
}
