/** The disk of one host, full, read-only, or out of inodes for a while. */

import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Act } from './acts.js'
import type { TortureWorld } from './world.js'

const BLOCK = Buffer.alloc(1 << 20)

export const DISK_ACTS: readonly Act[] = [
  { name: 'a host has no room on its disk', run: (world) => onHost(world, (folder) => withFullDisk(world, folder)) },
  {
    name: 'an agent starts on a full disk',
    run: (world) => onHost(world, (folder, at) => withFullDisk(world, folder, () => restartAgent(world, at))),
  },
  { name: 'the disk of a host is read-only', run: (world) => onHost(world, (folder) => withReadOnlyDisk(world, folder)) },
]

/** Without root there are no disks to fill but those of others. */
async function onHost(world: TortureWorld, act: (folder: string, at: number) => Promise<void>): Promise<void> {
  if (!world.isRoot) return
  const at = world.random.between(0, 1)
  await act(world.hostFolder(at), at)
}

async function withFullDisk(world: TortureWorld, folder: string, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const filling = join(folder, 'filling')
  mkdirSync(filling, { recursive: true })
  try {
    fill(join(filling, 'file'))
    await meanwhile()
    await pause(world.random.between(1_000, 6_000))
  } finally {
    rmSync(filling, { recursive: true, force: true })
  }
}

function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, BLOCK)
  } catch {
    // ENOSPC: full, as was wanted.
  } finally {
    closeSync(file)
  }
}

async function restartAgent(world: TortureWorld, at: number): Promise<void> {
  const agent = world.agents[at]!
  await agent.end('SIGKILL')
  agent.start()
}

async function withReadOnlyDisk(world: TortureWorld, folder: string): Promise<void> {
  try {
    execFileSync('mount', ['-o', 'remount,ro', folder], { stdio: 'pipe' })
  } catch {
    // Something is open for writing, and the system does not allow it then.
    return
  }
  await pause(world.random.between(1_000, 6_000))
  execFileSync('mount', ['-o', 'remount,rw', folder])
}
