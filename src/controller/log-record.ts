/** How Commands become records of the log and back: msgpack, chained by SHA-256. */
import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr/pack'
import { DataDamagedError, invariant, type LogIndex } from '../domain/index.js'
import { type Command, divideCommand } from '../state/index.js'
import type { LogRecord } from './ports.js'

/** What one entry of the log may take. A record takes three times as much: less than what a bus carries in one message. */
export const COMMAND_BYTES_MAX = 256 * 1024
export const ENTRIES_PER_RECORD = 3

/** Every record names its format. 1: each object with the names of its members. 2: names once a command, a third of the bytes. */
const FORMAT = 2
const FORMATS_READ: readonly unknown[] = [1, FORMAT]

const packr = new Packr({ useRecords: true, mapsAsObjects: true, moreTypes: false })

/** A Command, and what stands in the log for it at its index. */
export interface LogEntry {
  readonly command: Command
  readonly bytes: Uint8Array
}

/**
 * The entries that a Command becomes: one, where it fits. One that is too large is divided into smaller Commands where that is safe; what
 * means something only as a whole is written in parts, and happens at the index of the last.
 */
export function encodeCommand(command: Command, bytesMax = COMMAND_BYTES_MAX): readonly LogEntry[] {
  const bytes = packr.pack(command)
  if (bytes.length <= bytesMax) return [{ command, bytes }]
  const halves = divideCommand(command)
  return halves === undefined ? splitBytes(command, bytes, bytesMax) : halves.flatMap((half) => encodeCommand(half, bytesMax))
}

function splitBytes(command: Command, bytes: Uint8Array, bytesMax: number): readonly LogEntry[] {
  const { atMs } = command
  const entries: LogEntry[] = []
  for (let from = 0; from < bytes.length; from += bytesMax) {
    const isLast = from + bytesMax >= bytes.length
    const part: Command = { kind: 'command-part', bytes: bytes.subarray(from, from + bytesMax), isLast, atMs }
    entries.push({ command: isLast ? command : { ...part, bytes: NOTHING }, bytes: packr.pack(part) })
  }
  return entries
}

const NOTHING = new Uint8Array(0)

export function makeRecord(firstIndex: LogIndex, epoch: number, previousHash: string, commands: readonly Uint8Array[]): LogRecord {
  const payload = packr.pack([FORMAT, commands])
  const head = { firstIndex, epoch, previousHash, count: commands.length, payload }
  return { ...head, hash: hashRecord(head) }
}

/** Reads records in order and puts Commands together that were written in parts. */
export class CommandReader {
  #parts: Uint8Array[] = []

  /** One Command for each index of the record. @throws DataDamagedError when the record is not what its hash says, or of an unknown format */
  read(record: LogRecord): readonly Command[] {
    return readEntries(record).map((bytes) => this.#next(packr.unpack(bytes) as Command, record.firstIndex))
  }

  #next(command: Command, recordIndex: LogIndex): Command {
    if (command.kind !== 'command-part') {
      // Who wrote these parts ended before the last: what they were to become never happened.
      if (command.kind === 'leadership-begin') this.#parts = []
      if (this.#parts.length === 0) return command
      throw new DataDamagedError(
        'LOG_PARTS',
        `the log record at index ${recordIndex} breaks off a command of several parts; restore a snapshot`,
      )
    }
    this.#parts.push(command.bytes)
    if (!command.isLast) return { ...command, bytes: NOTHING }
    const whole = packr.unpack(Buffer.concat(this.#parts)) as Command
    this.#parts = []
    return whole
  }
}

function readEntries(record: LogRecord): readonly Uint8Array[] {
  if (hashRecord(record) !== record.hash) {
    throw new DataDamagedError(
      'LOG_HASH',
      `the log record at index ${record.firstIndex} is damaged: its hash does not match its content; restore a snapshot`,
    )
  }
  const [format, entries] = packr.unpack(record.payload) as [number, Uint8Array[]]
  if (!FORMATS_READ.includes(format)) {
    throw new DataDamagedError(
      'LOG_FORMAT',
      `the log record at index ${record.firstIndex} has format ${format}; start the version that wrote it`,
    )
  }
  invariant(
    entries.length === record.count,
    `the log record at index ${record.firstIndex} holds ${entries.length} of ${record.count} commands`,
  )
  return entries
}

function hashRecord(record: Omit<LogRecord, 'hash'>): string {
  const { firstIndex, count, epoch, previousHash, payload } = record
  return createHash('sha256').update(`${firstIndex} ${count} ${epoch} ${previousHash} `).update(payload).digest('hex')
}
