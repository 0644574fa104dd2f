/** `npm run fuzz -- hcl [--seconds N] [--seed S]`: damaged jobspecs until the time is up; exit code 1 when anything was found. */
import { readFileSync } from 'node:fs'
import { fuzzHcl } from './hcl.js'

const TARGETS: Readonly<Record<string, typeof fuzzHcl>> = { hcl: fuzzHcl }
const words = process.argv.slice(2)
const option = (name: string, fallback: number): number => {
  const at = words.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(words[at + 1])
}
const target = TARGETS[words[0] ?? '']
if (target === undefined) {
  console.error(`usage: npm run fuzz -- ${Object.keys(TARGETS).join('|')} [--seconds N] [--seed S]`)
  process.exit(1)
}

const DATA = new URL('../vectors/data/hcl/jobspecs.json', import.meta.url)
const corpus = (JSON.parse(readFileSync(DATA, 'utf8')) as { vectors: { body: string }[] }).vectors.map(({ body }) => body)
const seed = option('seed', 1)
const { rounds, findings } = await target(corpus, seed, option('seconds', 60))
for (const { kind, detail, text } of findings) console.log(JSON.stringify({ kind, detail, text }))
console.log(`${rounds} texts, seed ${seed}: ${findings.length} findings`)
process.exit(findings.length > 0 ? 1 : 0)
