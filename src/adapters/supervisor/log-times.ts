/**
 * When the pieces of a log were written: beside `web.stdout.0`, `.1`, … stands `.web.stdout.times`, a line for each second in which
 * something was written. Lines of more than a second are what older ones become, so that the file stays small.
 */
import { closeSync, fstatSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { LogSpan } from '../../agent/index.js'
import { openFresh, openOwn } from './own-file.js'

const SPAN_MS = 1_000
/** Some 1,700 spans. */
export const LOG_TIMES_BYTES_MAX = 64 * 1024

export class LogTimes {
  readonly #name: string
  readonly #bytesMax: number
  #fromMs = Number.NEGATIVE_INFINITY

  /** @param log `<task>.<stream>` */
  constructor(log: string, bytesMax = LOG_TIMES_BYTES_MAX) {
    this.#name = logTimesName(log)
    this.#bytesMax = bytesMax
  }

  /** Whether what is written now begins a span: also when the clock was set back. */
  isDue(atMs: number): boolean {
    return !(atMs >= this.#fromMs && atMs < this.#fromMs + SPAN_MS)
  }

  /** @param oldestNumber of the log's files that are kept @throws as `fs` does for a full disk */
  note(folder: string, place: Pick<LogSpan, 'number' | 'offsetBytes'>, atMs: number, oldestNumber: number): void {
    const path = `${folder}/${this.#name}`
    const fd = openOwn(path)
    let sizeBytes: number
    try {
      const line = writeLogSpan({ ...place, fromMs: atMs, untilMs: atMs + SPAN_MS })
      const before = fstatSync(fd).size
      sizeBytes = before + writeSync(fd, line, before)
    } finally {
      closeSync(fd)
    }
    this.#fromMs = atMs
    if (sizeBytes > this.#bytesMax) this.#shorten(path, oldestNumber)
  }

  #shorten(path: string, oldestNumber: number): void {
    const kept = readLogSpans(readFileSync(path, 'utf8')).filter(({ number }) => number >= oldestNumber)
    const whole = kept.map(writeLogSpan).join('')
    const text = whole.length > this.#bytesMax / 2 ? thinLogSpans(kept).map(writeLogSpan).join('') : whole
    rmSync(`${path}.new`, { force: true, recursive: true })
    const fd = openFresh(`${path}.new`)
    try {
      writeSync(fd, text)
    } finally {
      closeSync(fd)
    }
    renameSync(`${path}.new`, path)
  }
}

/** Name of the file for `<task>.<stream>`. */
export function logTimesName(log: string): string {
  return `.${log}.times`
}

function writeLogSpan({ number, offsetBytes, fromMs, untilMs }: LogSpan): string {
  return `${number} ${offsetBytes} ${fromMs} ${untilMs}\n`
}

/** In the order of the log. What is no span is passed over: a line may be cut where the disk was full, or where its writer died. */
export function readLogSpans(text: string): readonly LogSpan[] {
  const spans = text.split('\n').flatMap((line): LogSpan[] => {
    if (!/^\d{1,9}( \d{1,15}){3}$/.test(line)) return []
    const [number, offsetBytes, fromMs, untilMs] = line.split(' ').map(Number) as [number, number, number, number]
    return [{ number, offsetBytes, fromMs, untilMs }]
  })
  return spans.sort((a, b) => a.number - b.number || a.offsetBytes - b.offsetBytes)
}

/** About half of them: each two neighbours become one, of which nothing newer is said than that it was written meanwhile. */
function thinLogSpans(spans: readonly LogSpan[]): readonly LogSpan[] {
  return spans.flatMap((span, at) => (at % 2 === 0 ? [{ ...span, untilMs: spans[at + 1]?.untilMs ?? span.untilMs }] : []))
}
