/**
 * A machine of the simulated world: its disk, the processes that run on it, and the shipped `Agent` that looks after them.
 * Processes live on virtual time and outlive the agent; the machine's death ends everything.
 *
 * I5  An agent runs only what a set of the current epoch wants. I12 Nothing is ended because the control plane was away.
 * S2  A host whose disk is full begins nothing new.
 * S1  What a stranger on the bus says, or says again, is heeded by nobody.
 * L6  What runs on a host that has joined again is in sight again.
 */

import { silentLogger } from '../../src/adapters/logger.js'
import {
  Agent,
  type Driver,
  type LocalStore,
  MemoryLocalStore,
  type TaskExit,
  type TaskHandle,
  type TaskStart,
} from '../../src/agent/index.js'
import type { AgentRecord } from '../../src/agent/local-state.js'
import { isClientTerminal, isServerTerminal, OrchestratorError, ZERO_TIME } from '../../src/domain/index.js'
import type { StateView } from '../../src/state/index.js'
import { Violation } from '../checkers.js'
import { node } from '../fixtures.js'
import { hollowHost } from '../hollow-host.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { World } from './world.js'

interface Run {
  readonly key: string
  /** Of the same allocation and task, whichever start it was. */
  readonly task: string
  readonly allocationId: string
  readonly startedMs: number
  exit: TaskExit | undefined
  readonly waiting: ((exit: TaskExit) => void)[]
  /** Ended by itself or by the world rather than by the agent. */
  isOwnEnd: boolean
}

const CPU_MHZ = 1_000
const MEMORY_MB = 2_000
const DISK_MB = 10_000
/** A look of the agent, and what was under way then. */
const DISK_NOTICED_MS = 5_000
/** Several TTLs, with messages that are long on their way. */
const ABSENT_MS_MAX = 45_000
/** Some tries on a bad network, with a leader that died between two records of them. */
const JOINS_WITHIN_MS = 15_000

