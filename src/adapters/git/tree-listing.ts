/** The files of a commit while they are listed, and how many there may be: a few small objects that name each other can stand for any number. */
import { spawn } from 'node:child_process'
import type { TreeEntry } from '../../controller/index.js'
import { OrchestratorError } from '../../domain/index.js'
import { gitArguments, gitEnvironment } from './git-command.js'
import type { ParsedTree, TreeItem } from './parse-objects.js'

export interface TreeLimits {
  /** Files and folders. */
  readonly entriesMax: number
  /** Characters of all paths. */
  readonly pathsLengthMax: number
  readonly depthMax: number
}

export const TREE_LIMITS: TreeLimits = { entriesMax: 500_000, pathsLengthMax: 100_000_000, depthMax: 100 }

/** Then others have a turn: folders that are known already are gone through without any wait. */
const FOLDERS_IN_A_ROW = 200

export class TreeListing {
  readonly entries: TreeEntry[] = []
  /** By prefix. */
  readonly folders = new Map<string, ParsedTree>()
  /** Folders by id, as git has them: each is read once, however many names it has. */
  readonly contents = new Map<string, Buffer>()
  readonly #limits: TreeLimits
  #count = 0
  #pathsLength = 0
  #depth = 0
  #folderCount = 0

  constructor(limits: TreeLimits) {
    this.#limits = limits
  }

  /** @throws OrchestratorError GIT_TREE */
  count({ path }: TreeItem): void {
    const { entriesMax, pathsLengthMax } = this.#limits
    this.#pathsLength += path.length
    if (++this.#count > entriesMax) throw tooLarge(`more than ${entriesMax} files and folders`)
    if (this.#pathsLength > pathsLengthMax) throw tooLarge(`paths of more than ${pathsLengthMax} characters`)
  }

  /** @throws OrchestratorError GIT_TREE, and what `work` throws */
  async inFolder(work: () => Promise<void>): Promise<void> {
    const { depthMax } = this.#limits
    if (++this.#depth > depthMax) throw tooLarge(`folders more than ${depthMax} deep`)
    if (++this.#folderCount % FOLDERS_IN_A_ROW === 0) await new Promise(setImmediate)
    await work()
    this.#depth--
  }
}

/**
 * For what git itself is to go through. It tells the paths one after the other, and is ended when there are too many.
 * @returns why it is not to; undefined: it may
 */
export async function refuseLargeTree(
  repository: string,
  commitId: string,
  { entriesMax, pathsLengthMax }: TreeLimits = TREE_LIMITS,
): Promise<string | undefined> {
  const words = ['ls-tree', '-r', '-t', '-z', '--name-only', '--full-tree', commitId]
  const child = spawn('git', [...gitArguments(repository), ...words], { env: gitEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause)))
    child.once('close', resolve)
  })
  let bytes = 0
  let entries = 0
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length
    for (let at = chunk.indexOf(0); at >= 0; at = chunk.indexOf(0, at + 1)) entries++
    if (bytes > pathsLengthMax || entries > entriesMax) child.kill('SIGKILL')
  }
  const code = await ended
  if (bytes > pathsLengthMax) return explainTooLarge(`paths of more than ${pathsLengthMax} characters`)
  if (entries > entriesMax) return explainTooLarge(`more than ${entriesMax} files and folders`)
  // git gives up where folders are nested too deeply for it.
  return code === 0 ? undefined : explainTooLarge('folders that git does not list')
}

function tooLarge(what: string): OrchestratorError {
  return new OrchestratorError('GIT_TREE', explainTooLarge(what))
}

function explainTooLarge(what: string): string {
  return `the commit has ${what}, and is not read; take out what does not belong there, what runs stays as it is`
}
