/**
 * B14: a week of batch work. A parameterized job is dispatched a thousand times an hour, each child runs for half a minute and ends. The shipped
 * leader, scheduler and garbage collector, with the thresholds that they have when nothing is configured, on a clock that is wound on; the log
 * is nowhere, and what a host would say of its work is said in its place.
 *
 * How much the server keeps (after a full collection of the process's own garbage), hour by hour; how long one step of the collector takes.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { silentLogger } from '../src/adapters/logger.js'
import { Actor } from '../src/controller/actor.js'
import { EvaluationBroker } from '../src/controller/evaluation-broker.js'
import { EvaluationTimes } from '../src/controller/evaluation-times.js'
import { GARBAGE_THRESHOLDS, GarbageCollector } from '../src/controller/garbage-collector.js'
import { Leader } from '../src/controller/leader.js'
import type { Clock, CommandLog } from '../src/controller/ports.js'
import { WaitingEvaluations } from '../src/controller/waiting-evaluations.js'
import { Worker } from '../src/controller/worker.js'
import type { Allocation, ClientStatus } from '../src/domain/index.js'
import { canonicalizeJob, readApiJob } from '../src/jobspec/index.js'
import { createScheduler } from '../src/scheduler/index.js'
import { cutState, decodeSnapshot, encodeCut } from '../src/state/index.js'
import { node } from '../test/fixtures.js'
import { SeededRandom } from '../test/simulation/seeded-random.js'
import { VirtualTime } from '../test/simulation/virtual-time.js'
import { type Bench, type BenchOptions, type Measurement, measurement, quantile } from './measurement.js'

const HOUR_MS = 3_600_000
const WEEK_HOURS = 168
const QUICK_HOURS = 6
const STARTS_PER_HOUR = 1_000
const RUNS_MS = 30_000
const HOSTS = 10
const EPOCH_MS = 1_767_225_600_000
/** As the collector has it. */
const MS_PER_STEP = 3
const MEBIBYTE = 2 ** 20

export const b14: Bench = {
  name: 'B14',
  summary: 'a week of a thousand batch allocations an hour: what the server keeps, hour by hour, and how long it collects at once',
  async *run({ quick }: BenchOptions): AsyncIterable<Measurement> {
    const hours = quick ? QUICK_HOURS : WEEK_HOURS
    const week = await Week.begin()
    const emptyMebibytes = heapMebibytes()
    const heap: number[] = []
    const resident: number[] = []
    for (let hour = 1; hour <= hours; hour++) {
      await week.passHour()
      heap.push(heapMebibytes())
      resident.push(process.memoryUsage().rss / MEBIBYTE)
    }
    const of = `hours=${hours} starts_per_hour=${STARTS_PER_HOUR}`
    // A child lives for as long as its threshold says, so it takes that long until as many go as come; a sweep is the grain of what is removed.
    const steadyFrom = GARBAGE_THRESHOLDS.jobMs / HOUR_MS
    yield measurement('B14', of, 'heap_at_the_start', 'MiB', [emptyMebibytes])
    yield measurement('B14', of, 'heap_after_hour_2', 'MiB', [heap[1]!])
    yield measurement('B14', of, 'heap_most', 'MiB', [Math.max(...heap)])
    yield measurement('B14', of, 'heap_at_the_end', 'MiB', [heap.at(-1)!])
    yield measurement('B14', of, 'most_after_job_threshold_of_what_it_was_then', 'ratio', [
      Math.max(...heap.slice(steadyFrom)) / heap[steadyFrom]!,
    ])
    yield measurement('B14', of, 'resident_after_hour_2', 'MiB', [resident[1]!])
    yield measurement('B14', of, 'resident_most_after_it', 'MiB', [Math.max(...resident.slice(2))])
    yield measurement('B14', of, 'rows_at_the_end', 'count', [week.rows])
    yield measurement('B14', of, 'collecting_at_once_p50', 'ms', [quantile(week.stepsMs, 0.5)])
    yield measurement('B14', of, 'collecting_at_once_p99', 'ms', [quantile(week.stepsMs, 0.99)])
    yield measurement('B14', of, 'collecting_at_once_p999', 'ms', [quantile(week.stepsMs, 0.999)])
    yield measurement('B14', of, 'collecting_at_once_most', 'ms', [Math.max(...week.stepsMs)])
    yield measurement('B14', of, 'idle_steps_p999', 'ms', [quantile(week.idleStepsMs, 0.999)])
    yield measurement('B14', of, 'idle_steps_most', 'ms', [Math.max(...week.idleStepsMs)])
    yield measurement('B14', of, 'heap_of_the_state_read_again', 'MiB', [week.readAgainMebibytes()])
    week.end()
  },
}

