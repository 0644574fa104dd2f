/** Evaluations as stories record them, and which of them must be there. */
import type { StoryCluster } from './cluster.js'

type Fields = Readonly<Record<string, unknown>>

export interface SeenEvaluation {
  readonly ID: string
  readonly JobID: string
  readonly Type: string
  readonly TriggeredBy: string
  readonly Priority: number
  readonly Status: string
  readonly StatusDescription: string
  readonly NodeID?: string
  readonly DeploymentID?: string
  readonly QueuedAllocations?: Readonly<Record<string, number>> | null
  readonly FailedTGAllocs?: Fields | null
  readonly NextEval?: string
  readonly PreviousEval?: string
  readonly BlockedEval?: string
  readonly WaitUntil?: string | null
}

export function describeEvaluation(world: StoryCluster, evaluation: SeenEvaluation): Fields {
  return {
    job: world.names.job(evaluation.JobID),
    type: evaluation.Type,
    triggered_by: evaluation.TriggeredBy,
    priority: evaluation.Priority,
    status: evaluation.Status,
    status_description: evaluation.StatusDescription,
    has_node: isThere(evaluation.NodeID),
    queued: evaluation.QueuedAllocations ?? undefined,
    failed_groups: Object.keys(evaluation.FailedTGAllocs ?? {}),
  }
}

function isThere(id: string | undefined): boolean {
  return id !== undefined && id !== ''
}

/** Of these there may be more, and fewer where what they would bring about is there all the same: that is compared by itself. */
const OPTIONAL_TRIGGERS = new Set([
  'alloc-failure',
  'alloc-reschedule',
  'deployment-watcher',
  'max-disconnect-timeout',
  'max-plan-attempts',
  'node-update',
  'reconnect',
])
const COMPARED = ['job', 'type', 'triggered_by', 'status', 'status_description', 'queued', 'failed_groups'] as const
const SUPERSEDED = 'canceled after more recent eval was processed'
const EVALUATION_ID = /<eval \d+>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/**
 * What differs of those that must be there, as a multiset.
 * @param identical how often a file was registered again that had not changed: the reference works for nothing then
 */
export function compareEvaluations(
  recorded: readonly Fields[],
  seen: readonly Fields[],
  identical: number,
): { readonly missing: readonly string[]; readonly more: readonly string[] } {
  const left = seen.filter(isRequired).map(keyOf)
  const missing: string[] = []
  for (const key of recorded.filter(isRequired).map(keyOf)) {
    const at = left.indexOf(key)
    if (at >= 0) left.splice(at, 1)
    else missing.push(key)
  }
  const isRepeated = (key: string) =>
    key.includes(' job-register complete ') && missing.filter((other) => other === key).length <= identical
  // All that is to move at once is one evaluation of each job.
  const isGathered = (key: string) => key.includes(' node-drain complete ') && seen.some((evaluation) => keyOf(evaluation) === key)
  const isSpared = (key: string) => isRepeated(key) || isGathered(key)
  return { missing: missing.filter((key) => !isSpared(key)), more: left.filter((key) => !isSuperseded(key, seen)) }
}

function isRequired({ triggered_by }: Fields): boolean {
  return !OPTIONAL_TRIGGERS.has(String(triggered_by))
}

function isSuperseded(key: string, seen: readonly Fields[]): boolean {
  return seen.some((evaluation) => evaluation.status_description === SUPERSEDED && keyOf(evaluation) === key)
}

/** What was superseded by another of its job has done its work in that. */
function keyOf(evaluation: Fields): string {
  const isSuperseded = evaluation.status_description === SUPERSEDED
  const known: Fields = isSuperseded ? { ...evaluation, status: 'complete', status_description: '' } : evaluation
  const values = COMPARED.map((name) => {
    const value = known[name]
    // The reference calls whatever stops a job an evaluation of a service.
    if (name === 'type' && known.triggered_by === 'job-deregister') return ''
    if (name === 'queued')
      return known.status === 'blocked' ? '' : Object.entries((value ?? {}) as object).filter(([, count]) => count !== 0)
    if (name === 'failed_groups') return Array.isArray(value) ? value : Object.keys((value ?? {}) as object)
    return String(value ?? '').replace(EVALUATION_ID, '<eval>')
  })
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ')
}
