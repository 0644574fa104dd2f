/**
 * One simulated life: some minutes of work and faults drawn from the seed, then a quiet time, then everything must have come true.
 */

import { type Allocation, isTerminal } from '../../src/domain/index.js'
import { jobKey } from '../../src/state/index.js'
import { HandActs } from './hand-acts.js'
import type { SeededRandom } from './seeded-random.js'
import { SimulatedReader } from './simulated-reader.js'
import { PACED_JOB, Workload } from './workload.js'
import { World } from './world.js'

export interface StoryResult {
  readonly seed: number
  readonly virtualMs: number
  readonly events: number
  readonly commands: number
  readonly violation: { readonly atMs: number; readonly error: Error } | undefined
}

const WORKING_MS = 110_000
/** Pauses of ten minutes are among the faults: the quiet time begins when the last of them is over. */
const QUIET_MS = 75_000
/** Times of periodic jobs come, and drains reach their deadlines. */
const TIMES_PASS_MS = 40_000
const PROMOTED_EVERY_MS = 15_000
/** Less than the slow timer takes that tries everything again: what waits for room must be woken by the room. */
const ROOM_IS_USED_MS = 12_000
/** More than half of a host. */
const CROWD_CPU_MHZ = 600
const READERS = 3
const PROMOTIONS_MAX = 4
/** More than the source's poll. */
const COMMIT_IS_SEEN_MS = 3_000
const PACED_COUNT = 4
const STEP_WITHIN_MS = 15_000
const IN_HAND_MS = 25_000

export async function tellStory(seed: number): Promise<StoryResult> {
  const world = new World({ seed, hosts: 3 + (seed % 4) })
  const workload = new Workload(world.repository, world.random)
  const onCrash = (error: unknown) => world.fail(error)
  process.on('unhandledRejection', onCrash)
  try {
    workload.begin()
    world.startServer()
    for (const host of world.hosts) host.startAgent()
    for (let number = 1; number <= READERS; number++) world.readers.push(newReader(world, number))
    new Faults(world, workload).schedule()
    await world.run(WORKING_MS)
    world.calm()
    // One more is gone for good, or all but one are, and nothing else happens that would show it.
    if (world.random.chance(0.3)) {
      for (let lost = world.random.pick([1, 1, world.hosts.length]); lost > 0; lost--) world.loseHost()
      // Who leads next has not heard it at all.
      if (world.random.chance(0.5)) world.crashServer(world.random.between(50, 1_000))
    }
    while (world.isPaused()) await world.run(10_000)
    const acts = new HandActs(world.repository, world.random, world.durable)
    workload.settle(acts.resumeAll())
    await world.run(TIMES_PASS_MS)
    world.lifecycle.checkTimes(world.wallMs)
    workload.endTimes()
    workload.settle([...acts.resumeAll(), ...acts.reopenAll(), ...acts.replaceLost()])
    for (let passedMs = 0; passedMs < QUIET_MS; passedMs += PROMOTED_EVERY_MS) {
      acts.promoteAll()
      await world.run(PROMOTED_EVERY_MS)
    }
    await rest(world, acts)
    world.checkConverged()
    workload.crowd(CROWD_CPU_MHZ, world.hosts.length)
    await world.run(ROOM_IS_USED_MS)
    workload.makeRoom()
    await world.run(ROOM_IS_USED_MS)
    await rest(world, acts)
    world.checkConverged()
    await takeInHand(world, workload, acts)
    workload.settle([...acts.resumeAll(), ...acts.reopenAll()])
    await world.run(COMMIT_IS_SEEN_MS)
    await rest(world, acts)
    world.checkConverged()
    return result(seed, world, undefined)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return result(seed, world, error)
  } finally {
    process.off('unhandledRejection', onCrash)
  }
}

