/**
 * `NOMAD_DIFF_ADDR=… npm run differential:record -- CASES.json RECORDED.json`: puts `[{ name, question, job, next }]` to a Nomad and adds
 * what it answered to the recorded cases of the same format, which `npm test` puts to Drover's own functions ever after.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { ask } from './questions.js'
import type { RecordedCase } from './recorded-case.js'
import { NomadReference, RecordingReference } from './reference.js'

const [from, into] = process.argv.slice(2)
const address = process.env['NOMAD_DIFF_ADDR']
if (from === undefined || into === undefined || address === undefined) {
  console.error('usage: NOMAD_DIFF_ADDR=http://127.0.0.1:4646 npm run differential:record -- CASES.json RECORDED.json')
  process.exit(1)
}
const cases = JSON.parse(readFileSync(from, 'utf8')) as readonly Omit<RecordedCase, 'replies'>[]
const kept = existsSync(into) ? (JSON.parse(readFileSync(into, 'utf8')) as readonly RecordedCase[]) : []
const recorded = new Map(kept.map((one) => [one.name, one]))
const nomad = new NomadReference(address)
for (const one of cases) {
  const recording = new RecordingReference(nomad)
  const mismatches = await ask(recording, one.question, one)
  if (mismatches === undefined) {
    console.log(`${one.name}: is not compared`)
    continue
  }
  for (const { path, expected, got } of mismatches)
    console.log(`${one.name}: ${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
  recorded.set(one.name, { ...one, replies: recording.replies })
}
nomad.close()
writeFileSync(into, `[\n${[...recorded.values()].map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
console.log(`${recorded.size} cases`)
