/** A disk of a few megabytes for one test: a memory file system, which needs the right to mount. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-disk-'))

  constructor(options = 'size=24m') {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'drover-test', this.folder])
    onTestFinished(() => {
      execFileSync('umount', ['-l', this.folder])
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** To the last block. */
  fill(name = 'fill'): void {
    const piece = Buffer.alloc(64 * 1024)
    try {
      for (;;) writeFileSync(join(this.folder, name), piece, { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  makeRoom(name = 'fill'): void {
    rmSync(join(this.folder, name), { force: true })
  }

  useInodes(): void {
    try {
      for (let number = 0; ; number++) writeFileSync(join(this.folder, `inode-${number}`), '')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  makeReadOnly(isReadOnly: boolean): void {
    execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.folder])
  }
}

/** Undefined: small disks can be had here. */
export function whyNoSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'drover-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'drover-test', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return undefined
  } catch {
    return 'skipped: no file system can be mounted here'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
