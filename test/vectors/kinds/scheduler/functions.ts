/** The small functions of the scheduler: one recorded input → one answer (`data/scheduler/README.md` §3). */
import {
  type Allocation,
  findTaskGroup,
  type Job,
  MILLISECOND,
  type Node,
  type ReschedulePolicy,
  SECOND,
} from '../../../../src/domain/index.js'
import {
  attemptsInside,
  createScheduler,
  failTimeMs,
  fitScore,
  fitsNode,
  nextDelayMs,
  nextReschedule,
  satisfies,
  trackReplacement,
} from '../../../../src/scheduler/index.js'
import { compareJson, type Mismatch } from '../../compare.js'
import type { CaseResult, VectorKind } from '../../kind.js'
import { completeAllocation, completeEvaluation, completeJob, completeNode, defaultReschedulePolicy, loadWorld } from './world.js'

interface File<Case> {
  readonly cases: readonly Case[]
  readonly node?: Partial<Node>
}

function functionKind<Case>(
  name: string,
  nameOf: (record: Case, at: number) => string,
  compare: (record: Case, file: File<Case>) => readonly Mismatch[],
): VectorKind {
  return {
    kind: `scheduler/${name}`,
    *run(content): Iterable<CaseResult> {
      const file = content as File<Case>
      for (const [at, record] of file.cases.entries()) yield { name: nameOf(record, at), mismatches: compare(record, file) }
    },
  }
}

interface ConstraintCase {
  readonly LTarget: string
  readonly Operand: string
  readonly RTarget: string
  readonly Attributes?: Readonly<Record<string, string>>
  readonly Meta?: Readonly<Record<string, string>>
  readonly pass: boolean
}

const constraint = functionKind<ConstraintCase>(
  'constraint',
  ({ LTarget, Operand, RTarget }, at) => `${at} ${LTarget} ${Operand} ${RTarget}`,
  (record) => {
    const bare = completeNode({ ID: '', Name: '', Datacenter: '', NodePool: '', NodeClass: '' })
    const node = { ...bare, Attributes: record.Attributes ?? {}, Meta: record.Meta ?? {} }
    return compareJson(record.pass, satisfies(node, record))
  },
)

interface Amounts {
  readonly Cpu: number
  readonly Memory: number
}

interface ScoreCase {
  readonly node: Amounts
  readonly reserved: Amounts
  readonly used: Amounts
  readonly ask: Amounts
  readonly expect: Readonly<Record<string, number>>
}

const score = functionKind<ScoreCase>(
  'score',
  (record, at) => `${at} ${JSON.stringify(record.ask)} of ${JSON.stringify(record.node)}`,
  ({ node, reserved, used, ask, expect }) => {
    const share = (of: keyof Amounts) => (used[of] + ask[of]) / (node[of] - reserved[of])
    const binpackNorm = fitScore('binpack', share('Cpu'), share('Memory'))
    const spreadNorm = fitScore('spread', share('Cpu'), share('Memory'))
    return compareJson(expect, { binpack: 18 * binpackNorm, binpackNorm, spread: 18 * spreadNorm, spreadNorm }, { tolerance: 1e-9 })
  },
)

interface FitCase {
  readonly name: string
  readonly node: Partial<Node>
  readonly allocs: readonly Partial<Allocation>[]
  readonly checkDevices: boolean
  readonly jobs?: readonly Partial<Job>[]
  readonly expect: { readonly fit: boolean; readonly dimension: string; readonly used: Readonly<Record<string, unknown>> }
}

const fit = functionKind<FitCase>(
  'fit',
  ({ name }) => name,
  ({ node, allocs, checkDevices, jobs = [], expect }) => {
    const owners = new Map(jobs.map((raw) => [raw.ID, completeJob(raw)]))
    const volumesOf = (allocation: Pick<Allocation, 'JobID' | 'TaskGroup'>) => {
      const owner = owners.get(allocation.JobID)
      return owner === undefined ? null : (findTaskGroup(owner, allocation.TaskGroup)?.Volumes ?? null)
    }
    const verdict = fitsNode(completeNode(node), allocs.map(completeAllocation), { devices: checkDevices, volumesOf })
    const { cpuShares: Cpu, memoryMb: Memory, memoryMaxMb: MemoryMax, diskMb: Disk, cores } = verdict.used
    const used = { Cpu, Memory, MemoryMax, Disk, ...(cores.length === 0 ? {} : { Cores: [...new Set(cores)].sort((a, b) => a - b) }) }
    // A collision names the allocation in the order of summing.
    const head = (text: string) => text.split(':')[0]
    return compareJson(
      { ...expect, dimension: head(expect.dimension) },
      { fit: verdict.fits, dimension: verdict.fits ? '' : head(verdict.dimension), used },
    )
  },
)

