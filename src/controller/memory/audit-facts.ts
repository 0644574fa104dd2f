/**
 * What Commands tell an auditor. What a commit did and does not say itself (a removal, a variable, a file with mistakes) is kept until its
 * cursor has moved, which says whose it was.
 */
import {
  type AuditActor,
  type AuditFact,
  type Commit,
  type Deployment,
  type FrozenFile,
  type Job,
  type JobSource,
  type Node,
  placeText,
  type SourceStatus,
  sourceIdOf,
  type Variable,
  type VersionSource,
} from '../../domain/index.js'
import type { RowChange, StateEvents } from '../../state/index.js'

const SERVER: AuditActor = { kind: 'server' }

type Unsigned = Omit<AuditFact, 'actor'>

export class AuditFacts {
  #unsigned: Unsigned[] = []

  /** In order. */
  read(events: readonly StateEvents[]): readonly AuditFact[] {
    return events.flatMap((batch) => this.#readBatch(batch))
  }

  #readBatch({ index, kind, changes }: StateEvents): readonly AuditFact[] {
    const rows = [...changes.values()]
    switch (kind) {
      case 'leadership-begin':
        // Whoever began these has ended.
        return [...this.#sign(SERVER), { actor: SERVER, action: 'leadership-begin', subject: {}, ...done(index) }]
      case 'job-register':
        return rows.flatMap((row) => (row.table === 'versionSources' ? registered(row, index) : []))
      case 'source-sync':
        return rows.flatMap((row) => (row.table === 'sources' ? this.#synced(row, index) : []))
      case 'node-register':
        return rows.flatMap((row) =>
          row.table === 'nodes' && row.before === undefined ? [hostFact(row.after as Node, 'node-join', index)] : [],
        )
      case 'deployment-update':
        return rows.flatMap((row) => (row.table === 'deployments' ? ended(row, index) : []))
      default:
        this.#unsigned.push(...rows.flatMap((row) => ofCommit(kind, row, index)))
        return []
    }
  }

  #synced({ before, after }: RowChange, index: number): readonly AuditFact[] {
    const [known, status] = [before as SourceStatus | undefined, after as SourceStatus | undefined]
    if (status === undefined) return []
    const facts: AuditFact[] = []
    if (status.commit !== null && status.commit.id !== known?.commit?.id) {
      const actor = authorOf(status.commit)
      facts.push(...this.#sign(actor), { actor, action: 'commit-apply', subject: { ref: status.ref, source: status.id }, ...done(index) })
    } else facts.push(...this.#sign(SERVER))
    const { held } = status
    if (held !== null && JSON.stringify(held) !== JSON.stringify(known?.held)) {
      const subject = { commit: held.commit, source: status.id, jobs: held.jobs.length }
      facts.push({ actor: SERVER, action: 'commit-hold', subject, outcome: 'refused', reason: `${held.reason}: ${held.remedy}`, index })
    }
    return facts
  }

  #sign(actor: AuditActor): readonly AuditFact[] {
    const facts = this.#unsigned.map((fact) => ({ actor, ...fact }))
    this.#unsigned = []
    return facts
  }
}

export function authorOf({ id, author, authorEmail }: Commit): AuditActor {
  return { kind: 'commit', commit: id, name: author, email: authorEmail }
}

function done(index: number): Pick<AuditFact, 'outcome' | 'reason' | 'index'> {
  return { outcome: 'done', reason: '', index }
}

function registered({ before, after }: RowChange, index: number): readonly AuditFact[] {
  const source = after as VersionSource | undefined
  if (source === undefined || before !== undefined) return []
  const { namespace, jobId, path, version, revertOf } = source
  const subject = { namespace, jobId, version, path }
  if (revertOf !== null) return [{ actor: SERVER, action: 'job-revert', subject: { ...subject, revertOf }, ...done(index) }]
  return [{ actor: authorOf(source.commit), action: 'job-register', subject, ...done(index) }]
}

function ended({ before, after }: RowChange, index: number): readonly AuditFact[] {
  const [known, deployment] = [before as Deployment | undefined, after as Deployment | undefined]
  if (deployment === undefined || known === undefined || known.Status === deployment.Status || deployment.Status !== 'failed') return []
  const { ID: deploymentId, Namespace: namespace, JobID: jobId, JobVersion: version, StatusDescription: reason } = deployment
  return [{ actor: SERVER, action: 'deployment-fail', subject: { namespace, jobId, version, deploymentId }, ...done(index), reason }]
}

function hostFact({ ID: nodeId, Name: name, NodePool: pool }: Node, action: string, index: number): AuditFact {
  return { actor: { kind: 'host', nodeId, name }, action, subject: { pool }, ...done(index) }
}

/** What is done for a commit, or by garbage collection, which says nothing here. */
function ofCommit(kind: StateEvents['kind'], { table, before, after }: RowChange, index: number): readonly Unsigned[] {
  const fact = (action: string, subject: AuditFact['subject']): Unsigned => ({ action, subject, ...done(index) })
  switch (`${kind} ${table}`) {
    case 'job-deregister jobs': {
      const job = (after ?? before) as Job
      // What was made from another job is stopped by an act, which tells of itself.
      return (job.ParentID ?? '') === '' ? [fact('job-remove', { namespace: job.Namespace, jobId: job.ID })] : []
    }
    case 'variable-put variables':
    case 'variable-delete variables': {
      const { Namespace: namespace, Path: path } = (after ?? before) as Variable
      return [fact(kind, { namespace, path })]
    }
    case 'source-sync frozenFiles':
    case 'source-files frozenFiles': {
      if (after === undefined) return []
      const { path, mistakes } = after as FrozenFile
      const [first] = mistakes
      const reason = first === undefined ? '' : `${placeText(first)}: ${first.summary}`
      return [{ action: 'file-read', subject: { path, mistakes: mistakes.length }, outcome: 'refused', reason, index }]
    }
    case 'source-files jobSources': {
      const [given, taken] = [before as JobSource | undefined, after as JobSource | undefined]
      if (given === undefined || taken === undefined || sourceIdOf(given) === sourceIdOf(taken)) return []
      const { namespace, jobId, path } = taken
      return [fact('job-hand-over', { namespace, jobId, path, from: sourceIdOf(given), to: sourceIdOf(taken) })]
    }
    case 'namespace-put namespaces':
    case 'namespace-delete namespaces':
      return [fact(kind, { namespace: ((after ?? before) as { readonly Name: string }).Name })]
    case 'node-pool-put nodePools':
    case 'node-pool-delete nodePools':
      return [fact(kind, { pool: ((after ?? before) as { readonly Name: string }).Name })]
    default:
      return []
  }
}
