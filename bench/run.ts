/** `npm run bench -- [NAME …] [--quick] [--cluster FILE] [--peer ADDRESS]…`: one JSON object a line. `NOMAD_BIN` names a peer's binary. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { collectYoungObjectsEarly } from '../src/main/garbage-collector.js'
import { BENCHES } from './benches.js'
import { readClusterFile } from './cluster/cluster-file.js'
import type { Bench, BenchOptions } from './measurement.js'

let request: { readonly benches: readonly Bench[]; readonly options: BenchOptions }
try {
  request = readRequest()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
// What is measured here runs in a server, and is collected as there.
collectYoungObjectsEarly()
for (const bench of request.benches) for await (const line of bench.run(request.options)) console.log(JSON.stringify(line))

function readRequest(): typeof request {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      cluster: { type: 'string' },
      peer: { type: 'string', multiple: true, default: [] },
    },
  })
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name))
  if (unknown.length > 0) {
    const known = BENCHES.map(({ name, summary }) => `\n  ${name}  ${summary}`)
    throw new Error(`unknown: ${unknown.join(' ')}; benchmarks are:${known.join('')}`)
  }
  const benches = positionals.length === 0 ? BENCHES : BENCHES.filter(({ name }) => positionals.includes(name))
  const options = { quick: values.quick, peer: { addresses: values.peer, binary: process.env['NOMAD_BIN'] } }
  if (values.cluster === undefined) return { benches, options }
  if (benches.some(({ name }) => name !== 'B1')) throw new Error('--cluster is for B1 alone')
  const reading = readClusterFile(readFileSync(values.cluster, 'utf8'))
  if (reading.kind === 'refused') throw new Error(`${values.cluster}: ${reading.reason}`)
  return { benches, options: { ...options, cluster: reading.cluster } }
}
