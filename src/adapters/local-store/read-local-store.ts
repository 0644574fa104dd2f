/** Reads every page of an agent's store: `node read-local-store.js FOLDER`. What its records say is another matter. */
import { open } from 'lmdb'

const database = open({ path: process.argv[2]!, readOnly: true, cache: false })
try {
  let bytes = 0
  for (const key of database.getKeys()) bytes += database.getBinary(key)?.length ?? 0
  console.log(bytes)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
await database.close()
