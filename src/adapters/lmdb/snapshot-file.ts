/** Snapshots as files: one line of JSON, then the bytes. Written whole, synced, then renamed. */
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checksumOf, type Snapshot } from '../../controller/index.js'
import { DataDamagedError, TerminalError } from '../../domain/index.js'

export async function writeSnapshotFile(path: string, snapshot: Snapshot): Promise<void> {
  const { bytes, ...head } = snapshot
  const file = await open(`${path}.tmp`, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(head)}\n`)
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
  await syncFolder(dirname(path))
}

/** The new name is there after a loss of power only when its folder was synced, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** @throws DataDamagedError SNAPSHOT_DAMAGED @throws TerminalError SNAPSHOT_UNREADABLE */
export async function readSnapshotFile(path: string): Promise<Snapshot> {
  const content = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new TerminalError('SNAPSHOT_UNREADABLE', `there is no snapshot ${path}`, { path })
    throw new TerminalError('SNAPSHOT_UNREADABLE', `the snapshot ${path} cannot be read`, { path }, cause)
  })
  const end = content.indexOf(0x0a)
  const damaged = (what: string, cause?: unknown) =>
    new DataDamagedError('SNAPSHOT_DAMAGED', `the snapshot ${path} is damaged: ${what}`, { path }, cause)
  let head: Omit<Snapshot, 'bytes'>
  try {
    head = JSON.parse(content.toString('utf8', 0, Math.max(0, end))) as Omit<Snapshot, 'bytes'>
  } catch (cause) {
    throw damaged('it has no readable head', cause)
  }
  const bytes = content.subarray(end + 1)
  if (checksumOf(bytes) !== head.checksum) throw damaged('its content is not what its checksum says')
  return { ...head, bytes }
}
