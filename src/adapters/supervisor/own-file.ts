/**
 * Files of our own in a folder that others may see or write to: no link is followed, nothing is opened that could block, and what is no
 * plain file of our own makes way for one.
 */
import { closeSync, constants, fchmodSync, fstatSync, openSync, unlinkSync } from 'node:fs'

const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** For writing; anyone on the host may read it. Anything else that bears its name is unlinked first. @throws as `fs` does */
export function openOwn(path: string): number {
  const fd = tryOpen(path, WRITE) ?? openInItsPlace(path)
  fchmodSync(fd, 0o644)
  return fd
}

/** Of a name that nothing has. @throws as `fs` does */
export function openFresh(path: string): number {
  return openSync(path, WRITE | constants.O_EXCL, 0o644)
}

function openInItsPlace(path: string): number {
  unlinkSync(path)
  return openFresh(path)
}

/** Undefined: what is there is a link, a pipe, a device, or has another name elsewhere. @throws as `fs` does for a full disk */
function tryOpen(path: string, flags: number): number | undefined {
  let fd: number
  try {
    fd = openSync(path, flags, 0o644)
  } catch (error) {
    // A link; a pipe nobody reads, or a socket.
    if (['ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  const found = fstatSync(fd)
  if (found.isFile() && found.nlink === 1) return fd
  closeSync(fd)
  return undefined
}
