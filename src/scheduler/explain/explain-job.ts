/** Why a job runs as it does now: read off the tables, so it costs nothing until somebody asks. */
import {
  type Allocation,
  type Deployment,
  type Evaluation,
  type GroupExplanation,
  isDeploymentActive,
  isServerTerminal,
  isTemplateJob,
  isTerminal,
  type Job,
  type JobExplanation,
  type NodeVerdict,
  type Reason,
  type TaskGroup,
  type WaitCode,
} from '../../domain/index.js'
import { ownerKey, type StateView, standingOf } from '../../state/index.js'
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
    const isTemplate = isTemplateJob(job)
    const wanted = job.Stop || isTemplate ? 0 : group.Count
    const running = living.filter((row) => row.ClientStatus === 'running').length
    const missing = [
      ...(isTemplate ? [madeIntoOthers(job, group.Name)] : []),
      ...living.filter((row) => view.heldLosses.get(row.NodeID) !== undefined).map(heldUp),
      ...shortfalls(evaluations, job, group, judgeNodes),
      ...own.filter((row) => row.ClientStatus === 'failed' && !isServerTerminal(row)).flatMap((row) => failure(view, job, row, nowMs)),
      ...living.flatMap(waitingTasks),
      ...rollOut(deployment, group.Name),
    ]
    const isShort = missing.length === 0 && hasCount(job) && running + finished(job, own) < wanted
    const onTheirWay = living.filter((row) => row.ClientStatus === 'pending').map(starting)
    return {
      group: group.Name,
      wanted,
      running,
      placements: living.map((row) => explainPlacement(view, row)),
      stops: own
        .filter((row) => isServerTerminal(row) || row.ClientStatus === 'complete')
        .sort((a, b) => b.AllocModifyIndex - a.AllocModifyIndex)
        .slice(0, STOPS_TOLD)
        .map((row) => {
          const preemptedBy = preemptorOf(row.PreemptedByAllocation, (id) => view.allocations.get(id))
          return explainStop({ row, job, description: row.DesiredDescription ?? '', preemptedBy })
        }),
      // A group with fewer than wanted always has a reason.
      missing: isShort ? (onTheirWay.length > 0 ? onTheirWay : [notTriedAgain(group.Name, running, wanted)]) : missing,
    }
  }
  return {
    namespace: job.Namespace,
    job: job.ID,
    version: job.Version,
    deployment: deployment === undefined ? null : { id: deployment.ID, status: deployment.Status },
    standing: standingOf(view, job),
    groups: job.TaskGroups.map(groupOf),
  }
}

/** Work that is on every node has no count of its own. */
function hasCount({ Type }: Job): boolean {
  return Type === 'service' || Type === 'batch'
}

/** Names of batch work that has been done. */
function finished({ Type, Version }: Job, rows: readonly Allocation[]): number {
  if (Type !== 'batch') return 0
  const isDone = (row: Allocation) => row.ClientStatus === 'complete' && row.JobVersion === Version
  return new Set(rows.filter(isDone).map((row) => row.Name)).size
}

/** A periodic or parameterized job. */
function madeIntoOthers({ Periodic, Stop }: Job, group: string): Reason {
  const occasion =
    Periodic === null ? 'whenever it is dispatched' : Periodic.Enabled ? 'at its times' : 'only when it is forced, since it is not enabled'
  const text = Stop ? 'it is stopped: no jobs are made from it any more' : `nothing of it runs itself: a job is made from it ${occasion}`
  return wait('made-into-others', group, {}, text)
}

/** On a host that was lost together with many others. */
function heldUp(row: Allocation): Reason {
  const text = `${row.Name} is on ${row.NodeName}, which was lost together with many others: it is not replaced until most are back, or by a commit with Drover-Replace-Lost`
  return wait('replacement-paused', row.TaskGroup, { node: row.NodeName }, text, { name: row.Name, id: row.ID })
}

function starting(row: Allocation): Reason {
  const about = { name: row.Name, id: row.ID }
  return wait('starting', row.TaskGroup, { node: row.NodeName }, `${row.Name} is starting on ${row.NodeName}`, about)
}

/** Tasks that do not start before their templates have what they read. */
function waitingTasks(row: Allocation): readonly Reason[] {
  return Object.entries(row.TaskStates ?? {}).flatMap(([task, { State, Events }]) => {
    const last = Events?.at(-1)
    if (State !== 'pending' || last?.Type !== 'Template') return []
    const told = last.Details?.['display_message'] ?? last.DisplayMessage
    const text = `task ${task} of ${row.Name} waits on ${row.NodeName}: ${told}`
    return [wait('template-waits', row.TaskGroup, { node: row.NodeName, task }, text, { name: row.Name, id: row.ID })]
  })
}

/** Nothing of it is under way, and no evaluation waits for anything. */
function notTriedAgain(group: string, running: number, wanted: number): Reason {
  const remedy = 'it is tried again when its file changes, or by a commit with Drover-Evaluate'
  return wait('not-tried-again', group, { running, wanted }, `${running} of ${wanted} run and nothing is waiting to start more; ${remedy}`)
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
  const attempts = row.RescheduleTracker?.Events?.length ?? 0
  if (hasRescheduleAttemptsLeft(row, job, nowMs)) {
    const remedy =
      'its policy would allow another attempt by now, but nothing asks for one: change its file, or commit with Drover-Evaluate'
    return [wait('not-tried-again', row.TaskGroup, { attempts }, `${row.Name} failed on ${row.NodeName}; ${remedy}`, about)]
  }
  const text = `${row.Name} failed on ${row.NodeName} and is not replaced: its reschedule policy allows no more after ${counted(attempts, 'attempt')}`
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

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function byName(a: Allocation, b: Allocation): number {
  return a.Name < b.Name ? -1 : 1
}
