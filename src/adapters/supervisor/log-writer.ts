/**
 * One stream of a task's output as numbered files of bounded size and number: `<task>.stdout.0`, `.1`, … A new file is begun at
 * the end of a line where there is one. Writing is synchronous: what was taken is in the file before anything else happens.
 *
 * Tasks can see the folder, and one that runs as the supervisor's own user can write there. So nothing found in it is trusted:
 * no link is followed, nothing is opened that could block, and what is no plain file of our own makes way for one.
 */
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { LogTimes } from './log-times.js'
import type { OutputPipe } from './output-pipe.js'
import { openOwn } from './own-file.js'

const NEWLINE = 10

export interface LogPosition {
  /** Of the file. */
  readonly number: number
  /** In it. */
  readonly bytes: number
}

export class LogWriter {
  readonly #folder: string
  readonly #prefix: string
  readonly #filesMax: number
  readonly #fileBytesMax: number
  readonly #times: LogTimes
  #number: number
  #fd: number | undefined
  #sizeBytes = 0

  constructor(folder: string, prefix: string, filesMax: number, fileBytesMax: number) {
    this.#folder = folder
    this.#prefix = prefix
    this.#filesMax = Math.max(1, filesMax)
    this.#fileBytesMax = Math.max(1, fileBytesMax)
    this.#times = new LogTimes(prefix)
    this.#number = Math.max(0, ...this.#numbers())
  }

  /** @param atMs when it was said @throws as `fs` does when the disk is full or the folder is gone */
  write(chunk: Uint8Array, atMs = Date.now()): void {
    for (let rest = chunk; rest.length > 0; ) {
      this.#open()
      const part = rest.subarray(0, this.#shareOf(rest))
      if (part.length > 0) this.#append(part, atMs)
      rest = rest.subarray(part.length)
      if (rest.length > 0) this.#rotate()
    }
  }

  /** Moves what comes next in a pipe, at most a piece. @returns how many bytes; 0: there is nothing now @throws as `write` does */
  take(pipe: OutputPipe, atMs = Date.now()): number {
    // Of what says nothing there is no file.
    if (this.#fd === undefined && pipe.peek().length === 0) return 0
    this.#open()
    // Where the file takes all that may come, nobody needs to know what it is.
    if (this.#roomBytes >= pipe.pieceBytes) return this.#move(pipe, pipe.pieceBytes, atMs)
    const next = pipe.peek()
    const share = this.#shareOf(next)
    const moved = share === 0 ? 0 : this.#move(pipe, share, atMs)
    if (share === next.length) return moved
    this.#rotate()
    return moved > 0 ? moved : this.take(pipe, atMs)
  }

  /** Where the next byte goes. */
  position(): LogPosition {
    if (this.#fd !== undefined) return { number: this.#number, bytes: this.#sizeBytes }
    return { number: this.#number, bytes: this.#sizeOf(this.#number) }
  }

  /** What was written after a position of this log, of the files that are still there. */
  bytesSince({ number, bytes }: LogPosition): number {
    const later = this.#numbers().filter((one) => one >= number)
    return Math.max(0, later.reduce((total, one) => total + this.#sizeOf(one), 0) - bytes)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #append(part: Uint8Array, atMs: number): void {
    this.#noteTime(atMs)
    for (let written = 0; written < part.length; )
      written += writeSync(this.#fd!, part, written, part.length - written, this.#sizeBytes + written)
    this.#sizeBytes += part.length
  }

  #move(pipe: OutputPipe, bytesMax: number, atMs: number): number {
    const moved = pipe.move(this.#fd!, this.#sizeBytes, bytesMax)
    if (moved > 0) this.#noteTime(atMs)
    this.#sizeBytes += moved
    return moved
  }

  /** That what begins where the file ended is of this time. */
  #noteTime(atMs: number): void {
    if (!this.#times.isDue(atMs)) return
    const place = { number: this.#number, offsetBytes: this.#sizeBytes }
    try {
      this.#inFolder((folder) => this.#times.note(folder, place, atMs, this.#number - this.#filesMax + 1))
    } catch {
      // On a full disk what is said matters more than when: it counts to the span before, and the next piece tries again.
    }
  }

  get #roomBytes(): number {
    return this.#fileBytesMax - this.#sizeBytes
  }

  /** How much of what comes next goes into the open file. */
  #shareOf(next: Uint8Array): number {
    return next.length <= this.#roomBytes ? next.length : cutAt(next, this.#roomBytes, this.#sizeBytes === 0)
  }

  #open(): void {
    if (this.#fd !== undefined) {
      // Somebody may have emptied it: what comes next is to follow what is there.
      this.#sizeBytes = fstatSync(this.#fd).size
      return
    }
    mkdirSync(this.#folder, { recursive: true, mode: 0o755 })
    this.#inFolder((folder) => {
      this.#fd = openOwn(`${folder}/${this.#prefix}.${this.#number}`)
    })
    this.#sizeBytes = fstatSync(this.#fd!).size
    if (this.#sizeBytes >= this.#fileBytesMax) this.#rotate()
  }

  #rotate(): void {
    this.close()
    this.#number++
    this.#inFolder((folder) => {
      for (const number of this.#numbersIn(folder))
        if (number <= this.#number - this.#filesMax) unlinkSync(`${folder}/${this.#prefix}.${number}`)
    })
    this.#open()
  }

  /** By way of a descriptor: whatever its path leads to a moment later, this stays the same folder. */
  #inFolder<T>(act: (folder: string) => T): T {
    const fd = openSync(this.#folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      return act(`/proc/self/fd/${fd}`)
    } finally {
      closeSync(fd)
    }
  }

  #sizeOf(number: number): number {
    try {
      return this.#inFolder((folder) => lstatSync(`${folder}/${this.#prefix}.${number}`).size)
    } catch {
      return 0
    }
  }

  #numbers(): readonly number[] {
    try {
      return this.#inFolder((folder) => this.#numbersIn(folder))
    } catch {
      // Without a folder there are none yet; whatever else is wrong with it, the first write tells.
      return []
    }
  }

  #numbersIn(folder: string): readonly number[] {
    const start = `${this.#prefix}.`
    return readdirSync(folder)
      .filter((name) => name.startsWith(start) && /^\d{1,9}$/.test(name.slice(start.length)))
      .map((name) => Number(name.slice(start.length)))
  }
}

/** How much of `chunk` goes into the file that has `room` left: up to its last line's end, or nothing, so that a line stays whole. */
function cutAt(chunk: Uint8Array, room: number, isFresh: boolean): number {
  const newline = room <= 0 ? -1 : chunk.lastIndexOf(NEWLINE, room - 1)
  if (newline >= 0) return newline + 1
  // A line longer than a file has to be cut somewhere.
  return isFresh ? Math.max(1, room) : chunk.length > room && isLongLine(chunk, room) ? Math.max(0, room) : 0
}

/** Nothing in reach ends the line that crosses the limit. */
function isLongLine(chunk: Uint8Array, room: number): boolean {
  return !chunk.includes(NEWLINE) && chunk.length > room
}
