/**
 * Files as they grow: read in pieces from a place, and on as long as something may still be written. Logs are one stream over
 * several numbered files.
 */
import { type Clock, OrchestratorError } from '../domain/index.js'
import { firstSpanSince, spanAt } from './log-times.js'
import type { AllocationFiles, LogSpan } from './ports.js'
import type { Frame, LogsRequest, ReadRequest } from './rpc.js'

export interface FileSource {
  readonly files: AllocationFiles
  readonly clock: Clock
  readonly allocationId: string
  /** Nothing more will be written. */
  readonly isOver: () => boolean
}

const PIECE_BYTES = 64 * 1024
/** A look without an event, because a watcher may miss one. */
const LOOK_MS = 500
const LOGS_FOLDER = 'alloc/logs'

export async function* streamFile(source: FileSource, request: ReadRequest, signal: AbortSignal): AsyncIterable<Frame> {
  const { files, allocationId } = source
  const entry = await files.stat(allocationId, request.path)
  if (entry.isFolder) throw new OrchestratorError('NOT_A_FILE', `file "${request.path}" is a directory`, { path: request.path })
  if (request.origin === 'start' && request.offsetBytes < 0)
    throw new OrchestratorError('BAD_OFFSET', `can't seek to offset ${request.offsetBytes} of ${request.path}`)
  const startBytes = request.origin === 'end' ? Math.max(0, entry.sizeBytes - request.offsetBytes) : request.offsetBytes
  const endBytes = request.limitBytes > 0 ? startBytes + request.limitBytes : Number.POSITIVE_INFINITY
  const changes = request.follow ? new Changes(source, folderOf(request.path), signal) : undefined
  try {
    let atBytes = startBytes
    for (;;) {
      const isLast = changes === undefined || source.isOver()
      const size = await sizeOf(source, request.path)
      if (size === undefined) return yield { file: request.path, offsetBytes: atBytes, data: NOTHING, event: 'file deleted' }
      if (size < atBytes && request.follow) {
        yield { file: request.path, offsetBytes: 0, data: NOTHING, event: 'file truncated' }
        atBytes = 0
      }
      for await (const frame of readPieces(source, request.path, atBytes, endBytes)) {
        yield frame
        atBytes = frame.offsetBytes + frame.data.length
      }
      if (isLast || atBytes >= endBytes || signal.aborted) return
      await changes.next()
      if (signal.aborted) return
    }
  } finally {
    changes?.close()
  }
}

export async function* streamLogs(source: FileSource, request: LogsRequest, signal: AbortSignal): AsyncIterable<Frame> {
  const prefix = `${logOf(request)}.`
  const changes = request.follow ? new Changes(source, LOGS_FOLDER, signal) : undefined
  try {
    let place = await findStart(source, prefix, request)
    for (;;) {
      const isLast = changes === undefined || source.isOver()
      const spans = request.withTimes === true ? await source.files.logSpans(source.allocationId, logOf(request)) : []
      for await (const { frame, next } of readLogs(source, prefix, place, spans)) {
        if (frame !== undefined) yield frame
        place = next
        if (signal.aborted) return
      }
      if (isLast) return
      await changes.next()
      if (signal.aborted) return
    }
  } finally {
    changes?.close()
  }
}

type Place = { readonly number: number; readonly offsetBytes: number }

async function* readLogs(
  source: FileSource,
  prefix: string,
  from: Place,
  spans: readonly LogSpan[],
): AsyncIterable<{ readonly frame?: Frame; readonly next: Place }> {
  let place = from
  for (;;) {
    const numbers = (await listLogs(source, prefix)).map(({ number }) => number)
    const number = numbers.find((candidate) => candidate >= place.number)
    if (number === undefined) return
    // The file that was being read has been rotated away: go on with the oldest that is left.
    if (number > place.number) place = { number, offsetBytes: 0 }
    const file = `${LOGS_FOLDER}/${prefix}${number}`
    for await (const frame of readPieces(source, file, place.offsetBytes, Number.POSITIVE_INFINITY)) {
      place = { number, offsetBytes: frame.offsetBytes + frame.data.length }
      for (const part of dated(frame, number, spans)) yield { frame: part, next: place }
    }
    if (!numbers.some((candidate) => candidate > number)) return
    place = { number: number + 1, offsetBytes: 0 }
    yield { next: place }
  }
}

