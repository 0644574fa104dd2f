/**
 * A program's own log: lines appended to a file of bounded size; `<path>.1` is the one before, and so on. A line that cannot be
 * written ends nobody: it is counted, and how many were lost is said as soon as there is room again.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export interface RotatedLogOptions {
  readonly path: string
  readonly fileBytesMax?: number
  /** The one that is written to among them. */
  readonly filesMax?: number
  /** The line that tells of lost ones, in the form of the others. */
  readonly sayLost: (count: number) => string
}

const FILE_BYTES_MAX = 10 * 1024 * 1024
const FILES_MAX = 3

export class RotatedLog {
  readonly #path: string
  readonly #fileBytesMax: number
  readonly #filesMax: number
  readonly #sayLost: (count: number) => string
  #fd: number | undefined
  #sizeBytes = 0
  #lost = 0
  /** The end of a line that was cut off is to be ended before anything else is said. */
  #isCut = false

  constructor({ path, fileBytesMax = FILE_BYTES_MAX, filesMax = FILES_MAX, sayLost }: RotatedLogOptions) {
    this.#path = path
    this.#fileBytesMax = fileBytesMax
    this.#filesMax = filesMax
    this.#sayLost = sayLost
  }

  /** Never throws. @param line with its line's end */
  write(line: string): void {
    try {
      this.#open()
      if (this.#sizeBytes > 0 && this.#sizeBytes + line.length > this.#fileBytesMax) this.#rotate()
      if (this.#lost > 0) this.#append(`${this.#isCut ? '\n' : ''}${this.#sayLost(this.#lost)}`)
      this.#lost = 0
      this.#append(line)
    } catch {
      // Full, read-only or gone: there is nobody to tell but the log itself, later.
      this.#lost++
      this.close()
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #open(): void {
    if (this.#fd !== undefined) return
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    this.#fd = openSync(this.#path, 'a', 0o600)
    this.#sizeBytes = fstatSync(this.#fd).size
  }

  #rotate(): void {
    this.close()
    for (let number = this.#filesMax - 1; number > 0; number--) {
      const older = `${this.#path}.${number}`
      const newer = number === 1 ? this.#path : `${this.#path}.${number - 1}`
      try {
        renameSync(newer, older)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    this.#open()
  }

  #append(text: string): void {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(this.#fd!, bytes, written)
      this.#isCut ||= written < bytes.length
    }
    this.#isCut = false
    this.#sizeBytes += bytes.length
  }
}
