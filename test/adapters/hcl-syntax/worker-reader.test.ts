import { afterEach, describe, expect, test } from 'vitest'
import { WorkerSyntaxReader } from '../../../src/adapters/hcl-syntax/index.js'
import { LIMITS } from '../../../src/jobspec/index.js'

const worker = (code: string) =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'\n${code}`)}`)
const HANGS = worker('parentPort.on("message", () => { for (;;); })')
const DIES = worker('parentPort.on("message", () => process.exit(3))')
const THROWS = worker('parentPort.on("message", () => { throw new Error("no memory") })')
/** Hangs on the first text it gets; a new one, started for the next text, answers. */
const ANSWERS = worker(
  'parentPort.on("message", ({ id, task: { path } }) => parentPort.postMessage({ id, heapBytes: 0, answer: { kind: "mistakes", mistakes: [{ path, line: 1, column: 1, summary: "in the worker", detail: "", snippet: "" }] } }))',
)

const readers: WorkerSyntaxReader[] = []
function reader(workerUrl: URL, parseMsMax = 50): WorkerSyntaxReader {
  const made = new WorkerSyntaxReader({
    size: 1,
    workerUrl,
    inlineLengthMax: 0,
    limits: { ...LIMITS, parseMsMax },
    loadingMsMax: parseMsMax,
  })
  readers.push(made)
  return made
}

afterEach(async () => {
  await Promise.all(readers.splice(0).map((one) => one.close()))
})

describe('a text that breaks its reader', () => {
  test('and takes too long is not read yet, which is no mistake', async () => {
    expect(await reader(HANGS).read('a.nomad.yaml', 'x: 1')).toMatchObject({
      kind: 'aborted',
      reason: expect.stringContaining('longer than 50 ms') as string,
    })
  })

  test.each([
    ['ends it', DIES],
    ['makes it throw', THROWS],
  ])('and %s is not read yet', async (_, url) => {
    expect(await reader(url, 10_000).read('a.nomad.yaml', 'x: 1')).toMatchObject({ kind: 'aborted' })
  })

  test('costs the texts after it nothing', async () => {
    const hanging = reader(HANGS)
    const outcomes = await Promise.all(['a', 'b', 'c'].map((name) => hanging.read(`${name}.nomad.yaml`, 'x: 1')))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['aborted', 'aborted', 'aborted'])
  })
})

test('a text that waits when the reader is closed is not read', async () => {
  const hanging = reader(HANGS, 60_000)
  const waiting = [hanging.read('a.nomad.yaml', 'x: 1'), hanging.read('b.nomad.yaml', 'x: 1')]
  await hanging.close()
  expect((await Promise.all(waiting)).map(({ kind }) => kind)).toEqual(['aborted', 'aborted'])
})

test('workers are used one text after the other', async () => {
  const answering = reader(ANSWERS, 10_000)
  const outcomes = await Promise.all(['a', 'b', 'c'].map((name) => answering.read(`${name}.nomad.yaml`, '')))
  expect(outcomes).toMatchObject(['a', 'b', 'c'].map((name) => ({ kind: 'mistakes', mistakes: [{ path: `${name}.nomad.yaml` }] })))
})

test('small texts of HCL are read at once, and what is wrong with them stands whatever becomes of the worker', async () => {
  const made = new WorkerSyntaxReader({ size: 1, workerUrl: DIES })
  readers.push(made)
  expect(await made.read('a.nomad.hcl', 'job "j" {}\n')).toMatchObject({ kind: 'syntax' })
  expect(await made.read('a.nomad.hcl', 'job "j" {')).toMatchObject({ kind: 'mistakes' })
})
