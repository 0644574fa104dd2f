/** Reads every page of a store of records: `node read-store.js FOLDER`. What the records say is another matter: whoever needs them looks. */
import { open } from 'lmdb'

const root = open({ path: process.argv[2]!, readOnly: true, maxDbs: 2 })
try {
  const records = root.openDB<Uint8Array, number>({ name: 'records', encoding: 'binary', cache: false })
  let bytes = 0
  for (const { value } of records.getRange({})) bytes += value.length
  console.log(bytes)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
await root.close()
