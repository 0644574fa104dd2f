/**
 * Tells that a ref may have moved: chokidar on HEAD, packed-refs and the ref, whatever the size of the repository. It drops events that
 * follow each other closely, so each one is followed by a second look at the same files; too many calls are fine, and what is lost all
 * the same is found by the slow poll behind it.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { commonFolderOf, headRefOf } from './git-folder.js'

/** For file systems that send no events: NFS, SMB, folders shared with a virtual machine. */
export interface Polling {
  readonly intervalMs: number
}

export interface RefWatcherOptions {
  readonly gitFolder: string
  /** `HEAD`, or a full ref name. */
  readonly ref: string
  readonly polling: Polling | undefined
  readonly onChange: () => void
}

/** Longer than chokidar holds back what comes right behind an event. */
const SECOND_LOOK_MS = 60

/** The folders that are watched, and the paths in them that count. */
interface Interest {
  readonly folders: readonly string[]
  readonly paths: ReadonlySet<string>
  /** Changes when one of the folders comes, goes or is made anew. */
  readonly identity: string
  /** Changes with what the ref names. */
  readonly value: string
}

export class RefWatcher {
  readonly #options: RefWatcherOptions
  #gitFolder: string
  #interest: Interest
  #watcher: FSWatcher
  #secondLook: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: RefWatcherOptions) {
    this.#options = options
    this.#gitFolder = options.gitFolder
    this.#interest = this.#look()
    this.#watcher = this.#start()
  }

  /** The repository is another one now. */
  moveTo(gitFolder: string): void {
    this.#gitFolder = gitFolder
    this.#restart(this.#look())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#secondLook)
    await this.#watcher.close()
  }

  #start(): FSWatcher {
    const { folders, paths } = this.#interest
    const { polling } = this.#options
    const watcher = watch([...folders], {
      ignoreInitial: true,
      depth: 0,
      atomic: false,
      ignored: (path) => !paths.has(path),
      ...(polling === undefined ? {} : { usePolling: true, interval: polling.intervalMs }),
    })
    watcher.on('all', () => this.#onEvent())
    // What the system said, before chokidar reads the folder to tell what became of it: a rename behind a lock file is dropped there.
    watcher.on('raw', (_event, path) => {
      if (!path.endsWith('.lock') && !path.endsWith('index')) this.#onEvent()
    })
    // What moved while it was starting.
    watcher.on('ready', () => this.#lookAgain())
    // A folder is gone, or there are too many watches: the poll behind this goes on, and the next event starts it anew.
    watcher.on('error', () => {})
    return watcher
  }

  #onEvent(): void {
    if (this.#isClosed) return
    this.#options.onChange()
    this.#lookLater()
  }

  #lookLater(): void {
    clearTimeout(this.#secondLook)
    this.#secondLook = setTimeout(() => this.#lookAgain(), SECOND_LOOK_MS)
  }

  /** Until two looks agree: then whoever looked between them has seen what they saw. */
  #lookAgain(): void {
    if (this.#isClosed || !this.#follow()) return
    this.#options.onChange()
    this.#lookLater()
  }

  /** Whether the ref may name something else than before. HEAD may be on another branch by now, and folders of refs come and go. */
  #follow(): boolean {
    const before = this.#interest
    const now = this.#look()
    if (now.identity === before.identity) this.#interest = now
    else this.#restart(now)
    return now.value !== before.value
  }

  #restart(interest: Interest): void {
    void this.#watcher.close()
    this.#interest = interest
    this.#watcher = this.#start()
  }

  #look(): Interest {
    const common = commonFolderOf(this.#gitFolder)
    const name = this.#options.ref === 'HEAD' ? headRefOf(this.#gitFolder) : this.#options.ref
    const head = join(this.#gitFolder, 'HEAD')
    const packed = join(common, 'packed-refs')
    const tables = join(common, 'reftable', 'tables.list')
    const ref = name === undefined ? head : join(common, name)
    // The folder of a branch `a/b` comes and goes with it.
    const folders = [this.#gitFolder, common, join(common, 'reftable'), ...(name === undefined ? [] : foldersBetween(common, dirname(ref)))]
    const existing = [...new Set(folders)].filter((folder) => identityOf(folder) !== '')
    return {
      folders: existing,
      paths: new Set([...folders, head, packed, tables, ref]),
      identity: [ref, ...existing.map((folder) => `${folder} ${identityOf(folder)}`)].join('\n'),
      value: [textOf(head), textOf(ref), versionOf(packed), versionOf(tables)].join('\n'),
    }
  }
}

/** `top/refs`, `top/refs/heads`, … down to `folder`. */
function foldersBetween(top: string, folder: string): readonly string[] {
  if (folder === top || !folder.startsWith(top + sep)) return []
  return [...foldersBetween(top, dirname(folder)), folder]
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not there, or just being replaced: another look follows.
    return ''
  }
}

/** Of the file or folder of this name now; '' where there is none. */
function identityOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev}:${found.ino}`
}

/** Changes whenever the file is written or replaced. */
function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev}:${found.ino}:${found.mtimeMs}:${found.size}`
}
