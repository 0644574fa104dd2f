/** B10, the jobspec side: text to a Job that is parsed, checked and canonical. */
import { InProcessSyntaxReader } from '../src/adapters/hcl-syntax/index.js'
import { type JobFileTree, readJobFile } from '../src/controller/index.js'
import { jobspecText } from './jobspec-text.js'
import { type Bench, type Measurement, measurement } from './measurement.js'

export const b10Jobspecs: Bench = {
  name: 'B10',
  summary: 'distinct jobspecs of some sixty lines to canonical jobs, cold',
  async *run({ quick }): AsyncIterable<Measurement> {
    const count = quick ? 2_000 : 10_000
    const texts = new Map(Array.from({ length: count }, (_, at) => [`jobs/job-${at}.nomad.hcl`, jobspecText(at)]))
    const name = `jobspecs=${count}`
    const began = performance.now()
    const jobs = await readAll(texts)
    yield measurement('B10', name, 'cold', 'ms', [performance.now() - began])
    yield measurement('B10', name, 'rss', 'bytes', [process.memoryUsage().rss])
    yield measurement('B10', name, 'one-changed', 'ms', await readOneByOne(quick ? 20 : 100))
    if (jobs !== count) throw new Error(`${count - jobs} jobspecs were refused`)
  },
}

function treeOf(texts: ReadonlyMap<string, string>): JobFileTree {
  return {
    has: (path) => texts.has(path),
    list: () => [...texts.keys()],
    blobOf: (path) => path,
    read: async (path) => ({ text: texts.get(path) ?? '' }),
  }
}

async function readAll(texts: ReadonlyMap<string, string>): Promise<number> {
  const reader = new InProcessSyntaxReader()
  const tree = treeOf(texts)
  const kept: unknown[] = []
  for (const path of texts.keys()) {
    const outcome = await readJobFile(path, tree, reader, { namespace: 'default' })
    if (outcome.kind === 'job') kept.push(outcome.job)
  }
  return kept.length
}

async function readOneByOne(rounds: number): Promise<number[]> {
  const reader = new InProcessSyntaxReader()
  const runs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const path = 'jobs/one.nomad.hcl'
    const tree = treeOf(new Map([[path, jobspecText(round, 1)]]))
    const began = performance.now()
    await readJobFile(path, tree, reader, { namespace: 'default' })
    runs.push(performance.now() - began)
  }
  return runs
}
