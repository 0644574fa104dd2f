/**
 * Carries out what a host's file says of its work, `eligible` and `drain`, once each time that the file says something new: what is decided at
 * run time in between stands until then.
 */
import { hostStatement, MILLISECOND, type Node, type NodeDeclaration, type Random } from '../domain/index.js'
import type { CommandBody, StateView } from '../state/index.js'
import { drainCommand } from './drain-command.js'
import { nodeEvaluations } from './node-evaluations.js'

export interface OrderEnv {
  readonly random: Random
  readonly nowMs: number
}

/** Nothing where the file has said all of it before. */
export function hostOrders(view: StateView, node: Node, declaration: NodeDeclaration, env: OrderEnv): readonly CommandBody[] {
  const { isEligible, drain } = declaration
  const statement = hostStatement(declaration)
  const known = view.hostOrders.get(node.ID)
  if (known?.statement === statement) return []
  const order: CommandBody = { kind: 'host-order', nodeId: node.ID, statement }
  if (drain !== null) {
    const deadline = drain.isForced ? -1 : drain.deadlineMs * MILLISECOND
    return [order, drainCommand(node, { deadline, ignoreSystemJobs: drain.ignoresSystemJobs, meta: null }, env.nowMs)]
  }
  const eligibility = isEligible ? 'eligible' : 'ineligible'
  if (node.DrainStrategy === null && node.SchedulingEligibility === eligibility) return [order]
  const evaluations = isEligible ? nodeEvaluations(view, node, env.random) : []
  // Of a host that is new to this rule only what its file says is known, and a drain that somebody else has asked for is not its file's.
  if (node.DrainStrategy !== null)
    return known === undefined ? [order] : [order, { kind: 'node-drain', nodeId: node.ID, drain: null, eligibility, evaluations }]
  return [order, { kind: 'node-eligibility', nodeId: node.ID, eligibility, evaluations }]
}
