/**
 * `npm run chaos -- --rounds 300 --tasks 100 --seed 1`: kill -9 of agent, supervisor, broker and server in random order under tasks that count.
 * Exit code 1 when one of them was restarted, ran twice, or a line that it said is not in its log.
 */
import { parseArgs } from 'node:util'
import { SeededRandom } from '../simulation/seeded-random.js'
import { Chaos, VICTIMS } from './chaos.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    tasks: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
})
const random = new SeededRandom(Number(values.seed))
const chaos = await Chaos.create(Number(values.tasks))
const kills = new Map<string, number>()
let exitCode = 1
try {
  await chaos.start()
  for (let round = 1; round <= Number(values.rounds); round++) {
    const victim = random.pick(VICTIMS)
    kills.set(victim, (kills.get(victim) ?? 0) + 1)
    const beganMs = performance.now()
    await chaos.kill(victim, random)
    console.log(`${String(round).padStart(4)}  ${victim}, well again after ${Math.round(performance.now() - beganMs)} ms`)
  }
  const { problems, ...figures } = await chaos.finish()
  for (const problem of problems) console.log(`WRONG  ${problem}`)
  console.log(JSON.stringify({ kills: Object.fromEntries(kills), ...figures }))
  exitCode = problems.length === 0 && figures.linesLost === 0 ? 0 : 1
} finally {
  await chaos.remove()
}
process.exit(exitCode)
