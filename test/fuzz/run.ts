/** `npm run fuzz -- hcl [--seconds N] [--seed S]`: damaged jobspecs until the time is up; exit code 1 when anything was found. */
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type Fuzzed, HANG_MS } from './hcl.js'
import type { FuzzTask } from './hcl-worker.js'

const TEXT_BYTES_MAX = 1024 * 1024
const words = process.argv.slice(2)
const option = (name: string, fallback: number): number => {
  const at = words.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(words[at + 1])
}
if (words[0] !== 'hcl') {
  console.error('usage: npm run fuzz -- hcl [--seconds N] [--seed S]')
  process.exit(1)
}

const DATA = new URL('../vectors/data/hcl/jobspecs.json', import.meta.url)
const corpus = (JSON.parse(readFileSync(DATA, 'utf8')) as { vectors: { body: string }[] }).vectors.map(({ body }) => body)
const seed = option('seed', 1)
const { rounds, findings } = await fuzz({
  corpus,
  seed,
  seconds: option('seconds', 60),
  counter: new SharedArrayBuffer(4),
  current: new SharedArrayBuffer(4 + TEXT_BYTES_MAX),
})
for (const finding of findings) console.log(JSON.stringify(finding))
console.log(`${rounds} texts, seed ${seed}: ${findings.length} findings`)
process.exit(findings.length > 0 ? 1 : 0)

/** A reader that stays at one text is a finding, and the end. */
function fuzz(task: FuzzTask): Promise<Fuzzed> {
  return new Promise((resolve, reject) => {
    // A thread does not inherit the loader of TypeScript.
    const url = new URL('./hcl-worker.ts', import.meta.url).href
    const start = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(url)})))`
    const worker = new Worker(start, { eval: true, workerData: task, resourceLimits: { stackSizeMb: 64 } })
    let last = 0
    const watch = setInterval(() => {
      const count = Atomics.load(new Int32Array(task.counter), 0)
      if (count > last) last = count
      else if (count > 0) {
        const length = new Int32Array(task.current, 0, 1)[0] ?? 0
        const text = new TextDecoder().decode(new Uint8Array(task.current, 4, length).slice())
        end({ rounds: count, findings: [{ kind: 'hang', detail: `no end after ${HANG_MS} ms`, text }] })
      }
    }, HANG_MS)
    const end = (fuzzed: Fuzzed): void => {
      clearInterval(watch)
      resolve(fuzzed)
    }
    worker.on('message', end)
    worker.on('error', reject)
  })
}
