/** One agent on a simulated host, and a server that says what the test tells it to say. */
import { MockDriver, MockHost } from '../../src/adapters/drivers/mock/mock-driver.js'
import { InProcessHub } from '../../src/adapters/in-process-bus/in-process-bus.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryAllocationDirectories, noFiles } from '../../src/adapters/memory/allocation-directories.js'
import { memoryHookPorts } from '../../src/adapters/memory/hook-ports.js'
import {
  AGENT_DEFAULTS,
  Agent,
  type DataFound,
  type DataQuestion,
  type DataRequest,
  type DataResponse,
  type DesiredSet,
  type Direction,
  type DiskShare,
  dataKey,
  decodeMessage,
  encodeMessage,
  type HookPorts,
  hashEntries,
  type IdentityRequest,
  MemoryLocalStore,
  type MessageKind,
  type Messages,
  openPart,
  type QuestionKind,
  Reassembly,
  type RegisterRequest,
  type RegisterResponse,
  refuseExpressions,
  type SealedPart,
  sealMessage,
  subjects,
} from '../../src/agent/index.js'
import type { Allocation, AllocationReport, Bus, Clock, Job, Node } from '../../src/domain/index.js'
import { fakeSigner, fakeVerify } from '../fake-keys.js'
import { allocation, job, node, task, taskGroup } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { HandClock, settle } from './hand-clock.js'

export const CLUSTER = 'cluster-1'
export const SERVER_KEY = 'server-key'
const REGION = 'global'
/** Several writes that follow from each other. */
const SETTLED_AFTER_MS = 50

export interface Wanted {
  readonly allocation: Allocation
  readonly job: Job
}

/** Answers everything as a leader would, of the epoch and with the set that it is given. */
export class FakeServer {
  readonly bus: Bus
  readonly node: Node
  epoch = 1
  clusterId = CLUSTER
  version = 1
  wanted: readonly Wanted[] = []
  isSilent = false
  acknowledgesReports = true
  /** What is said to a host that wants to join; nothing where undefined. */
  answerRegister: (request: RegisterRequest) => RegisterResponse | undefined = () => this.accepted()
  readonly reports: AllocationReport[] = []
  readonly reportNumbers: number[] = []
  registered: RegisterRequest | undefined
  registerCount = 0
  pullCount = 0
  key = SERVER_KEY
  nextKeys: readonly string[] = []
  session = ''
  isDeclared = true
  /** Of tokens; 0: they last. */
  identityTtlMs = 0
  readonly signed: IdentityRequest[] = []
  /** Of what has ended. */
  readonly forgotten = new Set<string>()
  messageBytesMax = 1_000_000

  readonly #variables = new Map<string, Readonly<Record<string, string>>>()
  #dataVersion = 1
  readonly #heldData: (() => void)[] = []

