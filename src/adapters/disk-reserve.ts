/**
 * Room that is kept for bad times: a file of zeros on the disk of a data folder. When the disk takes no more it is let go of, so
 * that what has to be written to stop the culprit can be written; while it cannot be had back, there is no room for new work.
 */
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { explainError, type Logger, MEBIBYTE_BYTES } from '../domain/index.js'

const RESERVE_BYTES = 8 * MEBIBYTE_BYTES
/** Besides the reserve; less is no room for the folders and first lines of a new task. */
const FREE_BYTES_MIN = 8 * MEBIBYTE_BYTES
const FREE_INODES_MIN = 64
const PIECE = Buffer.alloc(MEBIBYTE_BYTES)

export class DiskReserve {
  readonly #folder: string
  readonly #logger: Logger
  readonly #bytes: number

  constructor(folder: string, logger: Logger, bytes = RESERVE_BYTES) {
    this.#folder = folder
    this.#logger = logger
    this.#bytes = bytes
  }

  /** What keeps this disk from taking new work, in a sentence that stays the same as long as it does; null: nothing. */
  problem(): string | null {
    try {
      const { bavail, bsize, ffree, files } = statfsSync(this.#folder)
      if (files > 0 && ffree < FREE_INODES_MIN) return this.#letGo('has hardly any inode left')
      if (!this.#isHeld && bavail * bsize < this.#bytes + FREE_BYTES_MIN) return this.#letGo('is full')
      if (this.#isHeld && bavail * bsize < FREE_BYTES_MIN) return this.#letGo('is full')
      this.#hold()
      this.#probe()
      return null
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOSPC' || code === 'EDQUOT') return this.#letGo('is full')
      if (code === 'EROFS') return `the disk of ${this.#folder} is read-only`
      return `the disk of ${this.#folder} cannot be used: ${explainError(error)}`
    }
  }

  get #path(): string {
    return join(this.#folder, 'reserve')
  }

  get #isHeld(): boolean {
    return (statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) >= this.#bytes
  }

  #letGo(what: string): string {
    if (statSync(this.#path, { throwIfNoEntry: false }) !== undefined) {
      rmSync(this.#path, { force: true })
      this.#logger.warn({ folder: this.#folder, bytes: this.#bytes }, 'the reserve was let go of')
    }
    return `the disk of ${this.#folder} ${what}`
  }

  /** Written and not only made long: a hole would hold nothing. */
  #hold(): void {
    if (this.#isHeld) return
    const fd = openSync(this.#path, 'w', 0o600)
    try {
      for (let written = 0; written < this.#bytes; ) written += writeSync(fd, PIECE, 0, Math.min(PIECE.length, this.#bytes - written))
    } finally {
      closeSync(fd)
    }
  }

  /** What is read-only, or out of quota, says so only when it is written to. */
  #probe(): void {
    const path = join(this.#folder, '.probe')
    const fd = openSync(path, 'w', 0o600)
    try {
      writeSync(fd, 'x')
    } finally {
      closeSync(fd)
      rmSync(path, { force: true })
    }
  }
}
