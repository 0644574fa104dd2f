/**
 * The engine's stream of logs, taken apart: frames of eight bytes and their content where the two streams are apart, plain text where a
 * terminal has put them together; each piece begins with its time. Source: Docker Engine API, "Attach to a container", "Stream format".
 */
export type LogStream = 'stdout' | 'stderr'

export interface LogPiece {
  readonly stream: LogStream
  /** RFC 3339 with nanoseconds, padded, so that texts compare like times. */
  readonly atText: string
  readonly content: Buffer
}

const HEADER_BYTES = 8
const SPACE = 32
const NEWLINE = 10

export class LogPieces {
  readonly #hasTerminal: boolean
  #rest: Buffer = Buffer.alloc(0)
  /** Of the last piece with a time: an engine may leave it out within a line. */
  #atText = ''

  constructor(hasTerminal: boolean) {
    this.#hasTerminal = hasTerminal
  }

  add(chunk: Buffer): readonly LogPiece[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    return this.#hasTerminal ? this.#lines() : this.#frames()
  }

  #frames(): readonly LogPiece[] {
    const pieces: LogPiece[] = []
    let at = 0
    while (this.#rest.length - at >= HEADER_BYTES) {
      const size = this.#rest.readUInt32BE(at + 4)
      const end = at + HEADER_BYTES + size
      if (this.#rest.length < end) break
      pieces.push(this.#piece(this.#rest[at] === 2 ? 'stderr' : 'stdout', this.#rest.subarray(at + HEADER_BYTES, end)))
      at = end
    }
    this.#rest = this.#rest.subarray(at)
    return pieces
  }

  #lines(): readonly LogPiece[] {
    const pieces: LogPiece[] = []
    let at = 0
    for (let newline = this.#rest.indexOf(NEWLINE, at); newline >= 0; newline = this.#rest.indexOf(NEWLINE, at)) {
      pieces.push(this.#piece('stdout', this.#rest.subarray(at, newline + 1)))
      at = newline + 1
    }
    this.#rest = this.#rest.subarray(at)
    return pieces
  }

  #piece(stream: LogStream, bytes: Buffer): LogPiece {
    const space = bytes.subarray(0, 40).indexOf(SPACE)
    const time = space < 0 ? undefined : paddedTime(bytes.subarray(0, space).toString('latin1'))
    if (time !== undefined) this.#atText = time
    return { stream, atText: this.#atText, content: time === undefined ? bytes : bytes.subarray(space + 1) }
  }
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/** In UTC, with nine digits of a second. */
function paddedTime(text: string): string | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, seconds, fraction = '', zone] = match
  const whole = zone === 'Z' ? seconds : new Date(Date.parse(`${seconds}${zone}`)).toISOString().slice(0, 19)
  return `${whole}.${fraction.padEnd(9, '0')}Z`
}

/** `1764471600.000000001`, as the API wants it. */
export function secondsOf(atText: string): string {
  return `${Date.parse(`${atText.slice(0, 19)}Z`) / 1_000}.${atText.slice(20, 29)}`
}
