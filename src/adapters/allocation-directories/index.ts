/** The folders of allocations on disk, as Nomad lays them out, and reading them from outside without ever leaving them. */
import { chmodSync, mkdirSync, watch } from 'node:fs'
import { lstat, open, readdir, realpath, rm, stat } from 'node:fs/promises'
import { basename, join, normalize, sep } from 'node:path'
import type { AllocationDirectories, AllocationFiles, FileEntry, TaskDirectories } from '../../agent/index.js'
import { type Allocation, OrchestratorError, type Task } from '../../domain/index.js'

export class DiskAllocationDirectories implements AllocationDirectories, AllocationFiles {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
    mkdirSync(root, { recursive: true, mode: 0o711 })
  }

  async create(allocation: Allocation, tasks: readonly Task[]): Promise<void> {
    for (const folder of ['data', 'logs', 'tmp']) makeFolder(join(this.#folderOf(allocation.ID), 'alloc', folder), 0o777)
    for (const task of tasks) {
      const { local, secrets, task: own } = this.of(allocation.ID, task.Name)
      makeFolder(own, 0o777)
      makeFolder(local, 0o777)
      makeFolder(secrets, 0o700)
      makeFolder(join(own, 'tmp'), 0o1777)
    }
  }

  of(allocationId: string, taskName: string): TaskDirectories {
    const folder = this.#folderOf(allocationId)
    const task = join(folder, taskName)
    const shared = join(folder, 'alloc')
    return { task, local: join(task, 'local'), secrets: join(task, 'secrets'), shared, logs: join(shared, 'logs') }
  }

  async remove(allocationId: string): Promise<void> {
    await rm(this.#folderOf(allocationId), { recursive: true, force: true })
  }

  async listIds(): Promise<readonly string[]> {
    return readdir(this.#root)
  }

  list(): Promise<readonly string[]>
  list(allocationId: string, path: string): Promise<readonly FileEntry[]>
  async list(allocationId?: string, path?: string): Promise<readonly string[] | readonly FileEntry[]> {
    if (allocationId === undefined) return this.listIds()
    const folder = await this.#resolve(allocationId, path ?? '')
    if (!(await stat(folder)).isDirectory()) throw new OrchestratorError('NOT_A_FOLDER', `${path} is no folder`)
    const names = (await readdir(folder)).sort()
    return Promise.all(names.map((name) => entryOf(join(folder, name))))
  }

  async stat(allocationId: string, path: string): Promise<FileEntry> {
    return entryOf(await this.#resolve(allocationId, path))
  }

  async read(allocationId: string, path: string, offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const resolved = await this.#resolve(allocationId, path)
    if ((await stat(resolved)).isDirectory()) throw new OrchestratorError('NOT_A_FILE', `${path} is a folder`)
    const file = await open(resolved, 'r')
    try {
      const piece = Buffer.alloc(lengthBytes)
      const { bytesRead } = await file.read(piece, 0, lengthBytes, offsetBytes)
      return piece.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  watch(allocationId: string, folder: string, onChange: () => void): () => void {
    try {
      const watcher = watch(join(this.#folderOf(allocationId), folder), () => onChange())
      watcher.on('error', () => watcher.close())
      return () => watcher.close()
    } catch {
      // The folder is gone already: there is nothing more to be told of it.
      return () => {}
    }
  }

  #folderOf(allocationId: string): string {
    return join(this.#root, basename(allocationId))
  }

  /** Links are followed and must end inside. @throws OrchestratorError PATH_ESCAPES, NO_SUCH_FILE */
  async #resolve(allocationId: string, path: string): Promise<string> {
    const folder = this.#folderOf(allocationId)
    const wanted = normalize(join(folder, path))
    if (wanted !== folder && !wanted.startsWith(folder + sep))
      throw new OrchestratorError('PATH_ESCAPES', `${path} leads out of the allocation`)
    const [real, root] = await Promise.all([realpath(wanted), realpath(folder)]).catch(() => {
      throw new OrchestratorError('NO_SUCH_FILE', `${path} does not exist`, { path })
    })
    if (real !== root && !real.startsWith(root + sep)) throw new OrchestratorError('PATH_ESCAPES', `${path} leads out of the allocation`)
    return real
  }
}

/** The mode in full, whatever the process masks out. */
function makeFolder(path: string, mode: number): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, mode)
}

async function entryOf(path: string): Promise<FileEntry> {
  const found = await lstat(path)
  return {
    name: basename(path),
    isFolder: found.isDirectory(),
    sizeBytes: found.size,
    mode: modeText(found.mode, found.isDirectory()),
    modifiedMs: Math.floor(found.mtimeMs),
    contentType: found.isDirectory() ? '' : 'text/plain; charset=utf-8',
  }
}

/** As `ls` prints it. */
function modeText(mode: number, isFolder: boolean): string {
  const letters = ['r', 'w', 'x']
  const bits = Array.from({ length: 9 }, (_, at) => ((mode >> (8 - at)) & 1 ? letters[at % 3]! : '-'))
  return `${isFolder ? 'd' : '-'}${bits.join('')}`
}