/** Roll-outs that wait for a person do not wait for ever, also those that begin late, as a version goes back. */
async function rest(world: World, acts: HandActs): Promise<void> {
  await world.rest()
  for (let tries = 0; world.isRollingOut() && tries < PROMOTIONS_MAX; tries++) {
    acts.promoteAll()
    await world.run(COMMIT_IS_SEEN_MS)
    await world.rest()
  }
}

/** A roll-out is paused when its first step is done, and a host that still runs the old version is emptied: that goes on, the roll-out does not. */
async function takeInHand(world: World, workload: Workload, acts: HandActs): Promise<void> {
  workload.pace(PACED_COUNT)
  await world.run(COMMIT_IS_SEEN_MS)
  await rest(world, acts)
  workload.pace(PACED_COUNT)
  const living = () =>
    world.durable.allocations.by('job', jobKey({ Namespace: 'default', ID: PACED_JOB })).filter((allocation) => !isTerminal(allocation))
  const isOld = ({ JobVersion }: Allocation) => JobVersion === 0
  for (let triedMs = 0; triedMs < STEP_WITHIN_MS && living().every(isOld); triedMs += 200) await world.run(200)
  acts.pause(PACED_JOB)
  await world.run(COMMIT_IS_SEEN_MS)
  const old = living().find(isOld)
  if (old !== undefined) acts.drainSlowly(old.NodeID)
  for (let passedMs = 0; passedMs < IN_HAND_MS; passedMs += 1_000) {
    await world.run(1_000)
    world.lifecycle.checkDrains(world.wallMs)
  }
}

function newReader(world: World, number: number): SimulatedReader {
  return new SimulatedReader(
    world.newProcess(`reader-${number}`),
    world.random,
    () => world.leader,
    () => {
      world.foldNow()
      return world.durable
    },
    (violation) => world.fail(violation),
  )
}

function result(seed: number, world: World, error: Error | undefined): StoryResult {
  return {
    seed,
    virtualMs: world.time.nowMs,
    events: world.time.eventCount,
    commands: world.durable.index,
    violation: error === undefined ? undefined : { atMs: world.time.nowMs, error },
  }
}

/** What goes wrong, and how often: each seed draws its own subset and its own rates. */
class Faults {
  readonly #world: World
  readonly #workload: Workload

  constructor(world: World, workload: Workload) {
    this.#world = world
    this.#workload = workload
  }

