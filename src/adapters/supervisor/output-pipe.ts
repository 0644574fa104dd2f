/**
 * A pipe into which a task writes. What is in it is moved into a file by the kernel (splice) and never taken into this process: killed at any
 * moment, a reader has lost nothing and doubled nothing. Node has no words for that, so the C library is called.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import koffi from 'koffi'

const libc = koffi.load(null)
const splice = libc.func('long splice(int, void *, int, void *, size_t, unsigned int)')
const tee = libc.func('long tee(int, int, size_t, unsigned int)')
const pipe2 = libc.func('int pipe2(void *, int)')

/** What a pipe holds, unless somebody asked for more. */
const PIECE_BYTES = 64 * 1024

const SPLICE_NONBLOCK = 2
const O_CLOEXEC = 0o2000000

let sink: number | undefined
let mirror: { readonly from: number; readonly to: number } | undefined

export class OutputPipe {
  readonly fd: number
  /** As much as is taken at once. */
  readonly pieceBytes = PIECE_BYTES

  /** @throws as `fs` does */
  constructor(path: string) {
    this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  }

  /** What comes next, at most a piece, and stays in the pipe. */
  peek(): Buffer {
    mirror ??= makePipe()
    const bytes = demand('tee', tee(this.fd, mirror.to, PIECE_BYTES, SPLICE_NONBLOCK))
    return bytes === 0 ? Buffer.alloc(0) : readWhole(mirror.from, bytes)
  }

  /** @returns how much went into the file at that offset; 0: there is nothing now @throws as `fs` does for a full disk */
  move(file: number, offsetBytes: number, bytesMax: number): number {
    const offset = Buffer.alloc(8)
    offset.writeBigInt64LE(BigInt(offsetBytes))
    const moved = splice(this.fd, null, file, offset, bytesMax, SPLICE_NONBLOCK)
    return isRefused(moved) ? this.#copy(file, offsetBytes, bytesMax) : demand('splice', moved)
  }

  /** @returns how much was thrown away */
  discard(bytesMax = PIECE_BYTES): number {
    sink ??= openSync('/dev/null', 'w')
    return demand('splice', splice(this.fd, null, sink, null, bytesMax, SPLICE_NONBLOCK))
  }

  close(): void {
    closeSync(this.fd)
  }

  /** For file systems into which nothing can be moved: killed in between, a reader doubles a piece, and loses none. */
  #copy(file: number, offsetBytes: number, bytesMax: number): number {
    const piece = this.peek().subarray(0, bytesMax)
    for (let written = 0; written < piece.length; )
      written += writeSync(file, piece, written, piece.length - written, offsetBytes + written)
    return piece.length === 0 ? 0 : this.discard(piece.length)
  }
}

function makePipe(): { readonly from: number; readonly to: number } {
  const pair = Buffer.alloc(8)
  demand('pipe2', pipe2(pair, O_CLOEXEC | constants.O_NONBLOCK))
  return { from: pair.readInt32LE(0), to: pair.readInt32LE(4) }
}

function readWhole(fd: number, bytes: number): Buffer {
  const piece = Buffer.alloc(bytes)
  for (let read = 0; read < bytes; ) read += readSync(fd, piece, read, bytes - read, null)
  return piece
}

/** The file system knows no such thing. */
function isRefused(result: number): boolean {
  return result < 0 && koffi.errno() === koffi.os.errno.EINVAL
}

/** 0: there is nothing now. @throws with the code that `fs` would give */
function demand(call: string, result: number): number {
  if (result >= 0) return result
  const errno = koffi.errno()
  if (errno === koffi.os.errno.EAGAIN) return 0
  const code = getSystemErrorName(-errno)
  throw Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call })
}
