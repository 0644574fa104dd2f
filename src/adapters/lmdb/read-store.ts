/** Reads a store of records to its end: `node read-store.js FOLDER`. Exit code 0: every record is what its hash says. */
import { open } from 'lmdb'
import { CommandReader, type LogRecord } from '../../controller/index.js'

const root = open({ path: process.argv[2]!, readOnly: true, maxDbs: 2 })
const commands = new CommandReader()
let previous: LogRecord | undefined
try {
  for (const { value } of root.openDB<LogRecord, number>({ name: 'records', encoding: 'msgpack', cache: false }).getRange({})) {
    if (previous !== undefined && value.previousHash !== previous.hash)
      throw new Error(`the record at index ${value.firstIndex} does not follow the one at ${previous.firstIndex}`)
    commands.read(value)
    previous = value
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
await root.close()
