export { apply } from './apply/apply.js'
export { builtInRows } from './apply/settings.js'
export type { Command, CommandBody, CommandKind, PlanClosing } from './command.js'
export { divideCommand } from './divide-command.js'
export { type DrainWait, drainDeadlineMs, isDrainForced, type LeftOnNode, leftOnNode } from './draining.js'
export { dumpState, textInNameOrder } from './dump.js'
export type { RowChange, StateEvents } from './events.js'
export {
  claimKey,
  createTables,
  dispatchTokenKey,
  type HeldLoss,
  type HostOrder,
  hookRunKey,
  jobKey,
  jobSourceKey,
  jobVersionKey,
  ownerKey,
  type PeriodicLaunch,
  type ScalingEvents,
  sourcedKey,
  type TableName,
  type Tables,
  type TableViews,
  variableKey,
} from './schema.js'
export { cutState, decodeSnapshot, encodeCut, type StateCut, tablesOf } from './snapshot.js'
export { listSetAside, standingOf } from './standing.js'
export { type Counters, jobOfAllocation, State, type StateView } from './state.js'
export { freezeDeeply, Table, type TableView } from './table.js'
