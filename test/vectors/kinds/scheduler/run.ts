/** Works on the evaluation of a scenario as server and plan applier would, and keeps what was submitted and answered. */
import type { Evaluation, Node, Plan, SchedulingResult } from '../../../../src/domain/index.js'
import { createScheduler } from '../../../../src/scheduler/index.js'
import { apply, type Command, type State } from '../../../../src/state/index.js'
import { uuidOf } from './labels.js'
import { completeNode } from './world.js'

/** What the plan applier does with one submitted plan. `*` stands for every node. */
export interface PlannerStep {
  readonly Reject?: readonly string[]
  readonly Nodes?: readonly Partial<Node>[]
}

export interface SubmittedPlan {
  readonly plan: Plan
  readonly answer: 'full' | 'partial' | 'rejected'
  /** The rows as they are before and after, by id. */
  readonly before: Rows
  readonly after: Rows
}

type Rows = ReadonlyMap<string, import('../../../../src/domain/index.js').Allocation>

export interface Played {
  readonly submitted: readonly SubmittedPlan[]
  /** The last answer of the scheduler: how the evaluation ends. */
  readonly result: SchedulingResult
}

const ATTEMPTS: Readonly<Record<string, number>> = { service: 5, batch: 2, system: 5, sysbatch: 2 }

/** A refused plan is followed by another look at the changed state, as often as Nomad tries it. */
export function playScenario(state: State, evaluation: Evaluation, planner: readonly PlannerStep[], salt: number): Played {
  const scheduler = createScheduler(state)
  const submitted: SubmittedPlan[] = []
  let made = 0
  const newId = () => uuidOf(`${salt}/new/${made++}`)
  for (let left = ATTEMPTS[evaluation.Type] ?? 1; ; left--) {
    const result = scheduler.schedule(evaluation, { nowMs: state.atMs, newId })
    if (isNoOp(result.plan)) {
      commit(state, result.plan, result)
      return { submitted, result }
    }
    const step = planner[submitted.length] ?? {}
    const answer = answerOf(result.plan, step, state)
    const before = rowsOf(state)
    commit(state, withoutRejected(result.plan, step.Reject ?? [], state), answer === 'full' ? result : undefined)
    submitted.push({ plan: result.plan, answer, before, after: rowsOf(state) })
    if (answer === 'full' || left <= 1) return { submitted, result }
    for (const node of step.Nodes ?? []) state.nodes.put(state.index, completeNode(node))
  }
}

function isNoOp(plan: Plan): boolean {
  const rows = plan.Stops.length + plan.Placements.length + plan.Updates.length + plan.Preemptions.length
  return rows === 0 && plan.Deployment === null && plan.DeploymentUpdates.length === 0
}

function rowsOf(state: State): Rows {
  return new Map(state.allocations.all().map((row) => [row.ID, row]))
}

function answerOf(plan: Plan, { Reject = [] }: PlannerStep, state: State): SubmittedPlan['answer'] {
  if (Reject.includes('*')) return 'rejected'
  return nodesOf(plan, state).some((node) => Reject.includes(node)) ? 'partial' : 'full'
}

function nodesOf(plan: Plan, state: State): readonly string[] {
  const stopped = [...plan.Stops, ...plan.Preemptions].flatMap(({ ID }) => state.allocations.get(ID)?.NodeID ?? [])
  return [...stopped, ...plan.Placements.map((row) => row.NodeID), ...plan.Updates.map((row) => row.NodeID)]
}

function withoutRejected(plan: Plan, rejected: readonly string[], state: State): Plan {
  if (rejected.length === 0) return plan
  const isAll = rejected.includes('*')
  const isKept = (nodeId: string | undefined) => !isAll && !rejected.includes(nodeId ?? '')
  return {
    ...plan,
    Stops: plan.Stops.filter(({ ID }) => isKept(state.allocations.get(ID)?.NodeID)),
    Preemptions: plan.Preemptions.filter(({ ID }) => isKept(state.allocations.get(ID)?.NodeID)),
    Placements: plan.Placements.filter((row) => isKept(row.NodeID)),
    Updates: plan.Updates.filter((row) => isKept(row.NodeID)),
    Deployment: isAll ? null : plan.Deployment,
    DeploymentUpdates: isAll ? [] : plan.DeploymentUpdates,
  }
}

function commit(state: State, plan: Plan, closing: SchedulingResult | undefined): void {
  const closes = closing === undefined ? null : { evaluation: closing.evaluation, created: closing.created }
  const command: Command = { kind: 'plan-apply', plan, closes, atMs: state.atMs }
  apply(state, state.index + 1, command)
}
