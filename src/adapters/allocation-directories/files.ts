/**
 * Reading the folder of an allocation from outside. Its tasks write there what they like: links that lead out, pipes, devices,
 * and all of it may be another thing a moment later. So a path is opened first, without touching what it names (O_PATH); what was
 * opened is then asked where it is and what it is; and only that very thing, if it is a plain file, is opened for reading.
 */
import { constants, type Stats, watch } from 'node:fs'
import { lstat, open, readdir, readlink, realpath } from 'node:fs/promises'
import { basename, join, normalize, sep } from 'node:path'
import type { AllocationFiles, FileEntry, LogSpan } from '../../agent/index.js'
import { OrchestratorError } from '../../domain/index.js'
import { LOG_TIMES_BYTES_MAX, logTimesName, readLogSpans } from '../supervisor/log-times.js'

/** Names a file without opening it: no device is set going and no pipe waited for. Not among Node's constants. */
const O_PATH = 0o10000000
const SHARED_FOLDER = 'alloc'
/** What nobody reads from outside, by folder of a task. */
const HIDDEN_FOLDERS: Readonly<Record<string, string>> = { secrets: 'secret', private: 'private' }

export class DiskAllocationFiles implements AllocationFiles {
  readonly #root: string

  /** @param root holds the folders of all allocations */
  constructor(root: string) {
    this.#root = root
  }

  list(allocationId: string, path: string): Promise<readonly FileEntry[]> {
    return this.#withOpened(allocationId, path, async (opened) => {
      if (!opened.stats.isDirectory()) throw new OrchestratorError('NOT_A_FOLDER', `${path} is no folder`)
      const names = (await readdir(opened.self)).sort()
      return Promise.all(names.map(async (name) => entryOf(name, await lstat(join(opened.self, name)))))
    })
  }

  stat(allocationId: string, path: string): Promise<FileEntry> {
    return this.#withOpened(allocationId, path, async ({ name, stats }) => entryOf(name, stats))
  }

  read(allocationId: string, path: string, offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#withOpened(allocationId, path, async ({ self, stats, inside }) => {
      if (stats.isDirectory()) throw new OrchestratorError('NOT_A_FILE', `file "${path}" is a directory`, { path })
      const hidden = hiddenKind(inside)
      if (hidden !== undefined) throw new OrchestratorError('SECRET_FILE', `Reading ${hidden} file prohibited: ${path}`, { path })
      if (!stats.isFile()) throw new OrchestratorError('NOT_A_FILE', `file "${path}" is no regular file`, { path })
      const file = await open(self, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        const piece = Buffer.alloc(lengthBytes)
        const { bytesRead } = await file.read(piece, 0, lengthBytes, offsetBytes)
        return piece.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    })
  }

  async logSpans(allocationId: string, log: string): Promise<readonly LogSpan[]> {
    try {
      const bytes = await this.read(allocationId, `alloc/logs/${logTimesName(log)}`, 0, LOG_TIMES_BYTES_MAX)
      return readLogSpans(Buffer.from(bytes).toString('latin1'))
    } catch (error) {
      if (error instanceof OrchestratorError && (error.code === 'NO_SUCH_FILE' || error.code === 'NOT_A_FILE')) return []
      throw error
    }
  }

  watch(allocationId: string, folder: string, onChange: () => void): () => void {
    const stopped = new AbortController()
    const begin = this.#withOpened(allocationId, folder, async ({ self, stats }) => {
      if (!stats.isDirectory() || stopped.signal.aborted) return
      const watcher = watch(self, { signal: stopped.signal }, () => onChange())
      watcher.on('error', () => watcher.close())
    })
    // The folder is gone already: there is nothing more to be told of it.
    begin.catch(() => {})
    return () => stopped.abort()
  }

  /** @throws OrchestratorError PATH_ESCAPES, NO_SUCH_FILE */
  async #withOpened<T>(allocationId: string, path: string, act: (opened: Opened) => Promise<T>): Promise<T> {
    const folder = join(this.#root, basename(allocationId))
    const wanted = normalize(join(folder, path))
    if (!isWithin(wanted, folder)) throw escapes(path)
    const handle = await open(wanted, O_PATH).catch(() => {
      throw new OrchestratorError('NO_SUCH_FILE', `${path} does not exist`, { path })
    })
    try {
      const self = `/proc/self/fd/${handle.fd}`
      const [place, root] = await Promise.all([readlink(self), realpath(folder)])
      if (!isWithin(place, root)) throw escapes(path)
      return await act({ self, stats: await handle.stat(), name: basename(wanted), inside: place.slice(root.length + 1) })
    } finally {
      await handle.close()
    }
  }
}

/** A thing below the allocation's folder, held so that it stays this thing. */
interface Opened {
  /** A path that leads to it and nowhere else, as long as it is held. */
  readonly self: string
  readonly stats: Stats
  /** As it was asked for. */
  readonly name: string
  /** Where it really is, below the allocation's folder. */
  readonly inside: string
}

function escapes(path: string): OrchestratorError {
  return new OrchestratorError('PATH_ESCAPES', `${path} leads out of the allocation`)
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep)
}

/** Whether it is below `<task>/secrets` or `<task>/private`, and which; the shared folder is no task's. */
function hiddenKind(inside: string): string | undefined {
  const [task, folder, name] = inside.split(sep)
  return task === SHARED_FOLDER || name === undefined ? undefined : HIDDEN_FOLDERS[folder!]
}

function entryOf(name: string, found: Stats): FileEntry {
  return {
    name,
    isFolder: found.isDirectory(),
    sizeBytes: found.size,
    mode: modeText(found),
    modifiedMs: Math.floor(found.mtimeMs),
    contentType: found.isDirectory() ? '' : 'text/plain; charset=utf-8',
  }
}

/** As Go prints a mode: letters of kind and of special bits, `-` when there are none, then the nine of `ls`. */
function modeText(found: Stats): string {
  const { mode } = found
  const marks = [
    found.isDirectory() ? 'd' : '',
    found.isSymbolicLink() ? 'L' : '',
    found.isBlockDevice() || found.isCharacterDevice() ? 'D' : '',
    found.isFIFO() ? 'p' : '',
    found.isSocket() ? 'S' : '',
    (mode & 0o4000) === 0 ? '' : 'u',
    (mode & 0o2000) === 0 ? '' : 'g',
    found.isCharacterDevice() ? 'c' : '',
    (mode & 0o1000) === 0 ? '' : 't',
  ].join('')
  const bits = Array.from({ length: 9 }, (_, at) => ((mode >> (8 - at)) & 1 ? 'rwx'[at % 3]! : '-'))
  return `${marks || '-'}${bits.join('')}`
}