/** The piece, cut where another time begins; whole where none is known. */
function* dated(frame: Frame, number: number, spans: readonly LogSpan[]): Iterable<Frame> {
  const endBytes = frame.offsetBytes + frame.data.length
  for (let atBytes = frame.offsetBytes; atBytes < endBytes; ) {
    const span = spanAt(spans, number, atBytes)
    const nextBytes = Math.min(endBytes, span.endBytes)
    const data = frame.data.subarray(atBytes - frame.offsetBytes, nextBytes - frame.offsetBytes)
    yield { file: frame.file, offsetBytes: atBytes, data, ...(span.fromMs === undefined ? {} : { atMs: span.fromMs }) }
    atBytes = nextBytes
  }
}

/** Where what was written at that time begins. */
async function findSince({ files, allocationId }: FileSource, request: LogsRequest, logs: Logs, sinceMs: number): Promise<Place> {
  const spans = await files.logSpans(allocationId, logOf(request))
  const last = logs.at(-1)!
  if (spans.length === 0)
    throw new OrchestratorError('NO_LOG_TIMES', `when task "${request.task}" wrote its log is not known: an older agent kept it`)
  const span = firstSpanSince(spans, sinceMs)
  return span === undefined ? { number: last.number, offsetBytes: last.sizeBytes } : span
}

function logOf({ task, type }: LogsRequest): string {
  return `${task}.${type}`
}

async function findStart(source: FileSource, prefix: string, request: LogsRequest): Promise<Place> {
  const logs = await listLogs(source, prefix)
  if (logs.length === 0) return { number: 0, offsetBytes: 0 }
  if (request.sinceMs !== undefined) return findSince(source, request, logs, request.sinceMs)
  // Less than nothing counts from the other end.
  const isFromStart = (request.origin === 'start') === request.offsetBytes >= 0
  let leftBytes = Math.abs(request.offsetBytes)
  if (isFromStart) {
    for (const { number, sizeBytes } of logs) {
      if (leftBytes <= sizeBytes) return { number, offsetBytes: leftBytes }
      leftBytes -= sizeBytes
    }
    const last = logs.at(-1)!
    return { number: last.number, offsetBytes: last.sizeBytes }
  }
  for (const { number, sizeBytes } of [...logs].reverse()) {
    if (leftBytes <= sizeBytes) return { number, offsetBytes: sizeBytes - leftBytes }
    leftBytes -= sizeBytes
  }
  return { number: logs[0]!.number, offsetBytes: 0 }
}

type Logs = readonly { readonly number: number; readonly sizeBytes: number }[]

async function listLogs(source: FileSource, prefix: string): Promise<Logs> {
  const entries = await source.files.list(source.allocationId, LOGS_FOLDER)
  return entries
    .filter(({ name }) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(({ name, sizeBytes }) => ({ number: Number(name.slice(prefix.length)), sizeBytes }))
    .sort((a, b) => a.number - b.number)
}

async function* readPieces(source: FileSource, file: string, fromBytes: number, endBytes: number): AsyncIterable<Frame> {
  for (let atBytes = fromBytes; atBytes < endBytes; ) {
    const data = await readOr(source, file, atBytes, Math.min(PIECE_BYTES, endBytes - atBytes))
    if (data.length === 0) return
    yield { file, offsetBytes: atBytes, data }
    atBytes += data.length
  }
}

const NOTHING = new Uint8Array(0)

/** Nothing from a file that is gone: whoever reads on finds that out by itself. */
async function readOr({ files, allocationId }: FileSource, file: string, offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
  try {
    return await files.read(allocationId, file, offsetBytes, lengthBytes)
  } catch (error) {
    if (error instanceof OrchestratorError && error.code === 'NO_SUCH_FILE') return NOTHING
    throw error
  }
}

async function sizeOf({ files, allocationId }: FileSource, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(allocationId, path)).sizeBytes
  } catch (error) {
    if (error instanceof OrchestratorError && error.code === 'NO_SUCH_FILE') return undefined
    throw error
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** Wakes its reader when the folder has changed, when time has passed, or when nobody listens any more. */
class Changes {
  readonly #clock: Clock
  readonly #close: () => void
  #isDue = false
  #wake = () => {}

  constructor({ files, clock, allocationId }: FileSource, folder: string, signal: AbortSignal) {
    this.#clock = clock
    const stop = files.watch(allocationId, folder, () => this.#notice())
    const onAbort = () => this.#notice()
    signal.addEventListener('abort', onAbort)
    this.#close = () => {
      stop()
      signal.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    this.#close()
  }

  async next(): Promise<void> {
    if (!this.#isDue) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(LOOK_MS, resolve)
        this.#wake = () => {
          cancel()
          resolve()
        }
      })
    }
    this.#isDue = false
  }

  #notice(): void {
    this.#isDue = true
    this.#wake()
  }
}
