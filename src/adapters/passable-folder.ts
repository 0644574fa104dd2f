/** Folders of our own that tasks of other users must pass on the way to theirs. */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { isRoot } from './task-user.js'

/** For its owner to read, for everyone to pass: what is in it has modes of its own. Only root runs tasks as other users. */
export function makePassableFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const mode = statSync(folder).mode & 0o7777
  // What is right already is left alone: a disk that is read-only refuses even that.
  if (isRoot() && (mode & 0o711) !== 0o711) chmodSync(folder, mode | 0o711)
}