class Week {
  /**
   * How long each step of the collector kept others waiting, ms: no longer than it took, and no more of a processor than the whole process used
   * meanwhile, of which the first counts others' work on a busy machine and the second V8's own threads.
   */
  readonly stepsMs: number[] = []
  /** The same of as many steps that only look at the clock, until as much time has passed as a step may take: what the machine adds. */
  readonly idleStepsMs: number[] = []
  readonly #time: VirtualTime
  readonly #clock: Clock
  readonly #leader: Leader
  readonly #actor: Actor
  readonly #garbage: GarbageCollector

  static async begin(): Promise<Week> {
    const random = new SeededRandom(1)
    const time = new VirtualTime(random)
    // Only what is bounded by work asks how much of it was done: that is real.
    const clock: Clock = {
      wallMs: () => EPOCH_MS + Math.floor(time.nowMs),
      monotonicMs: () => performance.now(),
      after: (delayMs, run) => time.after(delayMs, run),
    }
    const leader = await Leader.start({ log: NOWHERE, clock, random, logger: silentLogger, onStop: refuse })
    return new Week(time, clock, leader, random)
  }

  private constructor(time: VirtualTime, clock: Clock, leader: Leader, random: SeededRandom) {
    this.#time = time
    this.#clock = clock
    this.#leader = leader
    const { state } = leader
    const times = new EvaluationTimes()
    const broker = new EvaluationBroker(state, leader.clock, () => leader.nudge(), times)
    const adoption = { isHearing: false }
    const worker = new Worker({
      leader,
      broker,
      times,
      adoption,
      scheduler: createScheduler(state),
      clock: leader.clock,
      random,
      logger: silentLogger,
    })
    const waiting = new WaitingEvaluations(state, (bodies) => void leader.propose(bodies))
    leader.onTurnEnd(() => waiting.reconcile())
    leader.onTurnEnd(() => worker.drain())
    this.#actor = new Actor({ leader, random, logger: silentLogger })
    this.#garbage = new GarbageCollector({ leader: this.#timed(leader), thresholds: GARBAGE_THRESHOLDS })
    state.allocations.observe((before, after) => before === undefined && after !== undefined && this.#run(after))
    for (let at = 0; at < HOSTS; at++) leader.propose([{ kind: 'node-register', node: hostCalled(at), reportNumber: 0, evaluations: [] }])
    leader.propose([{ kind: 'job-register', job: canonicalizeJob(readApiJob(JOB)), source: null, evaluations: [] }])
  }

  async passHour(): Promise<void> {
    for (let at = 0; at < STARTS_PER_HOUR; at++) this.#clock.after((at * HOUR_MS) / STARTS_PER_HOUR, () => this.#dispatch())
    await this.#time.runUntil(this.#time.nowMs + HOUR_MS, () => {})
    await this.#leader.snapshotIfDue()
  }

  get state() {
    return this.#leader.state
  }
  get rows(): number {
    const { jobs, jobVersions, evaluations, allocations } = this.#leader.state
    return jobs.count + jobVersions.count + evaluations.count + allocations.count
  }

  /** What the state takes that a server has which starts from a snapshot of it. */
  readAgainMebibytes(): number {
    const bytes = Buffer.concat([...encodeCut(cutState(this.#leader.state))])
    const before = heapMebibytes()
    const state = decodeSnapshot(bytes)
    const after = heapMebibytes()
    if (state.index !== this.#leader.state.index) throw new Error('a snapshot was read as another state')
    return after - before
  }

  end(): void {
    this.#garbage.stop()
    this.#leader.retire('the week is over')
  }

  #dispatch(): void {
    const request = { namespace: 'default', jobId: 'errand', payload: '', meta: {}, token: '', idPrefix: '', priority: 0 }
    this.#actor.perform('job-dispatch', request).then((outcome) => {
      if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
    }, refuse)
  }

  /** What its host would say of it. */
  #run(allocation: Allocation): void {
    this.#clock.after(1_000, () => this.#report(allocation, 'running', 'Tasks are running'))
    this.#clock.after(RUNS_MS, () => this.#report(allocation, 'complete', 'All tasks have completed'))
  }

  #report({ ID, NodeID }: Allocation, ClientStatus: ClientStatus, ClientDescription: string): void {
    const reports = [{ ID, ClientStatus, ClientDescription, TaskStates: {} }]
    this.#leader.propose([{ kind: 'allocation-update', nodeId: NodeID, reports, services: [], evaluations: [] }])
  }

  /** The same leader, with a clock that notes how long what it calls back takes. */
  #timed(leader: Leader): ConstructorParameters<typeof GarbageCollector>[0]['leader'] {
    const { clock } = leader
    return {
      state: leader.state,
      get isStopped() {
        return leader.isStopped
      },
      get hasRoom() {
        return leader.hasRoom
      },
      propose: (bodies) => leader.propose(bodies),
      clock: {
        wallMs: () => clock.wallMs(),
        monotonicMs: () => clock.monotonicMs(),
        after: (delayMs, run) =>
          clock.after(delayMs, () => {
            const [beganMs, began] = [performance.now(), process.cpuUsage()]
            run()
            // The turn that it causes has run by then, up to its record's way to the log.
            queueMicrotask(() => {
              const { user, system } = process.cpuUsage(began)
              this.stepsMs.push(Math.min(performance.now() - beganMs, (user + system) / 1000))
              this.idleStepsMs.push(measureIdleStep())
            })
          }),
      },
    }
  }
}

