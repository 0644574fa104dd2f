/** The audit trail as a file: one JSON object a line, in files of bounded size. */
import { existsSync, readFileSync } from 'node:fs'
import type { AuditEntry } from '../domain/index.js'
import { RotatedLog } from './rotated-log.js'

export interface AuditFileOptions {
  readonly path: string
  readonly fileBytesMax: number
  readonly filesMax: number
}

export class AuditFile {
  readonly #log: RotatedLog

  constructor(options: AuditFileOptions) {
    const sayLost = (count: number) => `${JSON.stringify({ lost: count, reason: 'the disk took no more' })}\n`
    this.#log = new RotatedLog({ ...options, sayLost })
  }

  write(entry: AuditEntry): void {
    this.#log.write(`${JSON.stringify(entry)}\n`)
  }

  close(): void {
    this.#log.close()
  }
}

/** What the newest file and the one before it hold, oldest first; lines that are none are left out. */
export function readAuditFile(path: string): readonly AuditEntry[] {
  return [`${path}.1`, path].filter((file) => existsSync(file)).flatMap((file) => readFileSync(file, 'utf8').split('\n').flatMap(readLine))
}

function readLine(line: string): readonly AuditEntry[] {
  try {
    const entry = JSON.parse(line) as AuditEntry
    return typeof entry.number === 'number' && typeof entry.action === 'string' ? [entry] : []
  } catch {
    // The last line of a life that ended in the middle of it.
    return []
  }
}
