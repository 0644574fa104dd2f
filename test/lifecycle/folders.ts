/** What stories note of the folder of an allocation on a real disk. */
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'

/** Names and sizes of the files of all streams of an allocation. */
export function logFiles(root: string | undefined): readonly object[] {
  if (root === undefined) return []
  const folder = join(root, 'alloc', 'logs')
  const names = readdirSync(folder).filter((name) => /\.(stdout|stderr)\.\d+$/.test(name) && !name.startsWith('.'))
  return names.sort().map((name) => ({ name, size: lstatSync(join(folder, name)).size }))
}

/** All paths below the folder of an allocation, with kind, mode and owner. */
export function tree(root: string | undefined): object {
  if (root === undefined) return {}
  const paths = (readdirSync(root, { recursive: true }) as string[]).sort()
  const entries = paths.map((path) => {
    const stats = lstatSync(join(root, path))
    const { mode, uid, gid } = stats
    return { path, kind: kindOf(stats), mode: (mode & 0o7777).toString(8).padStart(4, '0'), uid, gid }
  })
  return { root_mode: (lstatSync(root).mode & 0o7777).toString(8).padStart(4, '0'), entries }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'dir'
  if (stats.isFile()) return 'file'
  if (stats.isSymbolicLink()) return 'link'
  return stats.isFIFO() ? 'fifo' : 'socket'
}
