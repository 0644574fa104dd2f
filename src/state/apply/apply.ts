/**
 * The replicated state machine: the tables are what you get by folding the log.
 *
 * I2  Same log, same tables, on every server.               test/state/apply.test.ts, test/simulation
 * I3  Only `plan-apply` and `allocation-adopt` create allocations.  test/checkers.ts
 * I8  A client-terminal allocation stays what it is.        test/state/apply.test.ts, test/checkers.ts
 * I14 A stored object is frozen; change means replacement.  test/state/table.test.ts
 */
import { assertNever, invariant, type LogIndex } from '../../domain/index.js'
import type { Command } from '../command.js'
import { variableKey } from '../schema.js'
import type { State } from '../state.js'
import { adoptAllocations, markHealth, reportAllocations, transitionAllocations } from './allocations.js'
import { promoteDeployment, updateDeployments } from './deployments.js'
import { putEvaluations } from './evaluations.js'
import { collectGarbage } from './garbage.js'
import { reconcileSummaries } from './job-status.js'
import { deregisterJob, launchPeriodic, registerJob } from './jobs.js'
import { noteVersionTimes, traceCommit } from './memory.js'
import {
  completeDrain,
  declareNodes,
  deregisterNode,
  drainNode,
  holdLosses,
  registerNode,
  releaseLosses,
  setNodeEligibility,
  setNodeStatus,
} from './nodes.js'
import { applyPlan } from './plans.js'
import { scaleJob } from './scaling.js'
import {
  beginLeadership,
  claim,
  configureScheduler,
  dropChanges,
  noteSourceFiles,
  putVariable,
  rememberActedCommits,
  syncSource,
} from './settings.js'

/** @throws InvariantError for what the proposer should never have let through; the process then stops. */
export function apply(state: State, index: LogIndex, command: Command): void {
  invariant(index === state.index + 1, `entry ${index} does not follow entry ${state.index}`)
  invariant(command.atMs >= state.atMs, `entry ${index} is older than the one before it`)
  state.index = index
  state.atMs = command.atMs
  switch (command.kind) {
    case 'leadership-begin':
      return beginLeadership(state, index, command)
    case 'leadership-confirm':
      return
    case 'job-register':
      return registerJob(state, index, command)
    case 'job-deregister':
      return deregisterJob(state, index, command)
    case 'periodic-launch':
      return launchPeriodic(state, index, command)
    case 'summaries-reconcile':
      return reconcileSummaries(state, index)
    case 'source-files':
      return noteSourceFiles(state, index, command)
    case 'source-sync':
      return syncSource(state, index, command)
    case 'change-wait':
      return state.waitingChanges.put(index, command.change)
    case 'changes-drop':
      return dropChanges(state, index, command)
    case 'commit-trace':
      return traceCommit(state, index, command)
    case 'version-times':
      return noteVersionTimes(state, index, command)
    case 'hook-run':
      return state.hookRuns.put(index, command.run)
    case 'namespace-order':
      return command.order === null
        ? state.namespaceOrders.delete(index, command.namespace)
        : state.namespaceOrders.put(index, command.order)
    case 'commits-acted':
      return rememberActedCommits(state, index, command)
    case 'source-claims':
      return claim(state, index, command)
    case 'command-part':
      return
    case 'node-declare':
      return declareNodes(state, index, command)
    case 'node-register':
      return registerNode(state, index, command)
    case 'node-status':
      return setNodeStatus(state, index, command)
    case 'node-eligibility':
      return setNodeEligibility(state, index, command)
    case 'node-drain':
      return drainNode(state, index, command)
    case 'node-drain-complete':
      return completeDrain(state, index, command)
    case 'host-order':
      return state.hostOrders.put(index, { nodeId: command.nodeId, statement: command.statement })
    case 'node-deregister':
      return deregisterNode(state, index, command)
    case 'loss-hold':
      return holdLosses(state, index, command)
    case 'loss-release':
      return releaseLosses(state, index, command)
    case 'evaluation-update':
      return putEvaluations(state, index, command.evaluations)
    case 'plan-apply':
      return applyPlan(state, index, command)
    case 'allocation-update':
      return reportAllocations(state, index, command)
    case 'allocation-transition':
      return transitionAllocations(state, index, command)
    case 'allocation-adopt':
      return adoptAllocations(state, index, command)
    case 'deployment-update':
      return updateDeployments(state, index, command)
    case 'deployment-promote':
      return promoteDeployment(state, index, command)
    case 'deployment-health':
      return markHealth(state, index, command)
    case 'node-pool-put':
      return state.nodePools.put(index, {
        ...command.pool,
        CreateIndex: state.nodePools.get(command.pool.Name)?.CreateIndex ?? index,
        ModifyIndex: index,
      })
    case 'node-pool-delete':
      return state.nodePools.delete(index, command.name)
    case 'namespace-put':
      return state.namespaces.put(index, {
        ...command.namespace,
        CreateIndex: state.namespaces.get(command.namespace.Name)?.CreateIndex ?? index,
        ModifyIndex: index,
      })
    case 'namespace-delete':
      return state.namespaces.delete(index, command.name)
    case 'job-scale':
      return scaleJob(state, index, command)
    case 'variable-put':
      return putVariable(state, index, command)
    case 'variable-delete':
      return state.variables.delete(index, variableKey({ Namespace: command.namespace, Path: command.path }))
    case 'scheduler-configure':
      return configureScheduler(state, index, command)
    case 'garbage-collect':
      return collectGarbage(state, index, command)
    default:
      return assertNever(command)
  }
}
