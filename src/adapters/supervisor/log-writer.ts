/**
 * One stream of a task's output as numbered files of bounded size and number: `<task>.stdout.0`, `.1`, … A new file is begun at
 * the end of a line where there is one. Writing is synchronous: what was read is in the file before anything else happens.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const NEWLINE = 10

export class LogWriter {
  readonly #folder: string
  readonly #prefix: string
  readonly #filesMax: number
  readonly #fileBytesMax: number
  #number: number
  #fd: number | undefined
  #sizeBytes = 0

  constructor(folder: string, prefix: string, filesMax: number, fileBytesMax: number) {
    this.#folder = folder
    this.#prefix = prefix
    this.#filesMax = Math.max(1, filesMax)
    this.#fileBytesMax = Math.max(1, fileBytesMax)
    this.#number = Math.max(0, ...this.#numbers())
  }

  /** @throws as `fs` does when the disk is full or the folder is gone */
  write(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0; ) {
      this.#open()
      const room = this.#fileBytesMax - this.#sizeBytes
      const part = rest.length <= room ? rest : rest.subarray(0, cutAt(rest, room, this.#sizeBytes === 0))
      if (part.length > 0) this.#append(part)
      rest = rest.subarray(part.length)
      if (rest.length > 0) this.#rotate()
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #append(part: Uint8Array): void {
    for (let written = 0; written < part.length; ) written += writeSync(this.#fd!, part, written)
    this.#sizeBytes += part.length
  }

  #open(): void {
    if (this.#fd !== undefined) return
    mkdirSync(this.#folder, { recursive: true })
    this.#fd = openSync(join(this.#folder, `${this.#prefix}.${this.#number}`), 'a', 0o644)
    this.#sizeBytes = fstatSync(this.#fd).size
    if (this.#sizeBytes >= this.#fileBytesMax) this.#rotate()
  }

  #rotate(): void {
    this.close()
    this.#number++
    for (const number of this.#numbers())
      if (number <= this.#number - this.#filesMax) unlinkSync(join(this.#folder, `${this.#prefix}.${number}`))
    this.#open()
  }

  #numbers(): readonly number[] {
    let names: readonly string[]
    try {
      names = readdirSync(this.#folder)
    } catch {
      return []
    }
    const start = `${this.#prefix}.`
    return names
      .filter((name) => name.startsWith(start) && /^\d+$/.test(name.slice(start.length)))
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
