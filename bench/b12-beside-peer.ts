/**
 * B12 with a peer beside it: what all programs of a system take, with nothing to do and beside sleeping tasks, and what each task has beside itself.
 * `bare` is a Node process that does nothing: each of ours is one. Read some seconds after all run.
 */
import { spawn } from 'node:child_process'
import type { BenchOptions, Line } from './measurement.js'
import { type Process, pssOf } from './processes.js'
import { DroverSide } from './sides/drover-side.js'
import { openPeers, peerNotGiven } from './sides/peer.js'
import { type Side, type SidePrograms, untilRunning } from './sides/side.js'
import { Stamps, stampingJob } from './sides/stamping-job.js'
import { linesOfSides } from './sides/turns.js'

const BENCH = 'B12'
const IDLE_MS = 20_000
/** Programs of Drover by a part of their command line. */
const PARTS = { server: ' server --config', agent: ' agent --config', supervisor: 'supervisor.js' }

interface Cost {
  readonly idlePss: number
  readonly startsASecond: number
  readonly programsPss: number
  readonly helperPssATask: number
  readonly helpersATask: number
}

const UNITS: Readonly<Record<keyof Cost, string>> = {
  idlePss: 'bytes',
  startsASecond: '1/s',
  programsPss: 'bytes',
  helperPssATask: 'bytes',
  helpersATask: 'count',
}

export async function* costBesidePeer({ quick, peer }: BenchOptions): AsyncIterable<Line> {
  const count = quick ? 20 : 100
  const idleMs = quick ? 1_000 : IDLE_MS
  const costs = new Map<string, Cost>()
  const drover = await DroverSide.start()
  try {
    costs.set(drover.name, await costOf(drover, drover.programs, count, idleMs))
    for (const [part, words] of Object.entries(PARTS)) {
      const of = drover.programs.processes().programs.filter(({ line }) => line.includes(words))
      yield* lines(count, `${part}-pss`, 'bytes', new Map([['drover', pssOf(of)]]))
    }
  } finally {
    await drover.remove()
  }
  const peers = await openPeers({ ...peer, addresses: [] })
  if (peers.length === 0)
    yield peerNotGiven(BENCH, 'peer not given (of what listens at an address the processes are not known: name its binary)')
  for (const side of peers)
    try {
      costs.set(side.name, await costOf(side, side.programs!, count, idleMs))
    } finally {
      await side.remove()
    }
  for (const name of Object.keys(UNITS) as (keyof Cost)[])
    yield* lines(count, kebab(name), UNITS[name], new Map([...costs].map(([side, cost]) => [side, cost[name]])))
  yield* lines(count, 'program-pss', 'bytes', new Map([['bare', await barePss(idleMs)]]))
}

function lines(count: number, metric: string, unit: string, values: ReadonlyMap<string, number>): Iterable<Line> {
  const runs = new Map([...values].map(([side, value]) => [side, [value]]))
  return linesOfSides({ bench: BENCH, case: `beside-peer,tasks=${count}`, metric, unit }, runs)
}

async function costOf(side: Side, programs: SidePrograms, count: number, idleMs: number): Promise<Cost> {
  const stamps = new Stamps()
  try {
    await pause(idleMs)
    const idlePss = totalPss(programs)
    const submit = await side.prepare([stampingJob(stamps, 'all', { count })])
    const beganMs = performance.now()
    await submit()
    await untilRunning(side, count)
    const startsASecond = (count * 1000) / (performance.now() - beganMs)
    await pause(idleMs)
    const { programs: own, helpers } = programs.processes()
    return {
      idlePss,
      startsASecond,
      programsPss: pssOf(own),
      helperPssATask: pssOf(helpers) / count,
      helpersATask: helpers.length / count,
    }
  } finally {
    stamps.remove()
  }
}

function totalPss(programs: SidePrograms): number {
  const { programs: own, helpers } = programs.processes()
  return pssOf([...own, ...helpers])
}

async function barePss(idleMs: number): Promise<number> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  try {
    await pause(Math.min(idleMs, 2_000))
    return pssOf([{ pid: String(bare.pid), line: '' } satisfies Process])
  } finally {
    bare.kill('SIGKILL')
  }
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
