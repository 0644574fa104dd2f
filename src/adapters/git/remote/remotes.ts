import type { RemoteAccess } from './remote-access.js'
import { type RemoteAddress, RemoteGit } from './remote-git.js'
import { RemoteListing } from './remote-listing.js'

/** A remote as whoever may read it sees it; the same object for all sources that follow it. */
export interface Remote {
  readonly git: RemoteGit
  readonly listing: RemoteListing
}

/** One for each address and way to prove who asks. */
export class Remotes {
  readonly #known = new Map<string, Remote>()

  of(address: RemoteAddress, access: RemoteAccess): Remote {
    const key = JSON.stringify([address.url, access])
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const git = new RemoteGit(address, access)
    const remote = { git, listing: new RemoteListing(git) }
    this.#known.set(key, remote)
    return remote
  }
}
