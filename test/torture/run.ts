/**
 * `npm run torture -- --minutes 5 --seed 1`: throws random commits, requests, messages, task behaviour, disk states and kills at a real
 * cluster, and looks whether anything ended, went deaf, or was done to tasks that nobody spoke of. Exit code 1 when so.
 */
import { parseArgs } from 'node:util'
import { until } from '../acceptance/cluster.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ACTS, type Act } from './acts.js'
import { PauseWatch } from './pause-watch.js'
import { TortureWorld } from './world.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
})

const PAUSE_MS_MAX = 1_000
const SETTLED_WITHIN_MS = 120_000
const BETWEEN_ACTS_MS_MAX = 1_500

const seed = Number(values.seed)
const random = new SeededRandom(seed)
const world = await TortureWorld.create(random)
const problems: string[] = []
const counts = new Map<string, number>()
const tell = (text: string) => console.log(`${((performance.now() - beganMs) / 1_000).toFixed(0).padStart(5)} s  ${text}`)
const complain = (text: string) => {
  problems.push(text)
  tell(`WRONG  ${text}`)
}
const beganMs = performance.now()

try {
  await world.start()
  tell(`the witnesses run; seed ${seed}`)
  const watch = new PauseWatch(world.url, PAUSE_MS_MAX)
  const acts = ACTS.filter(({ name }) => name.includes(values.only))
  for (const untilMs = beganMs + Number(values.minutes) * 60_000; performance.now() < untilMs && world.ends.length === 0; ) {
    await perform(random.pick(acts), watch)
    await new Promise((resolve) => setTimeout(resolve, random.between(0, BETWEEN_ACTS_MS_MAX)))
    for (const problem of world.witnesses.problems()) complain(problem)
  }
  for (const end of world.ends) complain(end)
  for (const { lengthMs } of watch.pauses) complain(`the server was deaf for ${Math.round(lengthMs)} ms`)
  await settle()
  report(watch)
  await watch.close()
} catch (error) {
  complain(error instanceof Error ? (error.stack ?? error.message) : String(error))
} finally {
  if (problems.length > 0) for (const program of world.programs) console.log(`--- ${program.name}\n${program.output.slice(-3_000)}`)
  await world.remove()
}
process.exit(problems.length === 0 ? 0 : 1)

async function perform(act: Act, watch: PauseWatch): Promise<void> {
  tell(act.name)
  counts.set(act.name, (counts.get(act.name) ?? 0) + 1)
  const pids = world.server.pid
  // Who is killed does not answer, and a pause of what holds the machine's disks is nobody's fault but ours.
  watch.isExcused = /killed/.test(act.name)
  await act.run(world)
  if (watch.isExcused && world.server.pid !== pids) await world.answers()
  watch.isExcused = false
}

/** Once nothing is thrown any more, what runs is what the files say. */
async function settle(): Promise<void> {
  world.repository.commit({}, 'the last one')
  type Stub = { readonly JobID: string; readonly ClientStatus: string; readonly DesiredStatus: string }
  type JobStub = { readonly ID: string; readonly Stop: boolean }
  const wanted = new Set([...world.jobs.keys(), 'witness-h1', 'witness-h2'])
  try {
    await until('what runs is what the files say', SETTLED_WITHIN_MS, async () => {
      const [jobs, allocations] = await Promise.all([
        world.get<readonly JobStub[]>('/v1/jobs?namespace=*'),
        world.get<readonly Stub[]>('/v1/allocations?namespace=*'),
      ]).catch(() => [[], []] as const)
      const living = new Set(jobs.filter(({ Stop }) => !Stop).map(({ ID }) => ID))
      const strays = allocations.filter(({ JobID, ClientStatus }) => ClientStatus === 'running' && !wanted.has(JobID))
      return strays.length === 0 && living.size === wanted.size && [...wanted].every((id) => living.has(id))
    })
  } catch (error) {
    complain((error as Error).message)
  }
  for (const problem of world.witnesses.problems()) complain(problem)
}

function report(watch: PauseWatch): void {
  for (const [name, count] of [...counts].sort()) console.log(`${String(count).padStart(5)} × ${name}`)
  const memory = world.programs.map((program) => `${program.name} ${program.memoryMb}`).join(', ')
  console.log(`${watch.asked} questions, longest pause ${Math.round(watch.longestMs)} ms; memory in MiB: ${memory}`)
  console.log(`${world.ends.length} ends, ${watch.pauses.length} pauses above ${PAUSE_MS_MAX} ms, ${problems.length} problems`)
}
