export { ChangeFeed, type ChangeKey } from './change-feed.js'
export { foldLog, Leader, type LeaderDeps } from './leader.js'
export { makeRecord, readCommands } from './log-record.js'
export type {
  AppendOutcome,
  BlobContent,
  Bus,
  BusMessage,
  Clock,
  CommandLog,
  GitSource,
  Logger,
  LogRecord,
  Random,
  Snapshot,
  SyntaxOutcome,
  SyntaxReader,
  TreeEntry,
} from './ports.js'
export { checksumOf } from './snapshot-checksum.js'
