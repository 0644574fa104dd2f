/** What a command is, and what it may touch: everything outside comes in through `Io`, so tests need no process. */
import type { Command } from 'commander'
import type { Terminal } from './terminal.js'

export interface Io {
  /** Data, for pipes. */
  out(text: string): void
  /** Talk, for people. */
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly fetch: Fetch
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** Absent where output goes to a file or a program: nothing is coloured, cut or drawn over. */
  readonly terminal?: Terminal | undefined
}

/** As much of `fetch` as commands need. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchAnswer>

interface FetchRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
  readonly body?: string
}

export interface FetchAnswer {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
  text(): Promise<string>
  json(): Promise<unknown>
}

/** `define` adds arguments, options and an action to its command; the action resolves with the exit code. */
export interface CommandModule {
  readonly name: string
  /** As in `[ID]`. */
  readonly usage: string
  readonly summary: string
  readonly exitCodes: Readonly<Record<number, string>>
  readonly aliases?: readonly string[]
  /** What its arguments name, for shells that complete them. */
  readonly completes?: 'job' | 'allocation' | 'node' | 'id' | 'file' | 'shell'
  define(command: Command, io: Io, finish: (code: Promise<number>) => Promise<void>): void
}

/** A refusal that is told in one sentence, with the exit code that goes with it. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}