  schedule(): void {
    const { random } = this.#world
    this.#every(random.between(1_500, 9_000), () => this.#workload.step())
    const acts = new HandActs(this.#world.repository, random, this.#world.durable)
    if (random.chance(0.8)) this.#every(random.between(2_000, 15_000), () => acts.step())
    const kinds: readonly (readonly [meanMs: number, act: () => void])[] = [
      [random.between(12_000, 60_000), () => this.#crashServer()],
      [random.between(30_000, 120_000), () => this.#pauseServer()],
      [random.between(40_000, 120_000), () => this.#rivalServer()],
      [random.between(10_000, 50_000), () => this.#crashAgent()],
      [random.between(40_000, 160_000), () => this.#killHost()],
      [random.between(30_000, 120_000), () => this.#loseBooks()],
      [random.between(20_000, 80_000), () => this.#endTask()],
      [random.between(20_000, 60_000), () => this.#jumpWallClock()],
      [random.between(15_000, 60_000), () => this.#cutOffHost()],
      [random.between(15_000, 60_000), () => this.#fillDisk()],
      [random.between(30_000, 120_000), () => this.#loseBroker()],
      [random.between(50_000, 150_000), () => this.#loseManyHosts()],
      [random.between(10_000, 60_000), () => this.#world.leader?.garbage.collectAll()],
    ]
    for (const [meanMs, act] of kinds) if (random.chance(0.6)) this.#every(meanMs, act)
    if (random.chance(0.6)) this.#haunt(random.between(200, 4_000))
    if (random.chance(0.6))
      Object.assign(this.#world.network.faults, {
        lossShare: random.fraction() * 0.08,
        duplicateShare: random.fraction() * 0.1,
        delayMsMax: random.between(1, 120),
        lateShare: random.fraction() * 0.02,
      })
    if (random.chance(0.4)) this.#world.network.faults.messageBytesMax = random.pick([2_000, 6_000, 20_000])
    if (random.chance(0.5))
      Object.assign(this.#world.logFaults, {
        requestLostShare: random.fraction() * 0.1,
        answerLostShare: random.fraction() * 0.15,
        slowShare: random.fraction() * 0.03,
        crashShare: random.fraction() * 0.02,
        delayMsMax: random.between(1, 60),
      })
  }

  #every(meanMs: number, act: () => void): void {
    const { random, time } = this.#world
    time.after(meanMs * (0.3 + 1.4 * random.fraction()), () => {
      if (this.#world.isCalm) return
      act()
      this.#every(meanMs, act)
    })
  }

  /** The stranger never rests: only when nothing else happens does it show what it brings about. */
  #haunt(meanMs: number): void {
    const { random, time } = this.#world
    time.after(meanMs * (0.3 + 1.4 * random.fraction()), () => {
      this.#world.stranger.speak()
      this.#haunt(meanMs)
    })
  }

  #crashServer(): void {
    this.#world.crashServer(this.#world.random.between(50, 6_000))
  }

  /** SIGSTOP, a laptop lid, a long collection: from a second to ten minutes. */
  #pauseServer(): void {
    const { random, serverProcesses } = this.#world
    const process = serverProcesses.at(-1)
    process?.pause(random.chance(0.8) ? random.between(1_000, 20_000) : random.between(20_000, 600_000))
  }

  /** A second server takes the lead while the first is paused, and the first comes back beside it. */
  #rivalServer(): void {
    const { random, serverProcesses, time } = this.#world
    const process = serverProcesses.at(-1)
    if (process === undefined || serverProcesses.length > 1) return
    process.pause(random.between(3_500, 15_000))
    time.after(random.between(500, 6_000), () => this.#world.isCalm || this.#world.startServer())
  }

  #crashAgent(): void {
    const { random, hosts } = this.#world
    random.pick(hosts).crashAgent(absenceMs(random))
  }

  /** The machine is gone with all it ran, and comes back empty or not at all. */
  #killHost(): void {
    const { random } = this.#world
    this.#world.loseHost(random.chance(0.5) ? random.between(15_000, 60_000) : undefined, random.chance(0.3))
  }

  /** A rack: most of the hosts at once, and they come back one after the other. */
  #loseManyHosts(): void {
    const { random, hosts } = this.#world
    for (const host of hosts) if (random.chance(0.7) && host.isAlive) host.die(random.between(5_000, 50_000), random.chance(0.1))
  }

  #loseBooks(): void {
    const { random, hosts } = this.#world
    random.pick(hosts).loseBooks(absenceMs(random))
  }

  #endTask(): void {
    const { random, hosts } = this.#world
    random.pick(hosts).endSomeTask(random.chance(0.5) ? 0 : 1)
  }

  #jumpWallClock(): void {
    this.#world.wallOffsetMs += this.#world.random.between(-120_000, 120_000)
  }

  #fillDisk(): void {
    const { random, hosts } = this.#world
    random.pick(hosts).fillDisk(random.between(2_000, 40_000))
  }

  #cutOffHost(): void {
    const { random, hosts } = this.#world
    random.pick(hosts).cutOff(absenceMs(random))
  }

  #loseBroker(): void {
    const { random } = this.#world
    this.#world.loseBroker(random.chance(0.5) ? random.between(200, 12_000) : random.between(12_000, 60_000), random.chance(0.5))
  }
}

/** Mostly too short to be noticed; now and then so long that the node is called silent while its processes go on. */
function absenceMs(random: SeededRandom): number {
  return random.chance(0.75) ? random.between(50, 8_000) : random.between(8_000, 45_000)
}