interface RescheduleCase {
  readonly name: string
  readonly now: string
  readonly jobType: string
  readonly policy: ReschedulePolicy | null
  readonly alloc: Partial<Allocation>
  readonly expect: {
    readonly eligible: boolean
    readonly delay: number
    readonly nextTime: number | null
    readonly attempted: number
    readonly attemptsAllowed: number
    readonly replacementEvents?: unknown
  }
}

const reschedule = functionKind<RescheduleCase>(
  'reschedule',
  ({ name }) => name,
  ({ now, jobType, policy: given, alloc, expect }) => {
    const nowMs = Date.parse(now)
    const policy = given ?? defaultReschedulePolicy(jobType)
    const allocation = completeAllocation(alloc)
    const next = nextReschedule(allocation, policy, jobType === 'batch')
    const tracked = trackReplacement(allocation, policy, nowMs)
    const relative = (ns: number) => (ns / MILLISECOND - nowMs) / 1000
    const events = allocation.RescheduleTracker?.Events ?? []
    const failedMs = failTimeMs(allocation)
    const got = {
      eligible: next?.isEligible ?? false,
      delay: policy === null ? 0 : nextDelayMs(events, policy, failedMs) / 1000,
      nextTime: next === undefined ? null : (next.atMs - nowMs) / 1000,
      attempted: policy === null || policy.Unlimited || policy.Attempts === 0 ? 0 : attemptsInside(events, policy, failedMs),
      attemptsAllowed: policy === null || policy.Unlimited ? 0 : policy.Attempts,
      replacementEvents: (tracked.Events ?? []).map((event) => ({
        Delay: event.Delay / SECOND,
        PrevAllocID: event.PrevAllocID,
        PrevNodeID: event.PrevNodeID,
        RescheduleTime: relative(event.RescheduleTime),
      })),
    }
    return Object.entries(expect).flatMap(([key, value]) => compareJson(value, got[key as keyof typeof got], {}, `$.${key}`))
  },
)

interface InPlaceCase {
  readonly name: string
  readonly old: Partial<Job>
  readonly new: Partial<Job>
  readonly allocation: Partial<Allocation>
  readonly expect: Readonly<Record<string, 'inplace' | 'destructive' | 'place' | 'ignore'>>
}

const IN_PLACE_NOW = '2026-03-02T10:00:00Z'

const inPlace = functionKind<InPlaceCase>(
  'inplace',
  ({ name }) => name,
  ({ old, new: changed, allocation, expect }, { node }) => {
    const evaluation = { ID: 'e1', JobID: changed.ID ?? '', Type: changed.Type ?? 'service', Status: 'pending' } as const
    const state = loadWorld({
      now: IN_PLACE_NOW,
      config: { MemoryOversubscriptionEnabled: true },
      nodes: node === undefined ? [] : [node],
      jobs: [old, changed],
      allocations: [allocation],
      evaluation,
    })
    let made = 0
    const env = { nowMs: Date.parse(IN_PLACE_NOW), newId: () => `id-${made++}` }
    const result = createScheduler(state).schedule(completeEvaluation(evaluation), env)
    const verdictOf = (group: string) => {
      const counts = result.evaluation.PlanAnnotations?.DesiredTGUpdates[group]
      if (counts === undefined) return undefined
      if (counts.InPlaceUpdate > 0) return 'inplace'
      if (counts.DestructiveUpdate > 0) return 'destructive'
      return counts.Place > 0 ? 'place' : 'ignore'
    }
    return Object.entries(expect).flatMap(([group, verdict]) => compareJson(verdict, verdictOf(group), {}, `$.${group}`))
  },
)

export const FUNCTION_KINDS: readonly VectorKind[] = [constraint, score, fit, reschedule, inPlace]
