/** Fuzzes in a thread of its own, and leaves the text it is at where the starter can see it. */
import { parentPort, workerData } from 'node:worker_threads'
import { fuzzHcl } from './hcl.js'

export interface FuzzTask {
  readonly corpus: readonly string[]
  readonly seed: number
  readonly seconds: number
  /** One counter of texts. */
  readonly counter: SharedArrayBuffer
  /** The length of the text, and the text. */
  readonly current: SharedArrayBuffer
}

const task = workerData as FuzzTask
const counter = new Int32Array(task.counter)
const length = new Int32Array(task.current, 0, 1)
const bytes = new Uint8Array(task.current, 4)
const encoder = new TextEncoder()

const fuzzed = await fuzzHcl(task.corpus, task.seed, task.seconds, (text) => {
  length[0] = encoder.encodeInto(text, bytes).written
  Atomics.add(counter, 0, 1)
})
parentPort?.postMessage(fuzzed)
