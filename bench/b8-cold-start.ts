/**
 * B8: from nothing to the state as it was. With real tasks beside a peer (`b8-restart.ts`), and a server alone with a large state: kill -9, start, the
 * first answer, the first plan. `limit` is an empty Node process that reads the bytes of the snapshot, and no more.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { restart } from './b8-restart.js'
import { type StateSize, writeLargeState } from './large-state.js'
import { type Bench, type BenchOptions, type Line, type Measurement, measurement } from './measurement.js'
import { ServerProcess } from './server-process.js'
import { untilSo } from './sides/side.js'
import { inTurns, linesOfSides } from './sides/turns.js'

export const LARGE: StateSize = { nodes: 5_000, jobs: 10_000, allocations: 100_000 }
export const SMALL: StateSize = { nodes: 50, jobs: 100, allocations: 1_000 }
const LOOK_EVERY_MS = 5
const READ_ALL = `for (const name of require('node:fs').readdirSync(process.argv[1])) require('node:fs').readFileSync(process.argv[1] + '/' + name)`

export const b8: Bench = {
  name: 'B8',
  summary: 'kill -9 and start again: until all is told to be running, and until a large state is read',
  async *run(options: BenchOptions): AsyncIterable<Line> {
    yield* restart(options)
    yield* largeState(options)
  },
}

async function* largeState({ quick }: BenchOptions): AsyncIterable<Measurement> {
  const size = quick ? SMALL : LARGE
  const of = `nodes=${size.nodes},jobs=${size.jobs},allocations=${size.allocations}`
  const server = await ServerProcess.create()
  try {
    await writeLargeState(server.dataFolder, size)
    const peaks: number[] = []
    const plans: number[] = []
    const starts = await inTurns([{ name: 'drover' }, { name: 'limit' }], quick ? 1 : 5, async ({ name }, round) => {
      if (name === 'limit') return readOnly(server)
      server.repository.commit({ 'jobs/new.nomad.json': newJob(round) })
      const beganMs = performance.now()
      server.start()
      await untilSo('the server answers', async () => (await server.get('/v1/job/job-17')) !== undefined, LOOK_EVERY_MS)
      const answeredMs = performance.now() - beganMs
      await untilSo('the first evaluation is over', () => isEvaluated(server, round), LOOK_EVERY_MS)
      plans.push(performance.now() - beganMs)
      peaks.push(server.peakRss)
      await server.kill()
      return answeredMs
    })
    yield* linesOfSides({ bench: 'B8', case: of, metric: 'start-to-first-answer', unit: 'ms' }, starts)
    yield measurement('B8', of, 'start-to-first-evaluation', 'ms', plans)
    yield measurement('B8', of, 'peak-rss', 'bytes', peaks)
  } finally {
    await server.remove()
  }
}

async function isEvaluated(server: ServerProcess, round: number): Promise<boolean> {
  const [job, evaluations] = await Promise.all([
    server.get<{ readonly Version: number }>('/v1/job/new'),
    server.get<readonly { readonly Status: string }[]>('/v1/job/new/evaluations'),
  ])
  const complete = evaluations?.filter(({ Status }) => Status === 'complete').length ?? 0
  return job?.Version === round && complete > round
}

/** Wants a node that is not there: so it is planned for, and nothing more comes of it. */
function newJob(version: number): string {
  const Task = { Name: 'main', Driver: 'raw_exec', Config: { command: '/bin/true' }, Env: { VERSION: String(version) } }
  const Constraints = [{ LTarget: '${node.unique.name}', Operand: '=', RTarget: 'nowhere' }]
  return JSON.stringify({ Job: { ID: 'new', Type: 'service', Constraints, TaskGroups: [{ Name: 'main', Count: 1, Tasks: [Task] }] } })
}

function readOnly(server: ServerProcess): number {
  const beganMs = performance.now()
  execFileSync(process.execPath, ['-e', READ_ALL, join(server.dataFolder, 'state', 'snapshots')])
  return performance.now() - beganMs
}
