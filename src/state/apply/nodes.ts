import { invariant, type LogIndex, type Node, type NodeEvent, rfc3339 } from '../../domain/index.js'
import type { State } from '../state.js'
import { putEvaluations } from './evaluations.js'
import type { CommandOf } from './kind.js'

const NODE_EVENTS_KEPT = 10

export function declareNodes(state: State, index: LogIndex, command: CommandOf<'node-declare'>): void {
  for (const name of command.removed) state.nodeDeclarations.delete(index, name)
  for (const declaration of command.declarations) state.nodeDeclarations.put(index, declaration)
}

/** Everything of the row comes from the agent and its declaration; only its history is kept. */
export function registerNode(state: State, index: LogIndex, command: CommandOf<'node-register'>): void {
  const known = state.nodes.get(command.node.ID)
  const event = nodeEvent(state, index, 'Cluster', known === undefined ? 'Node registered' : 'Node re-registered')
  state.nodes.put(index, {
    ...command.node,
    Events: appendEvent(known?.Events ?? [], event),
    LastDrain: known?.LastDrain ?? null,
    LastMissedHeartbeatIndex: known?.LastMissedHeartbeatIndex ?? 0,
    LastAllocUpdateIndex: known?.LastAllocUpdateIndex ?? 0,
    StatusUpdatedAt: Math.floor(state.atMs / 1000),
    CreateIndex: known?.CreateIndex ?? index,
    ModifyIndex: index,
  })
  forgetLaterReports(state, index, command.node.ID, command.reportNumber)
  state.heldLosses.delete(index, command.node.ID)
  putEvaluations(state, index, command.evaluations)
}

/** A host that lost its disk numbers its reports from the beginning, and must be heard again. */
function forgetLaterReports(state: State, index: LogIndex, nodeId: string, newest: number): void {
  if ((state.nodeReports.get(nodeId)?.number ?? 0) > newest) state.nodeReports.put(index, { nodeId, number: newest })
}

export function setNodeStatus(state: State, index: LogIndex, command: CommandOf<'node-status'>): void {
  const node = findNode(state, command.nodeId)
  const isMissed = command.status === 'down' || command.status === 'disconnected'
  changeNode(state, index, node, {
    Status: command.status,
    StatusDescription: command.description,
    StatusUpdatedAt: Math.floor(state.atMs / 1000),
    ...(isMissed ? { LastMissedHeartbeatIndex: index } : {}),
    ...(isMissed ? { Events: appendEvent(node.Events, nodeEvent(state, index, 'Cluster', 'Node heartbeat missed')) } : {}),
  })
  putEvaluations(state, index, command.evaluations)
}

export function setNodeEligibility(state: State, index: LogIndex, command: CommandOf<'node-eligibility'>): void {
  const node = findNode(state, command.nodeId)
  const event = nodeEvent(state, index, 'Cluster', `Node marked as ${command.eligibility} for scheduling`)
  changeNode(state, index, node, { SchedulingEligibility: command.eligibility, Events: appendEvent(node.Events, event) })
  putEvaluations(state, index, command.evaluations)
}

export function drainNode(state: State, index: LogIndex, command: CommandOf<'node-drain'>): void {
  const node = findNode(state, command.nodeId)
  const now = rfc3339(state.atMs)
  const isStart = command.drain !== null
  const message = isStart
    ? node.DrainStrategy === null
      ? 'Node drain strategy set'
      : 'Node drain strategy updated'
    : 'Node drain disabled'
  changeNode(state, index, node, {
    DrainStrategy: command.drain,
    SchedulingEligibility: command.eligibility,
    LastDrain: {
      StartedAt: isStart ? command.drain.StartedAt : (node.LastDrain?.StartedAt ?? now),
      UpdatedAt: now,
      Status: isStart ? 'draining' : 'canceled',
      AccessorID: '',
      Meta: command.meta ?? (isStart ? null : (node.LastDrain?.Meta ?? null)),
    },
    Events: appendEvent(node.Events, nodeEvent(state, index, 'Drain', message)),
  })
  putEvaluations(state, index, command.evaluations)
}

/** The host stays as it is, ineligible, until somebody wants it back. */
export function completeDrain(state: State, index: LogIndex, command: CommandOf<'node-drain-complete'>): void {
  const node = findNode(state, command.nodeId)
  const now = rfc3339(state.atMs)
  const details = command.isDeadlineReached ? { deadline_reached: 'true' } : null
  changeNode(state, index, node, {
    DrainStrategy: null,
    LastDrain: { StartedAt: now, AccessorID: '', Meta: null, ...node.LastDrain, UpdatedAt: now, Status: 'complete' },
    Events: appendEvent(node.Events, { ...nodeEvent(state, index, 'Drain', 'Node drain complete'), Details: details }),
  })
}

export function deregisterNode(state: State, index: LogIndex, command: CommandOf<'node-deregister'>): void {
  state.nodes.delete(index, command.nodeId)
  state.hostOrders.delete(index, command.nodeId)
  state.heldLosses.delete(index, command.nodeId)
  putEvaluations(state, index, command.evaluations)
}

export function holdLosses(state: State, index: LogIndex, { nodeIds, atMs }: CommandOf<'loss-hold'>): void {
  for (const nodeId of nodeIds) state.heldLosses.put(index, { nodeId, sinceMs: atMs })
}

export function releaseLosses(state: State, index: LogIndex, command: CommandOf<'loss-release'>): void {
  for (const nodeId of command.nodeIds) state.heldLosses.delete(index, nodeId)
  putEvaluations(state, index, command.evaluations)
}

function findNode(state: State, id: string): Node {
  const node = state.nodes.get(id)
  invariant(node !== undefined, `node ${id} was to be changed and is not there`)
  return node
}

function changeNode(state: State, index: LogIndex, node: Node, change: Partial<Node>): void {
  state.nodes.put(index, { ...node, ...change, ModifyIndex: index })
}

function nodeEvent(state: State, index: LogIndex, subsystem: string, message: string): NodeEvent {
  return { Message: message, Subsystem: subsystem, Details: null, Timestamp: rfc3339(state.atMs), CreateIndex: index }
}

function appendEvent(events: readonly NodeEvent[], event: NodeEvent): readonly NodeEvent[] {
  return [...events, event].slice(-NODE_EVENTS_KEPT)
}
