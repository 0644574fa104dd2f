/** What must hold of every plan, over random stories in which plans follow on one another (docs/state-machine.md). */
import fc from 'fast-check'
import { test } from 'vitest'
import {
  type Allocation,
  findTaskGroup,
  isClientTerminal,
  isTerminal,
  MILLISECOND,
  type SchedulingResult,
  type TaskGroup,
} from '../../src/domain/index.js'
import { UPDATING } from '../../src/scheduler/descriptions.js'
import { createScheduler, fitsNode } from '../../src/scheduler/index.js'
import { apply as applyCommand, ownerKey, type StateView } from '../../src/state/index.js'
import { checkDeployments, checkNames, checkSummaries } from '../checkers.js'
import { clusterCase, makeWorld, schedule } from './cases/case.js'
import { type Decision, History, historyCase } from './cases/history.js'
import { agree, demand } from './replay/agreement.js'
import { replayGeneric } from './replay/generic.js'
import { replaySystem } from './replay/system.js'

const RUNS = { numRuns: 250 }

function overHistories(observer: ConstructorParameters<typeof History>[1]): void {
  fc.assert(
    fc.property(historyCase, (given) => {
      new History(given, observer).play()
    }),
    RUNS,
  )
}

/** Single decisions over allocations that have been through more than a short story tells. */
function overCases(check: (given: { readonly decision: Decision; readonly apply: () => void }) => void): void {
  fc.assert(
    fc.property(clusterCase(['history']), (given) => {
      const world = makeWorld(given)
      const result = schedule(world)
      const closes = { evaluation: result.evaluation, created: result.created }
      const apply = () =>
        applyCommand(world.state, world.state.index + 1, { kind: 'plan-apply', plan: result.plan, closes, atMs: world.env.nowMs })
      check({ decision: { ...world, result }, apply })
    }),
    { numRuns: 1_500 },
  )
}

const isGeneric = ({ evaluation }: Decision) => evaluation.Type === 'service' || evaluation.Type === 'batch'
const rowsOf = ({ state, evaluation }: Decision) => state.allocations.by('job', ownerKey(evaluation))

function versionOf(state: StateView, row: Allocation): TaskGroup | undefined {
  const owner = state.findJobVersion(row.Namespace, row.JobID, row.JobCreateIndex, row.JobVersion)
  return owner === undefined ? undefined : findTaskGroup(owner, row.TaskGroup)
}

test('plans that follow on one another choose as the naive reference does (I16)', () => {
  overHistories({
    planned: (decision) => {
      const replay = isGeneric(decision) ? replayGeneric : replaySystem
      replay(decision.state, decision.evaluation, decision.result)
    },
  })
})

test('a scheduler that has followed every change plans like one made anew', () => {
  overHistories({
    planned: ({ state, evaluation, env, result }) => agree('the plan', result, createScheduler(state).schedule(evaluation, env)),
  })
})

test('a name is wanted once, no more than the count is wanted, and no row is both stopped and changed (I3, I6)', () => {
  overHistories({
    planned: ({ result: { plan } }) => {
      const ids = [...plan.Stops, ...plan.Updates, ...plan.Preemptions, ...plan.Placements].map(({ ID }) => ID)
      demand(new Set(ids).size === ids.length, 'a row stands in the plan twice')
    },
    applied: (decision) => {
      checkNames(decision.state)
      if (isGeneric(decision)) checkCounts(decision)
    },
  })
  overCases(({ decision, apply }) => {
    const isInSight = rowsOf(decision).every(({ ClientStatus }) => ClientStatus !== 'unknown')
    apply()
    checkNames(decision.state)
    if (isInSight) checkCounts(decision)
  })
})

/** Canaries stand beside the count until they are promoted, and what is out of sight beside what has taken its place. */
function checkCounts(decision: Decision): void {
  const { state, evaluation } = decision
  const job = state.jobs.get(ownerKey(evaluation))
  const wanted = rowsOf(decision).filter(
    (row) => !isTerminal(row) && row.DeploymentStatus?.Canary !== true && row.ClientStatus !== 'unknown',
  )
  if (job === undefined || job.Stop) demand(wanted.length === 0, `${evaluation.JobID} is stopped and ${wanted[0]?.Name} is wanted`)
  else
    for (const { Name, Count } of job.TaskGroups) {
      const found = wanted.filter((row) => row.TaskGroup === Name).length
      demand(found <= Count, `${found} of ${Count} are wanted of ${Name}`)
    }
}

