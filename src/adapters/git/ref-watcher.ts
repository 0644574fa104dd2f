/**
 * Tells that a ref may have moved. Watches HEAD, packed-refs and the folder of the ref itself (a handful of inotify watches
 * whatever the size of the repository). Too many calls are fine, a lost one is not: the watcher drops events that follow
 * each other closely, so each event calls at once and again a moment after the last, and a slow poll backs all of it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

/** The watcher coalesces events that come closer than about 50 ms and sends no trailing one. */
const SETTLE_MS = 60

export interface RefWatch {
  readonly gitFolder: string
  readonly ref: string
  readonly onChange: () => void
}

export async function watchRef({ gitFolder, ref, onChange }: RefWatch): Promise<() => Promise<void>> {
  // In a linked work tree HEAD is its own, refs are those of the main repository.
  const common = commonFolder(gitFolder)
  const watched = new Set([join(gitFolder, 'HEAD'), join(common, 'packed-refs'), refFolder(gitFolder, common, ref)])
  let settling: NodeJS.Timeout | undefined
  const watcher: FSWatcher = watch([...watched], { ignoreInitial: true, depth: 0, ignored: (path) => path.endsWith('.lock') })
  watcher.on('all', () => {
    onChange()
    clearTimeout(settling)
    settling = setTimeout(onChange, SETTLE_MS)
    // HEAD may name another branch now, in another folder.
    const folder = refFolder(gitFolder, common, ref)
    if (!watched.has(folder)) {
      watched.add(folder)
      watcher.add(folder)
    }
  })
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve)
    watcher.once('error', reject)
  })
  return async () => {
    clearTimeout(settling)
    await watcher.close()
  }
}

function refFolder(gitFolder: string, common: string, ref: string): string {
  const name = ref === 'HEAD' ? headRef(gitFolder) : ref
  const folder = name === undefined ? gitFolder : join(common, dirname(name))
  return existsSync(folder) ? folder : join(common, 'refs', 'heads')
}

/** The ref that HEAD points to; undefined when it is detached. */
function headRef(gitFolder: string): string | undefined {
  return /^ref: (.+)$/m.exec(readFileSync(join(gitFolder, 'HEAD'), 'utf8'))?.[1]?.trim()
}

function commonFolder(gitFolder: string): string {
  const file = join(gitFolder, 'commondir')
  return existsSync(file) ? join(gitFolder, readFileSync(file, 'utf8').trim()) : gitFolder
}