export class SimulatedHost {
  readonly name: string
  readonly publicKey: string
  readonly nodeId: string
  isAlive = true
  /** When it was last out of reach: not there, or without an agent, or cut off. */
  disturbedMs = 0
  agentProcess: SimulatedProcess | undefined
  /** How long an agent takes to find out what there is. */
  startMs = 0
  #diskFullMs: number | undefined
  /** Allocations of which anything was ever started here. */
  readonly #admitted = new Set<string>()
  readonly #world: World
  #disk = new Map<string, unknown>()
  #runs = new Map<string, Run>()
  #generation = 0
  /** Since when it has been out of reach of one leader. */
  #absentSinceMs = 0
  #absentUnder = 0
  /** When a process was first seen whose allocation is unknown although all is well. */
  readonly #unseenSinceMs = new Map<string, number>()

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.publicKey = `KEY-${name}`
    this.nodeId = SimulatedHost.nodeIdOf(this.publicKey)
  }

  static nodeIdOf(publicKey: string): string {
    const hex = [...publicKey]
      .map((letter) => letter.charCodeAt(0).toString(16))
      .join('')
      .padEnd(32, '0')
      .slice(-32)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  startAgent(): void {
    if (!this.isAlive || this.agentProcess?.isAlive === true) return
    this.disturbedMs = this.#world.time.nowMs
    const process = this.#world.newProcess(`${this.name}-agent-${++this.#generation}`)
    this.agentProcess = process
    const { random } = this.#world
    const agent = new Agent({
      ...hollowHost(this.publicKey),
      nodeId: this.nodeId,
      bus: this.#world.network.busOf(process),
      clock: process.clock,
      random,
      logger: silentLogger,
      store: this.#store(process),
      drivers: [this.#driver(process)],
      fingerprint: async () => {
        await new Promise<void>((resolve) => process.clock.after(this.startMs, resolve))
        return this.#fingerprint()
      },
      diskProblem: () => (this.#diskFullMs === undefined ? null : 'the disk is full'),
      onFatal: (error) => process.isAlive && this.#world.fail(error),
    })
    agent.start().catch((error: unknown) => process.isAlive && this.#world.fail(error))
  }

  /** I5: whatever is written down about sets, no older one is ever obeyed after a newer one. */
  #store(process: SimulatedProcess): LocalStore {
    const wait = () => new Promise<void>((resolve) => process.clock.after(this.#world.random.fraction() * 2, resolve))
    const store = new MemoryLocalStore(this.#disk, wait)
    let known = store.get('agent') as AgentRecord | undefined
    return {
      get: (key) => store.get(key),
      keys: (prefix) => store.keys(prefix),
      setAside: (key) => store.setAside(key),
      close: () => store.close(),
      write: (changes) => {
        const record = changes.agent as AgentRecord | undefined
        if (record !== undefined) {
          if (known !== undefined) this.#checkObedience(known, record)
          known = record
        }
        return store.write(changes)
      },
    }
  }

  #checkObedience(before: AgentRecord, after: AgentRecord): void {
    if (after.epoch > this.#world.epochMax)
      this.#world.fail(new Violation('S1', `${this.name} believes in epoch ${after.epoch}, there was none beyond ${this.#world.epochMax}`))
    const isSame = after.versionEpoch === before.versionEpoch && after.version === before.version
    const isOlder = after.versionEpoch < before.epoch || (after.versionEpoch === before.versionEpoch && after.version < before.version)
    if (isSame || !isOlder) return
    const told = `${this.name} obeyed version ${after.version} of epoch ${after.versionEpoch}`
    this.#world.fail(new Violation('I5', `${told} after version ${before.version} of epoch ${before.epoch}`))
  }

  /** kill -9 of the agent; its processes go on. */
  crashAgent(restartAfterMs: number): void {
    this.agentProcess?.kill()
    this.#world.time.after(restartAfterMs, () => this.startAgent())
  }

  /** The agent dies and what it has written is gone; its processes go on, and nobody remembers having started them. */
  loseBooks(restartAfterMs: number): void {
    this.#disk = new Map()
    this.crashAgent(restartAfterMs)
  }

  /** The machine loses power: processes and agent are gone, and its disk too when that was the cause. Its key is kept elsewhere. */
  die(returnAfterMs: number | undefined, isDiskLost: boolean): void {
    this.isAlive = false
    this.agentProcess?.kill()
    this.#runs = new Map()
    if (isDiskLost) this.#disk = new Map()
    if (returnAfterMs !== undefined) this.#world.time.after(returnAfterMs, () => this.#comeBack())
  }

  /** A process ends by itself. */
  endSomeTask(exitCode: number): void {
    const living = [...this.#runs.values()].filter((run) => run.exit === undefined)
    if (living.length > 0) end(this.#world.random.pick(living), { exitCode, signal: 0, isOutOfMemory: false }, true)
  }

  runningAllocations(): ReadonlySet<string> {
    return new Set([...this.#runs.values()].filter((run) => run.exit === undefined).map((run) => run.allocationId))
  }

  /** Its agent runs, and hears and is heard. */
  get isReachable(): boolean {
    return this.isAlive && this.agentProcess?.isAlive === true && !this.#isCutOff
  }

  get #isCutOff(): boolean {
    return this.agentProcess !== undefined && this.#world.network.isCutOff(this.agentProcess)
  }

  /** For so long its agent hears and says nothing. */
  cutOff(forMs: number): void {
    const process = this.agentProcess
    if (process === undefined) return
    const { network, time } = this.#world
    network.cutOff(process, forMs)
    time.after(forMs, () => {
      if (this.agentProcess === process) this.disturbedMs = time.nowMs
    })
  }

  /** Something fills its disk, for so long. */
  fillDisk(forMs: number): void {
    if (this.#diskFullMs !== undefined) return
    this.#diskFullMs = this.#world.time.nowMs
    this.#world.time.after(forMs, () => this.makeRoom())
  }

  makeRoom(): void {
    this.#diskFullMs = undefined
  }

  reconnect(): void {
    if (!this.#isCutOff) return
    this.#world.network.reconnect(this.agentProcess!)
    this.disturbedMs = this.#world.time.nowMs
  }

  check(durable: StateView, isServed: boolean): void {
    this.#checkProcesses(durable)
    this.#checkAbsence(durable, isServed)
    if (isServed && this.isReachable && durable.nodes.get(this.nodeId)?.Status === 'ready') this.#checkSight(durable)
    else this.#unseenSinceMs.clear()
  }

  /** S1: nobody keeps a host in sight by saying again what it once said. A new leader gives everyone their time anew. */
  #checkAbsence(durable: StateView, isServed: boolean): void {
    const { nowMs } = this.#world.time
    const isReady = durable.nodes.get(this.nodeId)?.Status === 'ready'
    // One that has become ready since the last look was heard, however short that was.
    if (!isServed || !isReady || this.isReachable || this.#absentUnder !== durable.epoch) this.#absentSinceMs = nowMs
    this.#absentUnder = durable.epoch
    if (nowMs - this.#absentSinceMs > ABSENT_MS_MAX)
      throw new Violation(
        'S1',
        `${this.name} has said nothing for ${((nowMs - this.#absentSinceMs) / 1000).toFixed(0)} s and counts as ready`,
      )
  }

  /** L6: a node is ready once its agent has joined and said what it holds. */
  #checkSight(durable: StateView): void {
    const { nowMs } = this.#world.time
    for (const id of this.runningAllocations()) {
      const allocation = durable.allocations.get(id)
      if (allocation?.ClientStatus !== 'unknown' || isServerTerminal(allocation)) {
        this.#unseenSinceMs.delete(id)
        continue
      }
      const sinceMs = this.#unseenSinceMs.get(id) ?? nowMs
      this.#unseenSinceMs.set(id, sinceMs)
      if (nowMs - sinceMs > JOINS_WITHIN_MS)
        throw new Violation('L6', `${allocation.Name} runs on ${this.name}, which is ready, and is still unknown`)
    }
  }

  /** I5: no process belongs to an allocation that the log never placed here. I7 by ground truth: nothing runs twice. */
  #checkProcesses(durable: StateView): void {
    const seen = new Set<string>()
    for (const run of this.#runs.values()) {
      if (run.exit !== undefined) continue
      const allocation = durable.allocations.get(run.allocationId)
      if (allocation !== undefined && allocation.NodeID !== this.nodeId)
        throw new Violation('I5', `${run.allocationId} runs on ${this.name} and belongs elsewhere`)
      if (seen.has(run.allocationId)) throw new Violation('I5', `two processes of ${run.allocationId} run on ${this.name}`)
      seen.add(run.allocationId)
    }
  }

  #comeBack(): void {
    this.isAlive = true
    this.startAgent()
  }

  #fingerprint() {
    const base = node({ ID: this.nodeId, Name: this.name, Datacenter: 'dc1', NodePool: 'default' })
    return {
      ...base,
      Drivers: { mock_driver: { Attributes: {}, Detected: true, Healthy: true, HealthDescription: '', UpdateTime: ZERO_TIME } },
      NodeResources: {
        ...base.NodeResources,
        Cpu: { CpuShares: CPU_MHZ, TotalCpuCores: 1, ReservableCpuCores: [0] },
        Memory: { MemoryMB: MEMORY_MB },
        Disk: { DiskMB: DISK_MB },
      },
    }
  }

  #driver(process: SimulatedProcess): Driver {
    const { time, random } = this.#world
    const runs = () => this.#runs
    const pause = () => new Promise<void>((resolve) => process.clock.after(1 + random.fraction() * 4, resolve))
    const find = (handle: TaskHandle) => runs().get(String(handle['key']))
    return {
      name: 'mock_driver',
      isolation: 'none',
      fingerprint: async () => ({
        Attributes: {},
        Detected: true,
        Healthy: true,
        HealthDescription: '',
        UpdateTime: ZERO_TIME,
        nodeAttributes: { 'driver.mock_driver': '1' },
      }),
      start: async (request) => {
        await pause()
        const key = runKey(request.allocation.ID, request.task.Name, request.attempt)
        const task = taskKey(request.allocation.ID, request.task.Name)
        const living = [...runs().values()].find((run) => run.task === task && run.exit === undefined)
        if (!runs().has(key) && living === undefined) this.#begin(key, task, request)
        await pause()
        return { key: runs().has(key) ? key : (living?.key ?? key) }
      },
      find: async (allocationId, taskName, attempt) => {
        const key = runKey(allocationId, taskName, attempt)
        return runs().has(key) ? { key } : undefined
      },
      attach: async (handle) => find(handle) !== undefined,
      wait: (handle) =>
        new Promise((resolve) => {
          const run = find(handle)
          const tell = (exit: TaskExit) => process.deliver(() => resolve(exit))
          if (run === undefined) tell({ exitCode: 0, signal: 0, isOutOfMemory: false, error: 'gone' })
          else if (run.exit !== undefined) tell(run.exit)
          else run.waiting.push(tell)
        }),
      signal: async (handle, name) => {
        const run = find(handle)
        // Some are slow to end, and some do not listen at all.
        if (run !== undefined && random.chance(0.9))
          time.after(random.fraction() * 400, () =>
            this.#endByAgent(run, { exitCode: 0, signal: name === 'SIGKILL' ? 9 : 15, isOutOfMemory: false }),
          )
      },
      kill: async (handle) => {
        const run = find(handle)
        if (run !== undefined) time.after(1, () => this.#endByAgent(run, { exitCode: 137, signal: 9, isOutOfMemory: false }))
      },
      clear: async (handle) => {
        const run = find(handle)
        if (run === undefined) return
        this.#endByAgent(run, { exitCode: 137, signal: 9, isOutOfMemory: false })
        runs().delete(run.key)
      },
      close: () => {},
      endUnclaimed: async (isClaimed) => {
        await pause()
        const unclaimed = [...runs().values()].filter(({ allocationId }) => !isClaimed(allocationId))
        for (const run of unclaimed) {
          this.#endByAgent(run, { exitCode: 137, signal: 9, isOutOfMemory: false })
          runs().delete(run.key)
        }
        return unclaimed.length
      },
      exec: async () => {
        throw new OrchestratorError('PROGRAM', 'nobody runs programs in this world')
      },
      stats: async () => ({ memoryBytes: 0, userTimeMs: 0, systemTimeMs: 0, pids: [] }),
    }
  }

  #begin(key: string, task: string, { allocation, config }: TaskStart): void {
    const { time } = this.#world
    this.#world.foldNow()
    if (!this.#world.wasPlaced(allocation.ID)) this.#world.fail(new Violation('P1', `${allocation.ID} was started and is not in the log`))
    // What was let in before the agent looked may still start, and start again.
    if (!this.#admitted.has(allocation.ID) && this.#diskFullMs !== undefined && time.nowMs - this.#diskFullMs > DISK_NOTICED_MS)
      this.#world.fail(new Violation('S2', `${allocation.Name} was started on ${this.name}, whose disk is full`))
    this.#admitted.add(allocation.ID)
    const run: Run = { key, task, allocationId: allocation.ID, startedMs: time.nowMs, exit: undefined, waiting: [], isOwnEnd: false }
    this.#runs.set(key, run)
    const runForMs = Number.parseInt(String(config['run_for'] ?? '0'), 10)
    const exitCode = Number(config['exit_code'] ?? 0)
    if (runForMs > 0) time.after(runForMs, () => end(run, { exitCode, signal: 0, isOutOfMemory: false }, true))
  }

  /** I12: whatever an agent ends is not wanted any more, or not on this node. */
  #endByAgent(run: Run, exit: TaskExit): void {
    if (run.exit !== undefined) return
    const allocation = this.#world.durable.allocations.get(run.allocationId)
    const isWanted = allocation !== undefined && !isServerTerminal(allocation) && !isClientTerminal(allocation)
    if (isWanted && this.#runs.has(run.key))
      this.#world.fail(new Violation('I12', `${allocation.Name} was ended on ${this.name} and is wanted there`))
    end(run, exit, false)
  }
}

function end(run: Run, exit: TaskExit, isOwnEnd: boolean): void {
  if (run.exit !== undefined) return
  run.exit = exit
  run.isOwnEnd = isOwnEnd
  for (const tell of run.waiting.splice(0)) tell(exit)
}

function runKey(allocationId: string, taskName: string, attempt: number): string {
  return `${taskKey(allocationId, taskName)} ${attempt}`
}

function taskKey(allocationId: string, taskName: string): string {
  return `${allocationId} ${taskName}`
}
