/**
 * A repository that need not be there yet: it is opened when it is asked, again and again until that works, so that a folder that is missing
 * when a server starts is told as one that cannot be read and keeps nothing else from starting.
 */
import type { GitSource } from '../../controller/index.js'
import type { CliGitSource } from './git-source.js'

export class DeferredGitSource implements GitSource {
  readonly #open: () => Promise<CliGitSource>
  readonly #watchers = new Set<Watcher>()
  #opening: Promise<CliGitSource> | undefined

  constructor(open: () => Promise<CliGitSource>) {
    this.#open = open
  }

  /** Now: what is wrong is told at once. @throws as `CliGitSource.open` */
  async open(): Promise<void> {
    await this.#source()
  }

  async resolve() {
    return (await this.#source()).resolve()
  }

  async idOf(name: string) {
    return (await this.#source()).idOf(name)
  }

  async list(commitId: string) {
    return (await this.#source()).list(commitId)
  }

  async read(blobs: readonly string[], maxBytes: number) {
    return (await this.#source()).read(blobs, maxBytes)
  }

  async isAncestor(ancestorId: string, descendantId: string) {
    return (await this.#source()).isAncestor(ancestorId, descendantId)
  }

  async isShallow() {
    return (await this.#source()).isShallow()
  }

  async commitsBetween(fromId: string | null, toId: string, limit: number) {
    return (await this.#source()).commitsBetween(fromId, toId, limit)
  }

  /** From when it is open on; before that whoever follows it looks by its own timer. */
  async watch(onChange: () => void): Promise<() => Promise<void>> {
    const watcher: Watcher = { onChange, unwatch: undefined }
    this.#watchers.add(watcher)
    const source = await this.#opening?.catch(() => undefined)
    if (source !== undefined) watcher.unwatch ??= source.watch(onChange)
    return async () => {
      this.#watchers.delete(watcher)
      await (await watcher.unwatch)?.()
    }
  }

  async close(): Promise<void> {
    const source = await this.#opening?.catch(() => undefined)
    await source?.close()
  }

  #source(): Promise<CliGitSource> {
    this.#opening ??= this.#openNow()
    return this.#opening
  }

  async #openNow(): Promise<CliGitSource> {
    try {
      const source = await this.#open()
      for (const watcher of this.#watchers) watcher.unwatch ??= source.watch(watcher.onChange)
      return source
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }
}

interface Watcher {
  readonly onChange: () => void
  unwatch: Promise<() => Promise<void>> | undefined
}