/**
 * What is short by amount takes nothing more. Cores, ports and volumes may be promised twice before the plan: while what was told to stop
 * still runs, and on a node that has come back with less.
 */
function isBroken(state: StateView, nodeId: string): boolean {
  const { NodeResources, ...rest } = state.nodes.get(nodeId)!
  const Cpu = { ...NodeResources.Cpu, CpuShares: ENOUGH }
  const endless = {
    ...rest,
    NodeMaxAllocs: 0,
    NodeResources: { ...NodeResources, Cpu, Memory: { MemoryMB: ENOUGH }, Disk: { DiskMB: ENOUGH } },
  }
  const rows = state.allocations.by('node', nodeId).filter((row) => !isClientTerminal(row))
  return !fitsNode(endless, rows, { volumesOf: (row) => versionOf(state, row as Allocation)?.Volumes ?? null }).fits
}

const ENOUGH = 1e9

test('what a plan puts on a node fits beside all that is still there (I7)', () => {
  const broken = new Set<string>()
  overHistories({
    planned: ({ state, result: { plan } }) => {
      broken.clear()
      for (const { NodeID } of plan.Placements) if (isBroken(state, NodeID)) broken.add(NodeID)
    },
    applied: ({ state, result: { plan } }) => {
      const gone = new Set([...plan.Stops, ...plan.Preemptions].map(({ ID }) => ID))
      for (const nodeId of new Set(plan.Placements.map((row) => row.NodeID))) {
        if (broken.has(nodeId)) continue
        const rows = state.allocations.by('node', nodeId).filter((row) => !isClientTerminal(row) && !gone.has(row.ID))
        const verdict = fitsNode(state.nodes.get(nodeId)!, rows, {
          volumesOf: (row) => versionOf(state, row as Allocation)?.Volumes ?? null,
        })
        demand(verdict.fits, `node ${nodeId} is promised more than it has: ${JSON.stringify(verdict)}`)
      }
    },
  })
})

test('a roll-out replaces no more at once than it may, and its counters never exceed each other (I15, I17)', () => {
  overHistories({
    planned: (decision) => checkPace(decision),
    applied: ({ state }) => {
      checkDeployments(state)
      checkSummaries(state)
    },
  })
})

/** Those that have not proved themselves yet count as not available. */
function checkPace(decision: Decision): void {
  const { state, evaluation, result } = decision
  const job = state.jobs.get(ownerKey(evaluation))
  const stopped = new Set(result.plan.Stops.map(({ ID }) => ID))
  for (const { Name, Update } of job?.TaskGroups ?? []) {
    if (Update === null || Update.MaxParallel === 0 || evaluation.Type === 'batch' || evaluation.Type === 'sysbatch') continue
    const ofGroup = rowsOf(decision).filter((row) => row.TaskGroup === Name)
    const replaced = result.plan.Stops.filter(
      (stop) => stop.DesiredDescription === UPDATING && ofGroup.some(({ ID }) => ID === stop.ID),
    ).length
    const deployments = state.deployments
      .by('job', ownerKey(evaluation))
      .filter((row) => row.JobVersion === job!.Version && row.Status === 'running')
    const isUnproven = (row: Allocation) =>
      !isTerminal(row) &&
      !stopped.has(row.ID) &&
      row.DeploymentStatus?.Healthy !== true &&
      deployments.some(({ ID }) => ID === row.DeploymentID)
    const unproven = ofGroup.filter(isUnproven).length
    demand(replaced === 0 || replaced + unproven <= Update.MaxParallel, `${Name} replaces ${replaced} beside ${unproven} unproven`)
  }
}

test('nothing is placed again more often than its policy allows (I18)', () => {
  overHistories({ planned: ({ state, env, result }) => checkAttempts(state, env.nowMs, result) })
  overCases(({ decision: { state, env, result } }) => checkAttempts(state, env.nowMs, result))
})

function checkAttempts(state: StateView, nowMs: number, { plan }: SchedulingResult): void {
  for (const row of plan.Placements) {
    const policy = versionOf(state, row)?.ReschedulePolicy
    if (policy == null || policy.Unlimited || row.RescheduleTracker === undefined) continue
    const isInside = (time: number) => nowMs - time / MILLISECOND < policy.Interval / MILLISECOND
    const attempts = (row.RescheduleTracker.Events ?? []).filter((event) => isInside(event.RescheduleTime)).length
    demand(attempts <= policy.Attempts, `${row.Name} is placed again for the ${attempts}th time of ${policy.Attempts}`)
  }
}
