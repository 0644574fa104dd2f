/** The CNI configurations of this host, by the names in them. Read anew each time: an administrator may add one while the agent runs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { explainError, OrchestratorError } from '../../domain/index.js'
import { type CniList, parseList } from './cni-lists.js'

const ENDINGS = ['.conflist', '.conf', '.json']

export class HostLists {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws OrchestratorError NETWORK */
  find(name: string): CniList {
    const { lists, problems } = this.#read()
    const found = lists.find((list) => list.name === name)
    if (found !== undefined) return found
    const others = problems.length === 0 ? '' : ` (${problems.join('; ')})`
    throw new OrchestratorError('NETWORK', `no CNI configuration in ${this.#folder} has the name "${name}"${others}`, { name })
  }

  names(): readonly string[] {
    return [...new Set(this.#read().lists.map(({ name }) => name))].sort()
  }

  #read(): { readonly lists: readonly CniList[]; readonly problems: readonly string[] } {
    const lists: CniList[] = []
    const problems: string[] = []
    const files = existsSync(this.#folder) ? readdirSync(this.#folder).sort() : []
    for (const file of files.filter((each) => ENDINGS.some((ending) => each.endsWith(ending)))) {
      try {
        const path = join(this.#folder, file)
        lists.push(parseList(path, readFileSync(path, 'utf8')))
      } catch (error) {
        problems.push(explainError(error))
      }
    }
    return { lists, problems }
  }
}
