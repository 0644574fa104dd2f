/** The agent: what a host does with the set that the server wants of it, and the messages between the two. */

export { Agent } from './agent.js'
export { AGENT_DEFAULTS, type AgentDeps, type AgentOptions, type StopOptions } from './agent-deps.js'
export { BrokerWatch, describeBroker } from './broker-watch.js'
export type * from './driver.js'
export { type ConfigScope, type ConfigValue, refuseExpressions, type TemplateEngine } from './driver-config.js'
export { DroppedMessages } from './dropped-messages.js'
export { COLLECTION_DEFAULTS, type CollectionRules, type DiskShare } from './ended-allocations.js'
export { MemoryLocalStore } from './memory-local-store.js'
export { decodeMessage, decodeValue, encodeMessage, encodeValue, hashEntries, type MessageKind, type Messages } from './messages.js'
export type * from './network.js'
export type * from './ports.js'
export type * from './protocol.js'
export { DATA_HELD_MS, dataKey, QUESTION_KINDS, subjects } from './protocol.js'
export { Reassembly } from './reassembly.js'
export { ReplayWindow } from './replay-window.js'
export type * from './rpc.js'
export {
  type CallAnswer,
  callKind,
  type Direction,
  DroppedMessage,
  type DropReason,
  openPart,
  type Seal,
  type SealedPart,
  sealMessage,
} from './seal.js'
