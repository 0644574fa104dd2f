/** The audit trail of a server: what its Commands, its repository and its API tell, and the file that keeps it. */
import { AuditFile, readAuditFile } from '../adapters/audit-file.js'
import { systemClock } from '../adapters/clock.js'
import { AuditFacts, AuditTrail, authorOf, type Server, type SyncOutcome } from '../controller/index.js'
import type { AuditSink } from '../domain/index.js'
import type { ServerConfig } from './server-config.js'

const BYTES_PER_MIB = 2 ** 20

export interface OpenAudit {
  readonly trail: AuditTrail
  close(): void
}

export function openAudit(config: ServerConfig['audit']): OpenAudit {
  if (config === undefined) return { trail: new AuditTrail({ clock: systemClock }), close: () => {} }
  const file = new AuditFile({ path: config.file, fileBytesMax: config.size_mib * BYTES_PER_MIB, filesMax: config.files })
  const trail = new AuditTrail({ clock: systemClock, earlier: readAuditFile(config.file), write: (entry) => file.write(entry) })
  return { trail, close: () => file.close() }
}

/** What has become durable, from the beginning of this server on, until abort. */
export async function auditCommands({ reader }: Pick<Server, 'reader'>, audit: AuditSink, signal: AbortSignal): Promise<void> {
  const facts = new AuditFacts()
  for (let from = 0; !signal.aborted; from = Number.MAX_SAFE_INTEGER) {
    for await (const events of reader.events(from, signal)) for (const fact of facts.read(events)) audit.record(fact)
    if (!signal.aborted)
      audit.record({
        actor: { kind: 'server' },
        action: 'audit',
        subject: {},
        outcome: 'refused',
        reason: 'more happened at once than could be told: something is missing here',
      })
  }
}

/** Acts that commits ask for by trailer. */
export function auditTrailers({ commit, acts, ignored }: SyncOutcome, audit: AuditSink): void {
  const actor = authorOf(commit)
  for (const trailer of acts) audit.record({ actor, action: 'trailer', subject: { trailer }, outcome: 'done', reason: '' })
  for (const reason of ignored) audit.record({ actor, action: 'trailer', subject: {}, outcome: 'refused', reason })
}
