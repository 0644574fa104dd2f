/** `npm run bench -- [NAME …] [--quick]`: one JSON object a line. */

import { BENCHES } from './benches.js'
import type { Bench } from './measurement.js'

const names = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'))
const unknown = [...names.filter((name) => !BENCHES.some((bench) => bench.name === name)), ...flags.filter((flag) => flag !== '--quick')]
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}; benchmarks are:`)
  for (const bench of BENCHES) console.error(`  ${bench.name}  ${bench.summary}`)
  process.exit(1)
}

const chosen: readonly Bench[] = names.length === 0 ? BENCHES : BENCHES.filter((bench) => names.includes(bench.name))
for (const bench of chosen) {
  for await (const line of bench.run({ quick: flags.includes('--quick') })) console.log(JSON.stringify(line))
}
