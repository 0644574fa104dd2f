/**
 * Tells that a ref may have moved. Watches the git folder (HEAD, packed-refs) and the folder of the ref itself: two inotify
 * watches whatever the size of the repository. Too many calls are fine; a lost one is found by the slow poll behind it.
 */
import { existsSync, type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'

export interface RefWatch {
  readonly gitFolder: string
  readonly ref: string
  readonly onChange: () => void
}

/** A ref is renamed into place; whoever resolves it in that very moment may still see the old one. */
const SETTLE_MS = 20

export async function watchRef({ gitFolder, ref, onChange }: RefWatch): Promise<() => Promise<void>> {
  // In a linked work tree HEAD is its own, refs are those of the main repository.
  const common = commonFolder(gitFolder)
  const watchers = new Map<string, FSWatcher>()
  let settling: NodeJS.Timeout | undefined
  const onEvent = (name: string | null) => {
    if (name?.endsWith('.lock') === true || name === 'index') return
    follow()
    onChange()
    clearTimeout(settling)
    settling = setTimeout(onChange, SETTLE_MS)
  }
  /** HEAD may name another branch by now, in another folder. */
  const follow = () => {
    const wanted = new Set([gitFolder, common, refFolder(gitFolder, common, ref)].filter(existsSync))
    for (const [folder, watcher] of watchers) if (!wanted.has(folder)) stopWatching(folder, watcher)
    for (const folder of wanted) if (!watchers.has(folder)) startWatching(folder)
  }
  const startWatching = (folder: string) => {
    const watcher = watch(folder, (_event, name) => onEvent(name))
    // The folder is gone: the poll goes on, and the next event elsewhere starts a watch anew.
    watcher.on('error', () => stopWatching(folder, watcher))
    watchers.set(folder, watcher)
  }
  const stopWatching = (folder: string, watcher: FSWatcher) => {
    watcher.close()
    watchers.delete(folder)
  }
  follow()
  return async () => {
    clearTimeout(settling)
    for (const [folder, watcher] of [...watchers]) stopWatching(folder, watcher)
  }
}

function refFolder(gitFolder: string, common: string, ref: string): string {
  const name = ref === 'HEAD' ? headRef(gitFolder) : ref
  return name === undefined ? gitFolder : join(common, dirname(name))
}

/** The ref that HEAD points to; undefined when it is detached or gone. */
function headRef(gitFolder: string): string | undefined {
  const path = join(gitFolder, 'HEAD')
  return existsSync(path) ? /^ref: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1]?.trim() : undefined
}

function commonFolder(gitFolder: string): string {
  const file = join(gitFolder, 'commondir')
  return existsSync(file) ? join(gitFolder, readFileSync(file, 'utf8').trim()) : gitFolder
}
