/** What was wrong with files at an earlier look. What has not changed is not read again: a repository full of mistakes costs no more than another. */
import type { FileReading } from './desired-state.js'
import type { JobFileOutcome } from './ports.js'
import type { SourceTree } from './source-tree.js'

type Mistaken = Extract<FileReading, { kind: 'mistakes' }>

interface Known {
  readonly reading: Mistaken
  readonly inputs: NonNullable<Extract<JobFileOutcome, { kind: 'mistakes' }>['inputs']>
  /** A job may ask for any of them. */
  readonly nodePools: ReadonlySet<string>
}

export class KnownMistakes {
  readonly #byPath = new Map<string, Known>()

  /** Undefined: the file has to be read. */
  find(tree: SourceTree, path: string, nodePools: ReadonlySet<string>): Mistaken | undefined {
    const known = this.#byPath.get(path)
    if (known === undefined) return undefined
    if (isSame(known.nodePools, nodePools) && tree.matches({ path, inputs: known.inputs })) return known.reading
    this.#byPath.delete(path)
    return undefined
  }

  /** Forgets the files that are gone. */
  retain(tree: SourceTree): void {
    for (const path of this.#byPath.keys()) if (!tree.has(path)) this.#byPath.delete(path)
  }

  keep(known: Known): void {
    this.#byPath.set(known.reading.path, known)
  }
}

function isSame(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return some === others || (some.size === others.size && [...some].every((one) => others.has(one)))
}
