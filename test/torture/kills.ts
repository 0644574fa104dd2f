/** kill -9 and standstill of every part, now and then of several at once. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Program } from '../real-program.js'
import type { Act } from './acts.js'
import type { TortureWorld } from './world.js'

export const KILL_ACTS: readonly Act[] = [
  { name: 'an agent is killed', run: (world) => killAndStart(world, [world.random.pick(world.agents)]) },
  { name: 'the server is killed', run: (world) => killAndStart(world, [world.server]) },
  { name: 'the broker is killed', run: (world) => killAndStart(world, [world.broker]) },
  { name: 'everything is killed at once', run: (world) => killAndStart(world, world.programs) },
  { name: 'the broker is away for longer than any TTL', run: (world) => killAndStart(world, [world.broker], 14_000) },
  { name: 'the broker stands still for longer than any TTL', run: (world) => standStill(world, world.broker, 14_000) },
  { name: 'an agent stands still for a while', run: (world) => standStill(world, world.random.pick(world.agents), 3_000) },
]

async function killAndStart(
  world: TortureWorld,
  programs: readonly Program[],
  awayMs: number = world.random.between(100, 3_000),
): Promise<void> {
  await Promise.all(programs.map((program) => program.end('SIGKILL')))
  await pause(awayMs)
  for (const program of programs) program.start()
}

async function standStill(_: TortureWorld, program: Program, ms: number): Promise<void> {
  program.signal('SIGSTOP')
  await pause(ms)
  program.signal('SIGCONT')
}
