/** The pipe into which a wrapper writes its few words, line by line. A stream of Node for each run would take more memory than all else of it. */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import type { PipeWatch } from './pipe-watch.js'
import { Lines } from './protocol.js'

export interface NoteReader {
  readonly onLine: (line: string) => void
  /** Once: nobody is left who could write. */
  readonly onEnd: () => void
}

/** Of whichever pipe is read just now. */
const PIECE = Buffer.alloc(4096)

export class NotePipe {
  readonly #fd: number
  readonly #reader: NoteReader
  readonly #unwatch: () => void
  readonly #lines = new Lines()
  #isClosed = false

  /** @throws as `fs` does */
  constructor(path: string, watch: PipeWatch, reader: NoteReader) {
    // Non-blocking, so that no reader of one pipe holds up those of the others.
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    this.#reader = reader
    this.#unwatch = watch.add(this.#fd, () => this.#take())
  }

  /** The writer has it open already, or has gone: of one that went before it was read here the kernel tells nothing. */
  expectWriter(): void {
    setImmediate(() => this.#take())
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unwatch()
    closeSync(this.#fd)
  }

  /** @returns how much was taken out of the pipe */
  #take(): number {
    if (this.#isClosed) return 0
    const read = readNow(this.#fd)
    if (read === undefined) return 0
    if (read === 0) {
      this.close()
      this.#reader.onEnd()
      return 0
    }
    for (const line of this.#lines.add(PIECE.toString('utf8', 0, read))) this.#reader.onLine(line)
    return read
  }
}

/** Undefined: there is nothing now; 0: there will be nothing any more. */
function readNow(fd: number): number | undefined {
  try {
    return readSync(fd, PIECE)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? undefined : 0
  }
}
