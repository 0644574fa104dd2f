/**
 * One living owner per folder. The lock is an abstract unix socket named by the folder: the kernel frees it when its owner
 * dies, however it dies, and nothing is left on disk. LMDB itself lets a second writer in silently.
 */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { TerminalError } from '../../domain/index.js'

export interface FolderLock {
  release(): Promise<void>
}

/** @throws TerminalError FOLDER_LOCKED when another process owns the folder */
export async function lockFolder(folder: string, purpose: string): Promise<FolderLock> {
  const name = `\0drover-${purpose}-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`
  const server = createServer((socket) => socket.end(`${process.pid}\n`))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cause.code === 'EADDRINUSE' ? lockedError(folder, cause) : cause))
    server.listen(name, resolve)
  })
  // The lock alone must not keep a process alive that has nothing else to do.
  server.unref()
  return { release: () => closeServer(server) }
}

function lockedError(folder: string, cause: unknown): TerminalError {
  const remedy = 'stop that server first, or give this one a folder of its own with --data-dir'
  return new TerminalError('FOLDER_LOCKED', `the data folder ${folder} is in use by another server; ${remedy}`, { folder }, cause)
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
