/** Hosts and allocations in the hands of a person. Texts are Nomad's (Nomad API docs, "Nodes", "Allocations"). */
import { isTerminal, MILLISECOND } from '../../domain/index.js'
import { ownerKey } from '../../state/index.js'
import { drainCommand } from '../drain-command.js'
import { releaseCommand } from '../mass-loss-brake.js'
import { newEvaluation } from '../new-evaluation.js'
import { nodeEvaluations } from '../node-evaluations.js'
import { type Act, decided, refused } from './act.js'

export const drainNode: Act<'node-drain'> = (view, { nodeId, drain, markEligible, meta }, { random, nowMs }) => {
  const node = view.nodes.get(nodeId)
  if (node === undefined) return refused('node not found')
  if (drain !== null) {
    const terms = { deadline: drain.deadlineMs * MILLISECOND, ignoreSystemJobs: drain.ignoreSystemJobs, meta }
    return decided([drainCommand(node, terms, nowMs)], { evaluationIds: [] })
  }
  const isOpened = markEligible && node.SchedulingEligibility !== 'eligible'
  const evaluations = isOpened ? nodeEvaluations(view, node, random) : []
  const eligibility = markEligible ? 'eligible' : node.SchedulingEligibility
  if (node.DrainStrategy === null && !isOpened) return decided([], { evaluationIds: [] })
  const command =
    node.DrainStrategy === null
      ? ({ kind: 'node-eligibility', nodeId, eligibility, evaluations } as const)
      : ({ kind: 'node-drain', nodeId, drain: null, eligibility, evaluations, meta } as const)
  return decided([command], { evaluationIds: evaluations.map(({ ID }) => ID) })
}

export const setEligibility: Act<'node-eligibility'> = (view, { nodeId, eligibility }, { random }) => {
  const node = view.nodes.get(nodeId)
  if (node === undefined) return refused('node not found')
  if (eligibility !== 'eligible' && eligibility !== 'ineligible') return refused(`invalid scheduling eligibility "${eligibility}"`)
  if (eligibility === 'eligible' && node.DrainStrategy !== null)
    return refused("can not set node's scheduling eligibility to eligible while it is draining")
  if (node.SchedulingEligibility === eligibility) return decided([], { evaluationIds: [] })
  const evaluations = eligibility === 'eligible' ? nodeEvaluations(view, node, random) : []
  return decided([{ kind: 'node-eligibility', nodeId, eligibility, evaluations }], { evaluationIds: evaluations.map(({ ID }) => ID) })
}

export const evaluateNode: Act<'node-evaluate'> = (view, { nodeId }, { random }) => {
  const node = view.nodes.get(nodeId)
  if (node === undefined) return refused('node not found')
  const evaluations = nodeEvaluations(view, node, random)
  return decided(evaluations.length === 0 ? [] : [{ kind: 'evaluation-update', evaluations }], {
    evaluationIds: evaluations.map(({ ID }) => ID),
  })
}

/** Another takes its place, perhaps elsewhere. */
export const stopAllocation: Act<'allocation-stop'> = (view, { allocationId, skipsShutdownDelay }, { random }) => {
  const allocation = view.allocations.get(allocationId)
  if (allocation === undefined) return refused('alloc not found', 'missing')
  const job = view.jobs.get(ownerKey(allocation))
  if (isTerminal(allocation) || job === undefined || job.Stop) return refused('the allocation has ended')
  const evaluation = newEvaluation(random.uuid(), job, 'alloc-stop')
  const transition = { Migrate: true, ...(skipsShutdownDelay ? { NoShutdownDelay: true } : {}) }
  return decided([{ kind: 'allocation-transition', transitions: { [allocation.ID]: transition }, evaluations: [evaluation] }], {
    evaluationId: evaluation.ID,
  })
}

export const releaseLosses: Act<'losses-release'> = (view, { nodeIds }, { random }) => {
  const held = [...view.heldLosses.keys()].sort()
  if (held.length === 0) return refused('replacement is not paused')
  const stranger = nodeIds?.find((id) => view.heldLosses.get(id) === undefined)
  if (stranger !== undefined) return refused(`what host ${stranger} ran is not held`, 'missing')
  const released = nodeIds ?? held
  return decided([releaseCommand(view, released, random)], { nodeIds: released })
}
