/**
 * The whole system in one process on virtual time: the shipped `Server` and `Agent` on simulated clock, chance, log, bus, git and
 * driver. Everything that happens follows from the seed.
 */

import { InProcessJobReader, InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { decodeMessage, type MessageKind, type Messages, openPart, Reassembly } from '../../src/agent/index.js'
import { CommandReader, Server } from '../../src/controller/index.js'
import { isSilent } from '../../src/controller/silence.js'
import { type AllocationReport, type Clock, isClientTerminal, isDeploymentActive, SOURCE_DEFAULT } from '../../src/domain/index.js'
import { apply, type Command, State } from '../../src/state/index.js'
import {
  canariesOf,
  checkCapacity,
  checkConverged,
  checkDeployments,
  checkEpochs,
  checkEvaluations,
  checkNames,
  checkReplay,
  checkSummaries,
  checkTransition,
  Violation,
} from '../checkers.js'
import { fakeSigner, fakeVerify } from '../fake-keys.js'
import { OPEN_LIMITS } from '../fixtures.js'
import { Eavesdropper } from './eavesdropper.js'
import { LifecycleWitness } from './lifecycle-witness.js'
import { SeededRandom } from './seeded-random.js'
import { SimulatedRepository } from './simulated-git.js'
import { SimulatedHost } from './simulated-host.js'
import { type MessageWay, NO_NETWORK_FAULTS, SimulatedNetwork } from './simulated-network.js'
import { SimulatedProcess } from './simulated-process.js'
import type { SimulatedReader } from './simulated-reader.js'
import { VirtualTime } from './virtual-time.js'
import { isHostFile } from './workload.js'

/** More than a task has that does not listen when it is told to end. */
const AT_REST_MS = 7_000
const REST_WITHIN_MS = 90_000

export interface WorldOptions {
  readonly seed: number
  readonly hosts: number
  readonly rewind?: 'hold' | 'follow'
  /** How long a host may be silent is left to the server. */
  readonly isTtlBySize?: boolean
  /** Repositories that are followed beside the first, by the name of their source; they may say anything but hosts. */
  readonly repositories?: ReadonlyMap<string, SimulatedRepository>
  /** Before each Command that has become durable is applied. */
  readonly onCommand?: (command: Command) => void
  /** Whenever one has begun to lead. */
  readonly onServer?: (server: Server, process: SimulatedProcess) => void
}

export const REGION = 'global'
/** All servers of the world are one to its hosts. */
const SERVER_KEY = 'KEY-server'
const LEASE_MS = 3_000
const HEARTBEAT_TTL_MS = 10_000
/** Share of messages lost from which on silence may be chance. */
const LOSS_IN_DOUBT = 0.02
const SOURCE_POLL_MS = 2_000
/** So slow that its sender may have died and another taken the lead meanwhile. */
const SLOW_APPEND_MS_MAX = 8_000
/** Some slow tries. What waited for a pause of its leader may be older; what follows is not. */
const LOG_TIME_BEHIND_MS_MAX = 20_000
const LOG_TIME_CATCHES_UP_MS = 20_000
const SNAPSHOT_EVERY = 150
/** In some worlds nearly everything is larger than one entry of the log may be. */
const ENTRY_BYTES_SMALL = 1_500
const ENTRY_BYTES = 256 * 1024
const FULL_CHECK_EVERY_MS = 3_000
/** In some worlds what has ended is soon forgotten. */
const GARBAGE_SOON = { evaluationMs: 15_000, batchEvaluationMs: 20_000, jobMs: 20_000, deploymentMs: 15_000, nodeMs: 30_000 }

type RunningServer = { readonly process: SimulatedProcess; server: Server | undefined }

export class World {
  readonly random: SeededRandom
  readonly time: VirtualTime
  readonly network: SimulatedNetwork
  readonly stranger: Eavesdropper
  readonly repository = new SimulatedRepository()
  readonly hosts: SimulatedHost[] = []
  readonly readers: SimulatedReader[] = []
  readonly log: MemoryLogStore
  /** The fold of what is durable: the truth that outsiders are measured against. */
  readonly durable = new State()
  readonly lifecycle: LifecycleWitness
  readonly #commands = new CommandReader()
  readonly #wall: Clock
  readonly #options: WorldOptions
  readonly #servers: RunningServer[] = []
  readonly #epochs: { epoch: number; writer: string }[] = []
  /** What agents have said, by node and number, until the world ends. */
  readonly #reports = new Map<string, readonly AllocationReport[]>()
  /** Messages of several parts on their way, by who says what to whom. */
  readonly #overheard = new Map<string, Reassembly>()
  readonly #syntax = new InProcessSyntaxReader()
  /** Faults of the way to the log. */
  readonly logFaults = { requestLostShare: 0, answerLostShare: 0, slowShare: 0, crashShare: 0, delayMsMax: 3 }
  wallOffsetMs = 0
  isCalm = false
  #hasForgotten = false
  /** Also what was collected since, of which a host that is out of reach has not heard. */
  readonly #everPlaced = new Set<string>()
  readonly #everCanaries = new Set<string>()
  /** When the leader of this epoch wrote first, and how it was dated. */
  #logTime: { readonly epoch: number; readonly atMs: number; readonly nowMs: number; behindSinceMs: number | undefined } | undefined
  #fullCheckedMs = 0
  #changedMs = 0
  #serverNumber = 0
  #failure: unknown

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = new SeededRandom(options.seed)
    this.time = new VirtualTime(this.random)
    this.log = new MemoryLogStore(() => this.time.nowMs, LEASE_MS)
    const stranger = this.newProcess('stranger')
    this.network = new SimulatedNetwork(this.time, this.random, (from, subject, payload, kind) => {
      if (from === stranger) return
      if (!this.network.isCutOff(from)) this.stranger.hear(subject, payload, kind)
      this.#overhear(from, subject, payload, kind)
    })
    this.stranger = new Eavesdropper(this.network.busOf(stranger), this.random)
    this.durable.nodes.observe((before, after) => {
      if (after !== undefined && isSilent(after) && (before === undefined || !isSilent(before))) this.#checkSilence(after.ID)
    })
    this.durable.allocations.observe((before, after) => checkTransition(before, after))
    this.durable.allocations.observe((_before, _after, id) => this.#everPlaced.add(id))
    this.durable.deployments.observe((_before, after) => {
      for (const id of after === undefined ? [] : canariesOf(after)) this.#everCanaries.add(id)
    })
    this.lifecycle = new LifecycleWitness(this.durable, (violation) => this.fail(violation))
    this.#wall = this.newProcess('wall').clock
    for (let number = 1; number <= options.hosts; number++) this.hosts.push(new SimulatedHost(this, `n${number}`))
  }

  get leader(): Server | undefined {
    const living = this.#servers.filter(({ process, server }) => process.isAlive && server !== undefined && !server.leader.isStopped)
    return living.at(-1)?.server
  }

  /** As all processes see it. */
  get wallMs(): number {
    return this.#wall.wallMs()
  }

  /** Processes of servers that have not died, the oldest first. */
  get serverProcesses(): readonly SimulatedProcess[] {
    return this.#servers.filter(({ process }) => process.isAlive).map(({ process }) => process)
  }

  newProcess(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this.time, () => this.wallOffsetMs)
  }

  /** Starts one more server process; it leads as soon as the log lets it. */
  startServer(): void {
    const process = this.newProcess(`server-${++this.#serverNumber}`)
    const running: RunningServer = { process, server: undefined }
    this.#servers.push(running)
    const cross = () => ({
      delayMs: this.random.fraction() * (this.random.chance(this.logFaults.slowShare) ? SLOW_APPEND_MS_MAX : this.logFaults.delayMsMax),
      requestLost: this.random.chance(this.logFaults.requestLostShare),
      answerLost: this.random.chance(this.logFaults.answerLostShare),
    })
    const end = () => {
      process.kill()
      this.time.after(this.random.between(100, 3_000), () => this.serverProcesses.length === 0 && this.startServer())
    }
    const syntax = { read: (path: string, text: string) => this.#readSyntax(path, text), close: async () => {} }
    Server.start({
      log: new MemoryCommandLog(this.log, process.clock, cross, process.name, this.time),
      bus: this.network.busOf(process),
      sources: [[SOURCE_DEFAULT, this.repository] as const, ...(this.#options.repositories ?? [])].map(([id, repository]) => ({
        id,
        git: repository.sourceFor(process.clock),
        limits: id === SOURCE_DEFAULT ? undefined : OPEN_LIMITS,
        options: { rewind: this.#options.rewind ?? 'follow', ref: 'HEAD' },
        pollMs: SOURCE_POLL_MS,
      })),
      syntax,
      jobs: new InProcessJobReader(syntax),
      identities: { publicKeys: [], sign: async ({ sub }) => sub },
      clock: process.clock,
      random: this.random,
      logger: silentLogger,
      onStop: end,
      options: {
        ...(this.#options.seed % 2 === 0 ? { garbage: GARBAGE_SOON } : {}),
        leader: { snapshotEveryCommands: SNAPSHOT_EVERY, commandBytesMax: this.#options.seed % 3 === 1 ? ENTRY_BYTES_SMALL : ENTRY_BYTES },
        nodes: {
          region: REGION,
          ...(this.#options.isTtlBySize === true ? {} : { heartbeatTtlMs: HEARTBEAT_TTL_MS }),
          boundKeys: this.hosts.map((host) => ({ name: host.name, publicKey: host.publicKey })),
          signer: fakeSigner(SERVER_KEY),
          verify: fakeVerify,
          nextServerKeys: [],
          nodeIdOf: (publicKey) => SimulatedHost.nodeIdOf(publicKey),
        },
      },
    }).then(
      (server) => {
        running.server = server
        this.#options.onServer?.(server, process)
      },
      (error: unknown) => {
        if (!isLostLead(error)) this.#failure ??= error
        if (process.isAlive) end()
      },
    )
  }

  async #readSyntax(path: string, text: string): ReturnType<InProcessSyntaxReader['read']> {
    this.time.realWork++
    try {
      return await this.#syntax.read(path, text)
    } finally {
      this.time.realWork--
    }
  }

  /** kill -9 of every server; one starts again after a while. */
  crashServer(restartAfterMs: number): void {
    for (const { process } of this.#servers) process.kill()
    this.time.after(restartAfterMs, () => this.serverProcesses.length === 0 && this.startServer())
  }

  /** Lets virtual time pass; every event is followed by every check. */
  async run(forMs: number): Promise<void> {
    await this.time.runUntil(this.time.nowMs + forMs, () => this.#afterEvent())
  }

  /** I12: a node is called down only when its host was out of reach for a while. */
  #checkSilence(nodeId: string): void {
    const host = this.hosts.find((each) => each.nodeId === nodeId)
    this.#checkHearing(host?.name ?? nodeId)
    if (host === undefined || !host.isReachable) return
    const wellMs = this.time.nowMs - host.disturbedMs
    // Under heavy loss three beats in a row may go astray.
    if (this.#isLossInDoubt || wellMs < 2 * HEARTBEAT_TTL_MS) return
    this.fail(new Violation('I12', `${host.name} was well for ${(wellMs / 1000).toFixed(0)} s and is called down`))
  }

  /** I12: whoever was without the broker within the last TTL has no reason to call anybody silent. */
  #checkHearing(name: string): void {
    const leading = this.#servers.find(({ server }) => server?.leader.epoch === this.durable.epoch)
    if (leading === undefined) return
    const hearingMs = this.time.nowMs - this.network.deafMs(leading.process)
    if (hearingMs >= HEARTBEAT_TTL_MS - LEASE_MS) return
    this.fail(new Violation('I12', `${name} is called silent by a server that was without the broker until ${hearingMs.toFixed(0)} ms ago`))
  }

  /** The broker is away for everyone, or for the servers alone. */
  loseBroker(forMs: number, isForEveryone: boolean): void {
    for (const process of this.serverProcesses) this.network.cutOff(process, forMs)
    if (isForEveryone) for (const host of this.hosts) host.cutOff(forMs)
  }

  /** Until nothing has become durable for a while: what was told to end may take its time, and what waits for its room, too. */
  async rest(): Promise<void> {
    const endMs = this.time.nowMs + REST_WITHIN_MS
    while (this.time.nowMs < endMs && this.time.nowMs - this.#changedMs < AT_REST_MS) await this.run(1_000)
  }

  /** Everything that must be true once faults have stopped and all had their time. */
  checkConverged(): void {
    const server = this.leader
    if (server === undefined) throw new Violation('L6', 'nobody leads')
    this.#checkFully(server)
    const living = this.hosts.filter((host) => host.isAlive)
    checkConverged({
      state: this.durable,
      headCommit: this.repository.head!,
      wantedJobs: new Set([this.repository, ...(this.#options.repositories?.values() ?? [])].flatMap(jobIdsIn)),
      running: new Map(living.map((host) => [host.nodeId, host.runningAllocations()])),
      livingNodes: new Set(living.map((host) => host.nodeId)),
      declared: this.#declaredClasses(),
    })
  }

  /** What the head says of the hosts that it declares, in the order in which they are bound to its files. */
  #declaredClasses(): ReadonlyMap<string, string> {
    const texts = this.repository
      .pathsIn('agents')
      .filter(isHostFile)
      .map((path) => this.repository.text(path)!)
    return new Map(texts.map((text, at) => [this.hosts[at]!.nodeId, /class = "(.*)"/.exec(text)![1]!]))
  }

  #afterEvent(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#foldNew()) {
      checkNames(this.durable, this.#everCanaries)
      checkEvaluations(this.durable, this.time.nowMs)
      this.lifecycle.checkForgotten()
      // Between what is durable and the answer that says so.
      if (this.random.chance(this.logFaults.crashShare)) this.crashServer(this.random.between(50, 6_000))
    }
    if (this.time.nowMs - this.#fullCheckedMs < FULL_CHECK_EVERY_MS) return
    this.#fullCheckedMs = this.time.nowMs
    const server = this.leader
    if (server !== undefined) this.#checkFully(server)
    const isDeaf = this.serverProcesses.some((process) => this.network.isCutOff(process))
    const isServed = server !== undefined && !this.isPaused() && !isDeaf
    for (const host of this.hosts) host.check(this.durable, isServed)
  }

  #checkFully(server: Server): void {
    checkCapacity(this.durable)
    checkDeployments(this.durable)
    checkSummaries(this.durable, this.#hasForgotten)
    checkEpochs(this.#epochs)
    if (server.leader.epoch === this.durable.epoch) checkReplay(this.durable, server.leader.state)
  }

  /** Applies what has become durable since the last look. */
  #foldNew(): boolean {
    let isNew = false
    for (const record of this.log.records) {
      if (record.firstIndex <= this.durable.index) continue
      isNew = true
      this.#epochs.push({ epoch: record.epoch, writer: this.log.writers.get(record.hash) ?? '' })
      for (const command of this.#commands.read(record)) {
        if (command.kind !== 'leadership-confirm') this.#changedMs = this.time.nowMs
        if (command.kind === 'allocation-update') this.#checkTakenOnce(command)
        if (command.kind === 'garbage-collect') this.#hasForgotten = true
        this.#checkLogTime(record.epoch, command.atMs)
        this.lifecycle.checkCommand(command)
        this.#options.onCommand?.(command)
        apply(this.durable, this.durable.index + 1, command)
      }
    }
    return isNew
  }

  /** T1: whatever becomes of the wall clock, the time that Commands are dated by never falls behind under one leader. */
  #checkLogTime(epoch: number, atMs: number): void {
    const { nowMs } = this.time
    if (this.#logTime?.epoch !== epoch) this.#logTime = { epoch, atMs, nowMs, behindSinceMs: undefined }
    const behindMs = nowMs - this.#logTime.nowMs - (atMs - this.#logTime.atMs)
    this.#logTime.behindSinceMs = behindMs > LOG_TIME_BEHIND_MS_MAX ? (this.#logTime.behindSinceMs ?? nowMs) : undefined
    if (nowMs - (this.#logTime.behindSinceMs ?? nowMs) > LOG_TIME_CATCHES_UP_MS)
      this.fail(new Violation('T1', `the log is dated ${behindMs.toFixed(0)} ms behind the time`))
  }

  /** P1: whatever leaves a server tells only of what is durable. */
  #overhear(from: SimulatedProcess, subject: string, payload: Uint8Array, kind: MessageWay): void {
    const isServer = from.name.startsWith('server')
    const nodeId = subject.split('.').at(-2)!
    if (!isServer && subject.endsWith('.report')) {
      const report = this.#overhearWhole(from, payload, 'report')
      if (report !== undefined) this.#reports.set(`${nodeId} ${report.number}`, report.reports)
    }
    if (!isServer) return
    this.#foldNew()
    if (kind === 'response' || subject.endsWith('.answer')) return this.#overhearAnswer(from, nodeId, payload)
    const set = this.#overhearWhole(from, payload, 'desired')
    if (set === undefined) return
    if (set.version > this.durable.index)
      this.fail(new Violation('P1', `a desired set of version ${set.version} left at durable index ${this.durable.index}`))
    for (const [id] of set.entries) this.#expectDurable(id, 'was shown to an agent')
  }

  /** The message that this part completes, as far as it is of that kind. */
  #overhearWhole<Kind extends MessageKind>(from: SimulatedProcess, payload: Uint8Array, kind: Kind): Messages[Kind] | undefined {
    const part = openPart(payload, fakeVerify)
    if (part.kind !== kind) return undefined
    const key = `${from.name} ${part.nodeId} ${kind}`
    const parts = this.#overheard.get(key) ?? new Reassembly()
    this.#overheard.set(key, parts)
    const body = parts.add(part)
    return body === undefined ? undefined : decodeMessage(kind, body, part)
  }

  #overhearAnswer(from: SimulatedProcess, nodeId: string, payload: Uint8Array): void {
    const beat = this.#overhearWhole(from, payload, 'heartbeat-response')
    if (beat !== undefined && Math.max(beat.version, beat.index) > this.durable.index)
      this.fail(
        new Violation('P1', `a heartbeat was told of index ${Math.max(beat.version, beat.index)}, durable is ${this.durable.index}`),
      )
    for (const [id] of this.#overhearWhole(from, payload, 'pull-response')?.entries ?? []) this.#expectDurable(id, 'was pulled by an agent')
    const taken = this.#overhearWhole(from, payload, 'report-response')
    if (taken?.isKnown !== true) return
    for (const report of this.#reports.get(`${nodeId} ${taken.number}`) ?? []) this.#expectReported(nodeId, taken.number, report)
  }

  /**
   * An acknowledged report is in the log: with what it said, or with an end that came before, or a later one is there already, or
   * the host fell silent since.
   */
  #expectReported(nodeId: string, number: number, { ID, ClientStatus }: AllocationReport): void {
    const allocation = this.durable.allocations.get(ID)
    if (allocation?.NodeID !== nodeId) return
    const newest = this.durable.nodeReports.get(nodeId)?.number ?? 0
    if (newest < number) this.fail(new Violation('P1', `report ${number} of ${nodeId} was acknowledged, the log knows ${newest}`))
    if (newest > number || isClientTerminal(allocation) || allocation.ClientStatus === ClientStatus) return
    const node = this.durable.nodes.get(nodeId)
    if (allocation.ClientStatus === 'unknown' && (node === undefined || isSilent(node))) return
    this.fail(new Violation('P1', `${ClientStatus} of ${ID} was acknowledged, the log says ${allocation.ClientStatus}`))
  }

  /** P1: the log takes each report of a node once and in order. */
  #checkTakenOnce({ nodeId, number }: Extract<Command, { kind: 'allocation-update' }>): void {
    const newest = this.durable.nodeReports.get(nodeId)?.number ?? 0
    if (number !== undefined && number <= newest) this.fail(new Violation('P1', `report ${number} of ${nodeId} was taken after ${newest}`))
  }

  #expectDurable(allocationId: string, what: string): void {
    if (this.wasPlaced(allocationId)) return
    this.fail(new Violation('P1', `allocation ${allocationId} ${what} and is not in the log`))
  }

  /** Whether the log has ever placed it. */
  wasPlaced(allocationId: string): boolean {
    return this.#everPlaced.has(allocationId)
  }

  get #isLossInDoubt(): boolean {
    const { lossShare, lateShare } = this.network.faults
    return lossShare + lateShare > LOSS_IN_DOUBT
  }

  /** Any of them, as long as another one lives. */
  loseHost(returnAfterMs?: number, isDiskLost = false): void {
    if (this.hosts.filter((host) => host.isAlive).length > 1) this.random.pick(this.hosts).die(returnAfterMs, isDiskLost)
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    this.isCalm = true
    if (this.#isLossInDoubt) for (const host of this.hosts) host.disturbedMs = this.time.nowMs
    Object.assign(this.network.faults, NO_NETWORK_FAULTS)
    Object.assign(this.logFaults, { requestLostShare: 0, answerLostShare: 0, slowShare: 0, crashShare: 0, delayMsMax: 3 })
    for (const host of this.hosts) {
      host.reconnect()
      host.makeRoom()
    }
    for (const process of this.serverProcesses) this.network.reconnect(process)
  }

  isRollingOut(): boolean {
    return this.durable.deployments.all().some(isDeploymentActive)
  }

  isPaused(): boolean {
    return this.serverProcesses.some((process) => process.isPaused)
  }

  /** The newest epoch that anybody has led under, or is about to. */
  get epochMax(): number {
    return Math.max(this.log.epoch, ...this.#servers.map(({ server }) => server?.leader.epoch ?? 0))
  }

  /** Brings the fold of the log up to this very moment. */
  foldNow(): void {
    this.#foldNew()
  }

  /** Kept, and thrown when the event is over: never inside the code that is watched. */
  fail(error: unknown): void {
    this.#failure ??= error
  }
}

/** Losing the lead while starting is a fault of the world, not of the product. */
function isLostLead(error: unknown): boolean {
  return (error as { code?: string }).code === 'NO_LEADER'
}

export function jobIdsIn(repository: SimulatedRepository): readonly string[] {
  return repository.pathsIn('jobs').map((path) => (JSON.parse(repository.text(path)!) as { Job: { ID: string } }).Job.ID)
}
