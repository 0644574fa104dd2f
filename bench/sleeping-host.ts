/** A host for benchmarks of many: the shipped agent with everything around it in memory, and tasks that sleep until they are ended. */
import { systemClock } from '../src/adapters/clock.js'
import { silentLogger } from '../src/adapters/logger.js'
import { systemRandom } from '../src/adapters/random.js'
import { Agent, type AgentDeps, type Driver, MemoryLocalStore, type TaskExit } from '../src/agent/index.js'
import { type Bus, OrchestratorError, ZERO_TIME } from '../src/domain/index.js'
import { fakeSigner, fakeVerify } from '../test/fake-keys.js'
import { node } from '../test/fixtures.js'
import { hollowHost } from '../test/hollow-host.js'

const absent = async () => {
  throw new OrchestratorError('NO_SUCH_FILE', 'there are no files here')
}
const HEALTHY = { Attributes: {}, Detected: true, Healthy: true, HealthDescription: '', UpdateTime: ZERO_TIME }

/** Who a host is to its server. */
export interface HostIdentity extends Pick<AgentDeps, 'nodeId' | 'signer' | 'verify'> {
  readonly publicKey: string
}

export class SleepingHost {
  readonly name: string
  readonly publicKey: string
  readonly nodeId: string
  readonly #connect: () => Bus
  readonly #identity: HostIdentity
  #agent: Agent | undefined
  #close: () => Promise<void> = async () => {}

  /** @param identity without it one that costs nothing */
  constructor(connect: () => Bus, name: string, identity = cheapIdentity(name)) {
    this.#connect = connect
    this.#identity = identity
    this.name = name
    this.publicKey = identity.publicKey
    this.nodeId = identity.nodeId
  }

  static nodeIdOf(publicKey: string): string {
    const hex = Buffer.from(publicKey).toString('hex').padStart(32, '0').slice(-32)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  start(): void {
    const bus = this.#connect()
    const { nodeId, signer, verify } = this.#identity
    const agent = new Agent({
      ...hollowHost(this.publicKey),
      nodeId,
      signer,
      verify,
      bus,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      store: new MemoryLocalStore(new Map(), async () => {}),
      drivers: [sleepingDriver()],
      fingerprint: async () => this.#fingerprint(),
      onFatal: (error) => {
        throw error
      },
    })
    this.#agent = agent
    this.#close = () => bus.close()
    void agent.start()
  }

  /** The power goes: nobody hears of it again. */
  async die(): Promise<void> {
    await this.#close()
    await this.#agent?.stop({ tasks: 'keep' })
  }

  #fingerprint() {
    const base = node({ ID: this.nodeId, Name: this.name, Datacenter: 'dc1', NodePool: 'default' })
    return { ...base, Drivers: { mock_driver: HEALTHY } }
  }
}

function cheapIdentity(name: string): HostIdentity {
  const publicKey = `KEY-${name}`
  return { publicKey, nodeId: SleepingHost.nodeIdOf(publicKey), signer: fakeSigner(publicKey), verify: fakeVerify }
}

function sleepingDriver(): Driver {
  const running = new Map<string, (exit: TaskExit) => void>()
  const ends = new Map<string, Promise<TaskExit>>()
  const end = (key: string, exitCode: number) => running.get(key)?.({ exitCode, signal: 0, isOutOfMemory: false })
  return {
    name: 'mock_driver',
    isolation: 'none',
    fingerprint: async () => ({ ...HEALTHY, nodeAttributes: { 'driver.mock_driver': '1' } }),
    start: async ({ allocation, task, attempt }) => {
      const key = `${allocation.ID}/${task.Name}/${attempt}`
      ends.set(key, new Promise((resolve) => running.set(key, resolve)))
      return { key }
    },
    find: async () => undefined,
    attach: async (handle) => ends.has(String(handle['key'])),
    wait: (handle) => ends.get(String(handle['key'])) ?? Promise.resolve({ exitCode: 1, signal: 0, isOutOfMemory: false, error: 'gone' }),
    signal: async (handle) => end(String(handle['key']), 0),
    kill: async (handle) => end(String(handle['key']), 137),
    clear: async (handle) => end(String(handle['key']), 137),
    close: () => {},
    endUnclaimed: async () => 0,
    exec: absent,
    stats: async () => ({ memoryBytes: 0, userTimeMs: 0, systemTimeMs: 0, pids: [] }),
  }
}
