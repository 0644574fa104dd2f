/** Why a job runs as it does now: read off the tables, so it costs nothing until somebody asks. */
import {
  type Allocation,
  type Deployment,
  type Evaluation,
  type GroupExplanation,
  isDeploymentActive,
  isServerTerminal,
  isTerminal,
  type Job,
  type JobExplanation,
  type NodeVerdict,
  type Reason,
  type TaskGroup,
  type WaitCode,
} from '../../domain/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import { latestDeployment } from '../reconcile/deployments.js'
import { hasRescheduleAttemptsLeft } from '../reconcile/reschedule.js'
import { explainPlacement } from './explain-placement.js'
import { explainShortfall } from './explain-shortfall.js'
import { explainStop, preemptorOf } from './explain-stop.js'

/** Older ends are history. */
const STOPS_TOLD = 10

type JudgeNodes = (evaluation: Evaluation, job: Job, group: TaskGroup) => readonly NodeVerdict[]

export function explainJob(view: StateView, job: Job, nowMs: number, judgeNodes: JudgeNodes): JobExplanation {
  const key = ownerKey({ Namespace: job.Namespace, JobID: job.ID })
  const rows = view.allocations.by('job', key)
  const evaluations = view.evaluations.by('job', key)
  const latest = latestDeployment(view, { Namespace: job.Namespace, JobID: job.ID })
  // One of an earlier job of this name is none of it.
  const deployment = latest?.JobCreateIndex === job.CreateIndex ? latest : undefined
  const groupOf = (group: TaskGroup): GroupExplanation => {
    const own = rows.filter((row) => row.TaskGroup === group.Name)
    const living = own.filter((row) => !isTerminal(row)).sort(byName)
    return {
      group: group.Name,
      wanted: job.Stop ? 0 : group.Count,
      running: living.filter((row) => row.ClientStatus === 'running').length,
      placements: living.map((row) => explainPlacement(view, row)),
      stops: own
        .filter(isServerTerminal)
        .sort((a, b) => b.AllocModifyIndex - a.AllocModifyIndex)
        .slice(0, STOPS_TOLD)
        .map((row) => {
          const preemptedBy = preemptorOf(row.PreemptedByAllocation, (id) => view.allocations.get(id))
          return explainStop({ row, job, description: row.DesiredDescription ?? '', preemptedBy })
        }),
      missing: [
        ...shortfalls(evaluations, job, group, judgeNodes),
        ...own.filter((row) => row.ClientStatus === 'failed' && !isServerTerminal(row)).flatMap((row) => failure(view, job, row, nowMs)),
        ...rollOut(deployment, group.Name),
      ],
    }
  }
  return {
    namespace: job.Namespace,
    job: job.ID,
    version: job.Version,
    deployment: deployment === undefined ? null : { id: deployment.ID, status: deployment.Status },
    groups: job.TaskGroups.map(groupOf),
  }
}

/** What the evaluations that are still open say of the group. */
function shortfalls(evaluations: readonly Evaluation[], job: Job, group: TaskGroup, judgeNodes: JudgeNodes): readonly Reason[] {
  const pending = evaluations.filter((row) => row.Status === 'pending' && row.WaitUntil === undefined)
  const blocked = evaluations.filter((row) => row.Status === 'blocked' && row.FailedTGAllocs?.[group.Name] !== undefined)
  return [
    ...pending.map((row) =>
      wait('evaluation-pending', group.Name, { evaluation: row.ID, trigger: row.TriggeredBy }, 'an evaluation is about to be worked on'),
    ),
    ...blocked.flatMap((row) => [
      explainShortfall(group.Name, row.FailedTGAllocs![group.Name]!, judgeNodes(row, job, group)),
      wait('waits-for-room', group.Name, { evaluation: row.ID }, `evaluation ${row.ID} tries again when a node changes or has room`),
    ]),
  ]
}

/** Of an allocation that failed and has not been replaced. */
function failure(view: StateView, job: Job, row: Allocation, nowMs: number): readonly Reason[] {
  const later = row.FollowupEvalID === undefined ? undefined : view.evaluations.get(row.FollowupEvalID)
  const about = { name: row.Name, id: row.ID }
  if (later?.Status === 'pending') {
    const facts = { evaluation: later.ID, at: later.WaitUntil ?? '' }
    return [wait('reschedule-later', row.TaskGroup, facts, `${row.Name} failed on ${row.NodeName} and is replaced at ${facts.at}`, about)]
  }
  if (hasRescheduleAttemptsLeft(row, job, nowMs)) return []
  const attempts = row.RescheduleTracker?.Events?.length ?? 0
  const text = `${row.Name} failed on ${row.NodeName} and is not replaced: its reschedule policy allows no more after ${attempts} attempt(s)`
  return [wait('no-reschedule-left', row.TaskGroup, { attempts }, text, about)]
}

function rollOut(deployment: Deployment | undefined, group: string): readonly Reason[] {
  const state = deployment?.TaskGroups[group]
  if (deployment === undefined || state === undefined) return []
  const { HealthyAllocs: healthy, DesiredTotal: wanted, DesiredCanaries: canaries } = state
  const facts = { deployment: deployment.ID, healthy, wanted, canaries }
  const say = (code: WaitCode, text: string) => [wait(code, group, facts, text)]
  if (deployment.Status === 'failed') return say('roll-out-failed', `the roll-out failed: ${deployment.StatusDescription}`)
  if (!isDeploymentActive(deployment)) return []
  if (deployment.Status === 'paused') return say('roll-out-paused', 'the roll-out is paused')
  if (canaries > 0 && !state.Promoted && healthy >= canaries) {
    const how = state.AutoPromote ? 'they are promoted when those of all groups are' : 'promote them by a commit with Drover-Promote'
    return say('roll-out-waits-for-promotion', `${healthy} of ${canaries} canaries are healthy; ${how}`)
  }
  const goal = canaries > 0 && !state.Promoted ? `${canaries} canaries` : String(wanted)
  return say('roll-out-in-progress', `${healthy} of ${goal} are healthy; the next follow when these are`)
}

function wait(code: WaitCode, group: string, facts: Reason['facts'], text: string, allocation: Reason['allocation'] = null): Reason {
  return { code, group, allocation, facts, text }
}

function byName(a: Allocation, b: Allocation): number {
  return a.Name < b.Name ? -1 : 1
}