  constructor(bus: Bus, thisNode: Node, clock: Pick<Clock, 'wallMs'>) {
    this.bus = bus
    this.node = thisNode
    this.#answers('data', (request) => this.#answerData(request))
    this.#answers('identity', (request) => {
      this.signed.push(request)
      const expiresMs = this.identityTtlMs === 0 ? null : clock.wallMs() + this.identityTtlMs
      const tokens = request.identities.map((identity) => ({ identity, token: `${identity} ${this.signed.length}`, expiresMs }))
      return { ...this.#envelope(), kind: 'signed', tokens }
    })
    this.#answers('ended', ({ ids }) => ({ ...this.#envelope(), forgotten: ids.filter((id) => this.forgotten.has(id)) }))
    this.#answers('register', (request) => {
      this.registered = request
      this.registerCount++
      return this.answerRegister(request)
    })
    this.#answers('heartbeat', () => {
      return {
        ...this.#envelope(),
        version: this.version,
        index: this.version,
        isKnown: true,
        isDeclared: this.isDeclared,
        heartbeatTtlMs: 3_000,
        serverKeys: this.keys,
      }
    })
    this.#answers('pull', () => {
      this.pullCount++
      return this.set()
    })
    this.#answers('report', (request) => {
      if (!this.acknowledgesReports) return undefined
      this.reports.push(...request.reports)
      this.reportNumbers.push(request.number)
      return { ...this.#envelope(), number: request.number, isKnown: true }
    })
  }

  /** Variables of the namespace that is asked for; whoever waits for them hears of it. */
  setVariable(path: string, items: Readonly<Record<string, string>> | null): void {
    this.#dataVersion++
    if (items === null) this.#variables.delete(path)
    else this.#variables.set(path, items)
    for (const hear of this.#heldData.splice(0)) hear()
  }

  async #answerData({ questions }: DataRequest): Promise<DataResponse> {
    const version = () => String(this.#dataVersion)
    if (questions.every(([, known]) => known === version())) await new Promise<void>((resolve) => this.#heldData.push(resolve))
    const answers = questions.map(([question]) => ({ key: dataKey(question), version: version(), found: this.#findData(question) }))
    return { ...this.#envelope(), answers }
  }

  #findData(question: DataQuestion): DataFound {
    const Items = question.kind === 'variable' ? this.#variables.get(question.path) : undefined
    if (Items === undefined || question.kind !== 'variable') return { kind: 'absent' }
    const row = { Namespace: question.namespace, Path: question.path, Items, CreateIndex: 1, ModifyIndex: 1, CreateTime: 0, ModifyTime: 0 }
    return { kind: 'variable', variable: row }
  }

  #answers<Kind extends QuestionKind>(
    kind: Kind,
    answer: (request: Messages[Kind]) => Messages[`${Kind}-response`] | undefined | Promise<Messages[`${Kind}-response`]>,
  ): void {
    const subject = subjects(REGION)
    const parts = new Reassembly()
    this.bus.subscribe(subject[kind]('*'), (message) => {
      if (this.isSilent) return
      const part = openPart(message.payload, fakeVerify)
      this.session = part.session
      const body = parts.add(part)
      if (body === undefined) return
      const respond = (response: Messages[`${Kind}-response`]) => {
        const [first, ...rest] = this.seal(`${kind}-response`, response, part)
        if (part.parts === 1) message.respond(first!)
        for (const later of part.parts === 1 ? rest : [first!, ...rest]) this.bus.publish(subject.answer(this.node.ID), later)
      }
      const response = answer(decodeMessage(kind, body, part))
      if (response instanceof Promise) void response.then(respond)
      else if (response !== undefined) respond(response)
    })
  }

  /** Sealed as a server would; `over` makes it as no server would. */
  seal<Kind extends MessageKind>(
    kind: Kind,
    message: Messages[Kind],
    about: Pick<SealedPart, 'session' | 'number'>,
    over: Partial<SealedPart> & { readonly key?: string } = {},
  ): readonly Uint8Array[] {
    const { clusterId, epoch } = message
    const direction: Direction = 'to-host'
    const seal = { kind, clusterId, epoch, direction, nodeId: this.node.ID, session: about.session, number: about.number, ...over }
    return sealMessage(fakeSigner(over.key ?? this.key), seal, encodeMessage(kind, message), this.messageBytesMax)
  }

  #envelope() {
    return { clusterId: this.clusterId, epoch: this.epoch }
  }

  get keys(): readonly string[] {
    return [this.key, ...this.nextKeys]
  }

  challenge(): RegisterResponse {
    return { ...this.#envelope(), kind: 'challenge', nonce: 'prove it' }
  }

  accepted(): RegisterResponse {
    return { ...this.#envelope(), kind: 'accepted', index: this.version, heartbeatTtlMs: 3_000, node: this.node, serverKeys: this.keys }
  }

  set(over: Partial<DesiredSet> = {}): DesiredSet {
    const entries = this.wanted.map(({ allocation: wanted }) => {
      return [wanted.ID, wanted.AllocModifyIndex, wanted.DesiredStatus === 'run' ? 'run' : 'stop'] as const
    })
    return {
      ...this.#envelope(),
      nodeId: this.node.ID,
      version: this.version,
      baseVersion: 0,
      count: entries.length,
      hash: hashEntries(entries),
      entries,
      bodies: this.wanted.map(({ allocation: wanted }) => wanted),
      jobs: this.wanted.map((wanted) => wanted.job),
      ...over,
    }
  }

  /** Says the newest set, one version later. */
  publish(wanted: readonly Wanted[] = this.wanted): void {
    this.wanted = wanted
    this.version++
    this.send(this.set())
  }

  send(set: DesiredSet): void {
    for (const part of this.seal('desired', set, { session: '', number: set.version })) this.sendBytes(part)
  }

  sendBytes(payload: Uint8Array): void {
    this.bus.publish(subjects(REGION).desired(this.node.ID), payload)
  }

  lastReport(allocationId: string): AllocationReport | undefined {
    return this.reports.findLast(({ ID }) => ID === allocationId)
  }
}

export class AgentHarness {
  readonly clock = new HandClock()
  readonly hub = new InProcessHub(this.clock)
  readonly host = new MockHost(this.clock)
  readonly node: Node
  /** As it finds itself, where that is not what it is declared as. */
  found: Node | undefined
  readonly server: FakeServer
  readonly rows = new Map<string, unknown>()
  /** What hooks wrote, by path. */
  readonly written = new Map<string, Uint8Array>()
  hookPorts: HookPorts = memoryHookPorts(this.written)
  readonly folders = new Set<string>()
  readonly directories = new MemoryAllocationDirectories(this.folders)
  readonly failures: unknown[] = []
  readonly refusals: string[] = []
  serverKeys: readonly string[] = []
  diskProblem: string | null = null
  diskShare: DiskShare = { usedPercent: 0, inodesUsedPercent: 0 }
  readonly random = new SeededRandom(7)
  agent!: Agent
  #life = { isAlive: true, bus: undefined as Bus | undefined }

  constructor(over: Partial<Node> = {}) {
    this.node = node({ ID: 'node-1', ...over })
    this.server = new FakeServer(this.hub.connect(), this.node, this.clock)
  }

  async start(): Promise<this> {
    const bus = this.hub.connect()
    const life = { isAlive: true, bus }
    this.#life = life
    const clock = {
      wallMs: () => this.clock.wallMs(),
      monotonicMs: () => this.clock.monotonicMs(),
      after: (delayMs: number, callback: () => void) => this.clock.after(delayMs, () => (life.isAlive ? callback() : undefined)),
    }
    this.agent = new Agent({
      nodeId: this.node.ID,
      bus,
      clock,
      random: this.random,
      logger: silentLogger,
      store: new MemoryLocalStore(this.rows, () => (life.isAlive ? Promise.resolve() : new Promise(() => {}))),
      directories: this.directories,
      files: noFiles,
      drivers: [new MockDriver(this.host, { isAlive: () => life.isAlive })],
      fingerprint: async () => this.found ?? this.node,
      hostUsage: () => Promise.reject(new Error('not measured')),
      diskShare: async () => this.diskShare,
      diskProblem: () => this.diskProblem,
      signer: fakeSigner('key'),
      verify: fakeVerify,
      serverKeys: this.serverKeys,
      templates: refuseExpressions,
      hookPorts: this.hookPorts,
      options: { ...AGENT_DEFAULTS, collection: { ...AGENT_DEFAULTS.collection, endedMax: 1 } },
      onFatal: (error) => this.failures.push(error),
      onRefused: (reason) => this.refusals.push(reason),
    })
    await this.agent.start()
    await this.settle()
    return this
  }

  /** Until everything that waits for nothing but its being written down has happened. */
  async settle(): Promise<void> {
    await this.clock.advance(SETTLED_AFTER_MS)
  }

  /** kill -9: nothing of this life has an effect any more. */
  async kill(): Promise<void> {
    this.#life.isAlive = false
    await this.#life.bus?.close()
    await settle()
  }

  /** Of the newest process of a task. */
  environmentOf(taskName: string): Readonly<Record<string, string>> | undefined {
    return [...this.host.processes.values()].findLast((process) => process.taskName === taskName)?.environment
  }

  /** Of the agent's life that was heard last. */
  sessionHeard(): string {
    return this.server.session
  }

  running(): readonly string[] {
    return this.host.running().map(({ runId }) => runId)
  }
}

export function wanted(
  number: number,
  over: Partial<Allocation> = {},
  tasks = [mockTask()],
  group: Partial<Job['TaskGroups'][number]> = {},
): Wanted {
  const ID = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
  const groups = [taskGroup({ Name: 'web', Tasks: tasks, ...group })]
  const ofJob = job({ ID: 'hello', TaskGroups: groups, Version: 0, CreateIndex: 5 })
  const AllocatedResources = {
    Tasks: Object.fromEntries(tasks.map(({ Name }) => [Name, resources(100, 64)])),
    TaskLifecycles: null,
    Shared: { Networks: null, DiskMB: 10, Ports: null },
  }
  const ofIt = allocation({
    ID,
    NodeID: 'node-1',
    JobID: ofJob.ID,
    Namespace: ofJob.Namespace,
    JobCreateIndex: ofJob.CreateIndex,
    JobVersion: ofJob.Version,
    TaskGroup: 'web',
    Name: `hello.web[${number}]`,
    AllocModifyIndex: 10,
    CreateIndex: 10 + number,
    DesiredStatus: 'run',
    ClientStatus: 'pending',
    AllocatedResources,
    ...over,
  })
  return { allocation: ofIt, job: ofJob }
}

export function resources(cpuMhz: number, memoryMb: number) {
  return {
    Cpu: { CpuShares: cpuMhz, ReservedCores: null },
    Memory: { MemoryMB: memoryMb, MemoryMaxMB: 0 },
    Networks: null,
    Devices: null,
  }
}

export function mockTask(over: Parameters<typeof task>[0] = {}) {
  return task({ Name: 'main', Driver: 'mock_driver', Config: {}, ...over })
}

/** The same allocation, told to stop. */
export function stopped({ allocation: before, job: ofJob }: Wanted, modifyIndex: number): Wanted {
  return { allocation: { ...before, DesiredStatus: 'stop', AllocModifyIndex: modifyIndex }, job: ofJob }
}
