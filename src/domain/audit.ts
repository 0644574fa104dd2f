/** Who did what, and when; and what was refused. */
import type { LogIndex } from './ids.js'

export type AuditActor =
  /** Whoever wrote the commit. */
  | { readonly kind: 'commit'; readonly commit: string; readonly name: string; readonly email: string }
  /** Over the API: the address that the connection came from, and what the program calls itself. */
  | { readonly kind: 'api'; readonly address: string; readonly program: string }
  | { readonly kind: 'host'; readonly nodeId: string; readonly name: string }
  /** This server by itself. */
  | { readonly kind: 'server' }

export interface AuditFact {
  readonly actor: AuditActor
  /** Noun first, as in `job-register`. */
  readonly action: string
  /** What it was done to. Never a payload, a value or a token. */
  readonly subject: Readonly<Record<string, string | number | boolean>>
  readonly outcome: 'done' | 'refused'
  /** Of a refusal; else empty. */
  readonly reason: string
  /** Of the Command that did it. */
  readonly index?: LogIndex
}

export interface AuditEntry extends AuditFact {
  /** Counts on from one entry to the next. */
  readonly number: number
  readonly atMs: number
  /** How often the same was refused since it was last told, beside this time. */
  readonly repeats?: number
}

/** Takes what happens, where it happens. */
export interface AuditSink {
  record(fact: AuditFact): void
}
