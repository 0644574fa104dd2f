/** Evaluations as stories record them, each held against its own (docs/differences.md). */
import type { Mismatch } from '../vectors/compare.js'
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
  readonly CreateIndex: number
}

/** In order of creation, with links as places in that order. @param past those that are gone as well, as they were last */
export async function describeEvaluations(world: StoryCluster, past: readonly SeenEvaluation[] = []): Promise<readonly Fields[]> {
  await world.deployments()
  const listed = await world.get<SeenEvaluation[]>('/v1/evaluations?namespace=*')
  const evaluations = [...listed, ...past.filter(({ ID }) => listed.every((one) => one.ID !== ID))]
  evaluations.sort((a, b) => a.CreateIndex - b.CreateIndex || (a.ID < b.ID ? -1 : 1))
  const nodes = await world.get<{ ID: string; Name: string }[]>('/v1/nodes')
  const nodeNames = new Map(nodes.map(({ ID, Name }) => [ID, `<node ${Name}>`]))
  const names = new Map(evaluations.map(({ ID }, at) => [ID, `<eval ${at + 1}>`]))
  return evaluations.map((evaluation) => ({
    id: evaluation.ID,
    eval: names.get(evaluation.ID),
    job: world.names.job(evaluation.JobID),
    type: evaluation.Type,
    triggered_by: evaluation.TriggeredBy,
    priority: evaluation.Priority,
    status: evaluation.Status,
    status_description: evaluation.StatusDescription,
    node: nodeNames.get(evaluation.NodeID ?? ''),
    deployment: isThere(evaluation.DeploymentID) ? `<deployment ${world.names.deployment(evaluation.DeploymentID!)}>` : undefined,
    queued: evaluation.QueuedAllocations ?? undefined,
    failed_groups: Object.fromEntries(
      Object.entries(evaluation.FailedTGAllocs ?? {}).map(([group, metrics]) => [group, describeMetrics(metrics as Fields)]),
    ),
    delayed: isThere(evaluation.WaitUntil ?? undefined),
    next: names.get(evaluation.NextEval ?? ''),
    previous: names.get(evaluation.PreviousEval ?? ''),
    blocked: names.get(evaluation.BlockedEval ?? ''),
    history: world.recording.historyOfEvaluation(evaluation.ID),
  }))
}

const METRICS = {
  nodes_evaluated: 'NodesEvaluated',
  nodes_filtered: 'NodesFiltered',
  nodes_in_pool: 'NodesInPool',
  nodes_available: 'NodesAvailable',
  class_filtered: 'ClassFiltered',
  constraint_filtered: 'ConstraintFiltered',
  nodes_exhausted: 'NodesExhausted',
  class_exhausted: 'ClassExhausted',
  dimension_exhausted: 'DimensionExhausted',
} as const

/** Those that say something. */
function describeMetrics(metrics: Fields): Fields {
  const isSaid = (value: unknown) =>
    typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== null && value !== undefined && value !== 0
  return Object.fromEntries(
    Object.entries(METRICS)
      .map(([name, member]) => [name, metrics[member]] as const)
      .filter(([, value]) => isSaid(value)),
  )
}

function isThere(id: string | undefined): boolean {
  return id !== undefined && id !== ''
}

const FIELDS = ['type', 'priority', 'status', 'status_description', 'node', 'deployment', 'queued', 'failed_groups', 'delayed'] as const
const LINKS = ['next', 'previous', 'blocked'] as const
type Compared = (typeof FIELDS)[number] | (typeof LINKS)[number]

const SUPERSEDED = 'canceled after more recent eval was processed'
const EVALUATION_ID = /<eval \d+>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** They only ask to look again: there may be more that find nothing to do, and fewer where what they brought about is there. */
const LOOKS_AGAIN = new Set(['deployment-watcher', 'node-update'])

export interface EvaluationContext {
  /** How often a file was registered again that had not changed: the reference works for nothing then. */
  readonly identical: number
  /** How often a job was purged that was stopped already: here nothing is left to do for an evaluation. */
  readonly purges: number
  /** Evaluations that made allocations, by their name here. */
  readonly effective: ReadonlySet<unknown>
}

export interface ComparedEvaluations {
  readonly mismatches: readonly Mismatch[]
  /** Recorded name → the one here. */
  readonly pairs: ReadonlyMap<unknown, Fields>
}

