/**
 * Writing into folders that a task may write to as well. It may plant a link anywhere and change it at any moment, so no path is walked
 * by name: each folder on the way is opened without following links, from the one before.
 */
import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lchown, lstat, mkdir, open, readlink, rename, symlink, unlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import type { NewTaskFile, TaskFiles } from '../agent/index.js'
import { OrchestratorError } from '../domain/index.js'
import { findTaskUser, isRoot, type TaskUser } from './task-user.js'

const FOLDER_MODE = 0o755
const READ_BYTES_MAX = 16 * 1024 * 1024

export const taskFiles: TaskFiles = { write, read, link }

/** Runs with the folder that holds the file, held so that it stays this folder. */
async function inFolder<T>(root: string, path: string, makes: boolean, act: (folder: string, name: string) => Promise<T>): Promise<T> {
  const allocation = dirname(root)
  const wanted = place(root, path)
  const inside = relative(allocation, wanted)
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) throw escapes(path)
  const parts = inside.split(sep)
  const name = parts.pop()!
  let folder = await openFolder(allocation)
  try {
    for (const part of parts) {
      const next = `/proc/self/fd/${folder.fd}/${part}`
      const isNew = makes && (await makeFolder(next))
      const opened = await openFolder(next).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? missing(path) : escapes(path)
      })
      await folder.close()
      folder = opened
      // Tasks of any user look into it, whatever mask the agent was started with.
      if (isNew) await folder.chmod(FOLDER_MODE)
    }
    return await act(`/proc/self/fd/${folder.fd}`, name)
  } finally {
    await folder.close()
  }
}

function openFolder(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

/** Absolute paths are below the task's folder too, unless they name a place in the allocation already. */
function place(root: string, path: string): string {
  const allocation = dirname(root)
  return isAbsolute(path) && (path === allocation || path.startsWith(allocation + sep)) ? join(path) : join(root, path)
}

function escapes(path: string): OrchestratorError {
  return new OrchestratorError('PATH_ESCAPES', `${path} leads out of the allocation`, { path })
}

function missing(path: string): OrchestratorError {
  return new OrchestratorError('NO_SUCH_FILE', `${path} does not exist`, { path })
}

/** False: there was one. */
function makeFolder(path: string): Promise<boolean> {
  return mkdir(path, { mode: FOLDER_MODE }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      return false
    },
  )
}

function write({ root, path, content, mode, owner }: NewTaskFile): Promise<boolean> {
  return inFolder(root, path, true, async (folder, name) => {
    const target = join(folder, name)
    const isSame = await holds(target, content)
    const temporary = join(folder, `.${name}.${randomUUID().slice(0, 8)}`)
    const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    try {
      await file.writeFile(content)
      const user = owner === '' ? undefined : findTaskUser(owner)
      if (isRoot() && user !== undefined) await file.chown(user.uid, user.gid)
      await file.chmod(mode)
    } finally {
      await file.close()
    }
    await rename(temporary, target)
    return !isSame
  })
}

/** Puts a file of the agent's own, on the same file system, in place of what is there. @throws OrchestratorError PATH_ESCAPES */
export function moveIntoTask({
  from,
  root,
  path,
  owner,
}: { readonly from: string } & Pick<NewTaskFile, 'root' | 'path' | 'owner'>): Promise<void> {
  return inFolder(root, path, true, async (folder, name) => {
    const user = owner === '' ? undefined : findTaskUser(owner)
    if (isRoot()) await lchown(from, user?.uid ?? 0, user?.gid ?? 0)
    await rename(from, join(folder, name))
  })
}

/** A plain file that is there becomes the user's. @throws OrchestratorError PATH_ESCAPES, NO_SUCH_FILE */
export function giveToTask({ root, path, user }: Pick<NewTaskFile, 'root' | 'path'> & { readonly user: TaskUser }): Promise<void> {
  return inFolder(root, path, false, async (folder, name) => {
    const file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => {
      throw missing(path)
    })
    try {
      const stats = await file.stat()
      // One of several names may be that of a file of somebody else's.
      if (!stats.isFile() || stats.nlink > 1) throw missing(path)
      if (isRoot() && stats.uid !== user.uid) await file.chown(user.uid, user.gid)
    } finally {
      await file.close()
    }
  })
}

async function holds(path: string, content: Uint8Array): Promise<boolean> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stats = await file.stat()
      if (!stats.isFile() || stats.size !== content.length) return false
      return digest(await file.readFile()) === digest(content)
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function read(root: string, path: string): Promise<Uint8Array> {
  return inFolder(root, path, false, async (folder, name) => {
    const file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => {
      throw missing(path)
    })
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw missing(path)
      if (stats.size > READ_BYTES_MAX)
        throw new OrchestratorError('FILE_TOO_LARGE', `${path} has more than ${READ_BYTES_MAX} bytes`, { path })
      return await file.readFile()
    } finally {
      await file.close()
    }
  })
}

function link({ root, path, target }: { readonly root: string; readonly path: string; readonly target: string }): Promise<void> {
  return inFolder(root, path, true, async (folder, name) => {
    const at = join(folder, basename(name))
    const known = await lstat(at).catch(() => undefined)
    if (known !== undefined) {
      if (!known.isSymbolicLink()) throw new OrchestratorError('PATH_TAKEN', `${path} is there already and is no volume`, { path })
      if ((await readlink(at)) === target) return
      await unlink(at)
    }
    await symlink(target, at)
  })
}
