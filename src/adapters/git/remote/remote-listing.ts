/**
 * What the refs that are followed are at a remote. That is a smaller question than a fetch, and one is enough for all sources that follow the
 * same remote: who asks soon after another gets the same answer, and nobody gets one twice.
 */
import type { RemoteAnswer, RemoteGit } from './remote-git.js'

export type Listing = { readonly kind: 'listed'; readonly refs: ReadonlyMap<string, string> } | Extract<RemoteAnswer, { kind: 'failed' }>

export interface ListingFollower {
  /** @param ageMsMax of an answer that will do */
  ask(ageMsMax: number): Promise<Listing>
  leave(): void
}

export class RemoteListing {
  readonly #git: RemoteGit
  readonly #patterns = new Map<symbol, string>()
  #running: Promise<Listing> | undefined
  #last: { readonly atMs: number; readonly listing: Listing; readonly given: Set<symbol> } | undefined
  #ending = new AbortController()

  constructor(git: RemoteGit) {
    this.#git = git
  }

  /** @param pattern a full ref, or tags with a `*` @param own its folder and how long an answer may take */
  follow(pattern: string, own: { readonly folder: string; readonly timeoutMs: number }): ListingFollower {
    const key = Symbol(pattern)
    if (this.#patterns.size === 0) this.#ending = new AbortController()
    if (![...this.#patterns.values()].includes(pattern)) this.#last = undefined
    this.#patterns.set(key, pattern)
    return {
      ask: (ageMsMax) => this.#ask(key, ageMsMax, own),
      leave: () => {
        this.#patterns.delete(key)
        if (this.#patterns.size === 0) this.#ending.abort()
      },
    }
  }

  async #ask(key: symbol, ageMsMax: number, own: { readonly folder: string; readonly timeoutMs: number }): Promise<Listing> {
    const last = this.#last
    if (this.#running === undefined && last !== undefined && !last.given.has(key) && performance.now() - last.atMs < ageMsMax) {
      last.given.add(key)
      return last.listing
    }
    this.#running ??= this.#list(own).finally(() => {
      this.#running = undefined
    })
    const listing = await this.#running
    if (this.#last?.listing === listing) this.#last.given.add(key)
    return listing
  }

  async #list({ folder, timeoutMs }: { readonly folder: string; readonly timeoutMs: number }): Promise<Listing> {
    const atMs = performance.now()
    const refs = [...new Set(this.#patterns.values())]
    const { signal } = this.#ending
    const answer = await this.#git.ask({
      folder,
      words: ['ls-remote', '--quiet'],
      refs,
      ref: refs.join(', '),
      timeoutMs,
      signal,
    })
    if (answer.kind === 'failed') {
      // Each may try for itself when its time has come.
      this.#last = undefined
      return answer
    }
    const rows = answer.stdout.split('\n').flatMap((line): [string, string][] => {
      const [id, name] = line.split('\t')
      // What a tag leads to stands behind it.
      return id === undefined || name === undefined || name.endsWith('^{}') ? [] : [[name, id]]
    })
    const listing: Listing = { kind: 'listed', refs: new Map(rows) }
    // Somebody with another pattern may have come meanwhile.
    if (refs.length === new Set(this.#patterns.values()).size) this.#last = { atMs, listing, given: new Set() }
    return listing
  }
}
