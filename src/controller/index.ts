export { type AgentsFolder, AgentsFolderReader } from './agents/agents-folder.js'
export type { ChangeKey } from './change-feed.js'
export { checksumOf } from './checksum.js'
export type { KeyBinding } from './declared-hosts.js'
export type { GitReconcilerOptions, SyncOutcome } from './git-reconciler.js'
export { describeHappenings } from './happenings.js'
export { readJobFile } from './job-file-reader.js'
export { foldLog, Leader, type LeaderDeps } from './leader.js'
export { CommandReader } from './log-record.js'
export { AuditFacts, authorOf } from './memory/audit-facts.js'
export { AuditTrail } from './memory/audit-trail.js'
export { CommitSpans, type SpanTree } from './memory/commit-spans.js'
export { tracedJobs } from './memory/commit-tracer.js'
export { foldPast, type PastLog, readPastPoint } from './memory/past.js'
export { namespaceMistakes, namespacesOf } from './namespaces/enforce-namespaces.js'
export { isNamespaceFile, NamespaceFilesReader } from './namespaces/namespaces-folder.js'
export type { NodeRegistrarOptions } from './node-registrar.js'
export { tellWaiting } from './order/change-gate.js'
export { checkDependencies } from './order/check-dependencies.js'
export { isHealthy } from './order/job-health.js'
export type {
  AppendOutcome,
  BlobContent,
  Bus,
  BusMessage,
  Clock,
  CommandLog,
  CommitSignatures,
  CommitStatus,
  FetchOutcome,
  Forge,
  GitSource,
  IdentityClaims,
  IdentitySigner,
  JobFileOptions,
  JobFileOutcome,
  JobFileTree,
  JobReader,
  Logger,
  LogRecord,
  MergeRequest,
  Random,
  RemoteRepository,
  Snapshot,
  SyntaxOutcome,
  SyntaxReader,
  TreeEntry,
} from './ports.js'
export { RefReader, type RefReading } from './ref-reader.js'
export { AGENTS_FOLDER, classifyPath, JOBS_FOLDER, nodePoolsIn, VARIABLES_FOLDER } from './repository-layout.js'
export { type RequestPlan, RequestReporter, type RequestReporterDeps } from './request-reporter.js'
export { Server, type ServerDeps, type ServerOptions } from './server.js'
export { situationOf } from './situation.js'
export { emptySnapshot, raiseSnapshot, snapshotOf } from './snapshots.js'
export { findHiddenJobs, SourceTree } from './source-tree.js'
export { needsOf } from './sources/job-needs.js'
export type { FollowedSource } from './sources/source-followers.js'
export type { SourceScope } from './sources/source-scope.js'
export { readHistory, summarizeTree, type TreeHistory, WORK_TREE_HISTORY } from './tree-summary.js'
export type { PathRule, SignatureFact, TrustRules } from './trust/trust-rules.js'
export { fingerprintOf, type Recipients, readRecipients } from './variables/recipients.js'
export { misnaming, readVariableFile } from './variables/variable-file.js'
export { VariablesFolderReader } from './variables/variables-folder.js'