/** Each recorded one is held against the one here that has most in common with it among those with the same reason. */
export function compareEvaluations(
  recorded: readonly Fields[],
  seen: readonly Fields[],
  { identical, purges, effective }: EvaluationContext,
): ComparedEvaluations {
  const left = [...seen]
  const pairs = new Map<unknown, Fields>()
  const isTaken = (expected: Fields, differencesMax: number): boolean => {
    const best = left
      .filter((own) => own.job === expected.job && own.triggered_by === expected.triggered_by)
      .map((own) => ({ own, count: differences(expected, own, recorded, seen).length }))
      .sort((a, b) => a.count - b.count)[0]
    if (best === undefined || best.count > differencesMax) return false
    left.splice(left.indexOf(best.own), 1)
    pairs.set(expected.eval, best.own)
    return true
  }
  const inexact = recorded.filter((expected) => !isTaken(expected, 0))
  const missing = inexact.filter((expected) => !isTaken(expected, Number.POSITIVE_INFINITY))
  const spared = new Map([
    ['job-register', identical],
    ['job-deregister', purges],
  ])
  const isSpared = ({ triggered_by, status, job }: Fields): boolean => {
    const count = spared.get(String(triggered_by)) ?? 0
    spared.set(String(triggered_by), count - 1)
    // All of a job that is to move at once is one evaluation.
    const isGathered = triggered_by === 'node-drain' && seen.some((own) => own.job === job && own.triggered_by === 'node-drain')
    return count > 0 || LOOKS_AGAIN.has(String(triggered_by)) || isGathered || isOfFailedPlans({ triggered_by, status })
  }
  const isWithoutEffect = (own: Fields): boolean =>
    own.status_description === SUPERSEDED || (LOOKS_AGAIN.has(String(own.triggered_by)) && !effective.has(own.eval))
  const place = (expected: Fields) => `/evaluations/${recorded.indexOf(expected)}`
  return {
    pairs,
    mismatches: [
      ...recorded.flatMap((expected) => {
        const own = pairs.get(expected.eval)
        return own === undefined
          ? []
          : differences(expected, own, recorded, seen).map((name) => ({
              path: `${place(expected)}/${name}`,
              expected: comparedValue(expected, name, recorded),
              got: comparedValue(own, name, seen),
            }))
      }),
      ...missing
        .filter((expected) => !isSpared(expected))
        .map((expected) => ({ path: place(expected), expected: brief(expected), got: 'no such evaluation' })),
      ...left
        .filter((own) => !isWithoutEffect(own))
        .map((own) => ({ path: '/evaluations/more', expected: 'no more evaluations', got: brief(own) })),
    ],
  }
}

/** The reference gives up five plans for a host that is not ready yet, and begins anew: its accident. */
function isOfFailedPlans({ triggered_by, status }: Fields): boolean {
  return triggered_by === 'max-plan-attempts' || (triggered_by === 'reconnect' && status === 'failed')
}

function brief(evaluation: Fields): string {
  const { job, triggered_by, status, status_description } = evaluation
  return [job, triggered_by, status, status_description].filter((word) => word !== '').join(' ')
}

function differences(expected: Fields, got: Fields, recorded: readonly Fields[], seen: readonly Fields[]): readonly Compared[] {
  if (isOfFailedPlans(expected)) return []
  const forgiven = forgivenOf(expected, got)
  return [...FIELDS, ...LINKS].filter(
    (name) =>
      !forgiven.includes(name) &&
      JSON.stringify(comparedValue(expected, name, recorded)) !== JSON.stringify(comparedValue(got, name, seen)),
  )
}

function forgivenOf(expected: Fields, got: Fields): readonly Compared[] {
  // The reference calls whatever stops a job an evaluation of a service.
  if (expected.triggered_by === 'job-deregister') return isThere(expected.deployment as string) ? ['type'] : ['type', 'deployment']
  // What was superseded by another of its job has done its work in that.
  const isEither = [expected, got].some((one) => one.status_description === SUPERSEDED)
  if (isEither && [expected, got].every(({ status }) => status === 'complete' || status === 'canceled'))
    return ['status', 'status_description', 'deployment', 'next', 'blocked', 'queued']
  // It also cancels what is complete already.
  if (got.status === 'complete' && (expected.history as readonly unknown[] | undefined)?.at(-2) === 'complete')
    return ['status', 'status_description']
  // The reference forgets to cancel one whose reason is gone, and waits for nothing.
  if (expected.delayed === true && expected.status === 'pending' && got.status === 'canceled') return ['status', 'status_description']
  return []
}

/** As it is compared: a link says what it leads to. */
function comparedValue(evaluation: Fields, name: Compared, all: readonly Fields[]): unknown {
  const value = evaluation[name]
  switch (name) {
    case 'next':
    case 'previous':
    case 'blocked':
      return all.find((other) => other.eval === value && value !== undefined)?.triggered_by ?? ''
    case 'queued':
      return Object.entries((value ?? {}) as object).filter(([, count]) => count !== 0)
    case 'failed_groups':
      return sorted(value ?? {})
    case 'delayed':
      return value ?? false
    case 'deployment':
      // Of what was purged nobody knows the name any more.
      return String(value ?? '').replace(/<uuid>|<deployment [0-9a-f-]{36}>/, '<deployment>')
    default:
      return String(value ?? '').replace(EVALUATION_ID, '<eval>')
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .map(([name, member]) => [name, sorted(member)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
