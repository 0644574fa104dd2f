/** How Commands become records of the log and back: msgpack, chained by SHA-256. */
import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr'
import { DataDamagedError, invariant, type LogIndex } from '../domain/index.js'
import type { Command } from '../state/index.js'
import type { LogRecord } from './ports.js'

export const COMMAND_BYTES_MAX = 256 * 1024
export const RECORD_BYTES_MAX = 768 * 1024

/** Every record names its format, so that a later one can still read it. */
const FORMAT = 1

const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: false })

export function encodeCommand(command: Command): Uint8Array {
  const bytes = packr.pack(command)
  invariant(bytes.length <= COMMAND_BYTES_MAX, `a ${command.kind} command of ${bytes.length} bytes is larger than ${COMMAND_BYTES_MAX}`)
  return bytes
}

/** Bytes that the command would take, without a limit: for splitting what is too large. */
export function sizeOfCommand(command: object): number {
  return packr.pack(command).length
}

export function makeRecord(firstIndex: LogIndex, epoch: number, previousHash: string, commands: readonly Uint8Array[]): LogRecord {
  const payload = packr.pack([FORMAT, commands])
  const head = { firstIndex, epoch, previousHash, count: commands.length, payload }
  return { ...head, hash: hashRecord(head) }
}

/** @throws DataDamagedError when the record is not what its hash says, or of an unknown format */
export function readCommands(record: LogRecord): readonly Command[] {
  if (hashRecord(record) !== record.hash) {
    throw new DataDamagedError(
      'LOG_HASH',
      `the log record at index ${record.firstIndex} is damaged: its hash does not match its content; restore a snapshot`,
    )
  }
  const [format, commands] = packr.unpack(record.payload) as [number, Uint8Array[]]
  if (format !== FORMAT) {
    throw new DataDamagedError(
      'LOG_FORMAT',
      `the log record at index ${record.firstIndex} has format ${format}; start the version that wrote it`,
    )
  }
  invariant(
    commands.length === record.count,
    `the log record at index ${record.firstIndex} holds ${commands.length} of ${record.count} commands`,
  )
  return commands.map((bytes) => packr.unpack(bytes) as Command)
}

function hashRecord(record: Omit<LogRecord, 'hash'>): string {
  const { firstIndex, count, epoch, previousHash, payload } = record
  return createHash('sha256').update(`${firstIndex} ${count} ${epoch} ${previousHash} `).update(payload).digest('hex')
}