const JOB = {
  ID: 'errand',
  Type: 'batch',
  ParameterizedJob: { Payload: 'optional' },
  TaskGroups: [
    { Name: 'main', Tasks: [{ Name: 'run', Driver: 'mock_driver', Config: { run_for: '30s' }, Resources: { CPU: 20, MemoryMB: 16 } }] },
  ],
}

/** Durable at once, and forgotten. */
const NOWHERE: CommandLog = {
  loadSnapshot: async () => undefined,
  async *read() {},
  append: async () => ({ kind: 'durable' }),
  saveSnapshot: async () => {},
  lease: () => ({ confirmedMs: performance.now(), leaseMs: Number.POSITIVE_INFINITY }),
  close: async () => {},
}

function hostCalled(at: number) {
  const driver = { Attributes: {}, Detected: true, Healthy: true, HealthDescription: '', UpdateTime: '2026-01-01T00:00:00Z' }
  const base = node({ ID: `00000000-0000-4000-a000-${String(at).padStart(12, '0')}`, Name: `h${at}` })
  return { ...base, Attributes: { ...base.Attributes, 'driver.mock_driver': '1' }, Drivers: { mock_driver: driver } }
}

function refuse(reason: unknown): void {
  if (reason !== 'the week is over') throw reason instanceof Error ? reason : new Error(String(reason))
}

function measureIdleStep(): number {
  const [beganMs, began] = [performance.now(), process.cpuUsage()]
  while (performance.now() - beganMs < MS_PER_STEP);
  const { user, system } = process.cpuUsage(began)
  return Math.min(performance.now() - beganMs, (user + system) / 1000)
}

let collect: (() => void) | undefined

/** What is reachable, after all that is not was collected. */
function heapMebibytes(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
  return process.memoryUsage().heapUsed / MEBIBYTE
}
