/**
 * A host of a virtual cluster: the shipped `Agent` on a simulated disk and a driver whose tasks are scripts on virtual time. What runs on
 * it outlives the agent.
 */
import { posix } from 'node:path'
import { silentLogger } from '../../../src/adapters/logger.js'
import { memoryHookPorts } from '../../../src/adapters/memory/hook-ports.js'
import {
  Agent,
  type AllocationDirectories,
  type Driver,
  type HookPorts,
  MemoryLocalStore,
  type TaskDirectories,
  type TaskHandle,
  type TaskStart,
} from '../../../src/agent/index.js'
import { type Node, OrchestratorError, type Random, ZERO_TIME } from '../../../src/domain/index.js'
import { evaluateTemplate, taskRefusal } from '../../../src/jobspec/index.js'
import { node } from '../../fixtures.js'
import { hollowHost } from '../../hollow-host.js'
import { SimulatedHost } from '../../simulation/simulated-host.js'
import type { SimulatedNetwork } from '../../simulation/simulated-network.js'
import type { SimulatedProcess } from '../../simulation/simulated-process.js'
import type { VirtualTime } from '../../simulation/virtual-time.js'
import type { StoryNode } from '../story.js'
import type { VirtualDisk } from './disk.js'
import type { VirtualFixture } from './fixture.js'
import { NeedsProcesses, parseScript } from './script.js'
import { ScriptRun } from './script-run.js'

export interface VirtualHostDeps {
  readonly node: StoryNode
  readonly disk: VirtualDisk
  readonly fixture: VirtualFixture
  readonly time: VirtualTime
  readonly random: Random
  readonly network: SimulatedNetwork
  readonly newProcess: (name: string) => SimulatedProcess
  readonly onTrouble: (error: unknown) => void
}

interface Run {
  readonly key: string
  readonly task: string
  readonly allocationId: string
  readonly script: ScriptRun
}

/** What recorded hosts had where their story does not say. */
const CPU_MHZ = 2_000
const MEMORY_MB = 1_000
const SIGNALS = 'SIGHUP,SIGINT,SIGKILL,SIGTERM,SIGUSR1,SIGUSR2'
/** As long as the recorded hosts took to start a task. */
const START_MS = 100
const WRITE_MS = 1
/** The one program that is there. */
const SHELL = '/bin/sh'

export class VirtualHost {
  readonly name: string
  readonly publicKey: string
  readonly nodeId: string
  readonly #deps: VirtualHostDeps
  readonly #books = new Map<string, unknown>()
  readonly #runs = new Map<string, Run>()
  #process: SimulatedProcess | undefined
  #agent: Agent | undefined
  #generation = 0

  constructor(deps: VirtualHostDeps) {
    this.#deps = deps
    this.name = deps.node.name
    this.publicKey = `KEY-${this.name}`
    this.nodeId = SimulatedHost.nodeIdOf(this.publicKey)
  }

  get folder(): string {
    return `/data/${this.name}`
  }

  start(): void {
    const { network, random, onTrouble } = this.#deps
    const process = this.#deps.newProcess(`${this.name}-agent-${++this.#generation}`)
    const agent = new Agent({
      ...hollowHost(this.publicKey),
      nodeId: this.nodeId,
      bus: network.busOf(process),
      clock: process.clock,
      random,
      logger: silentLogger,
      store: new MemoryLocalStore(this.#books, () => new Promise((resolve) => process.clock.after(WRITE_MS, resolve))),
      drivers: [this.#driver(process)],
      directories: this.#directories(),
      fingerprint: async () => this.#fingerprint(),
      templates: evaluateTemplate,
      hookPorts: this.#hookPorts(),
      onFatal: (error) => process.isAlive && onTrouble(error),
    })
    this.#process = process
    this.#agent = agent
    agent.start().catch((error: unknown) => process.isAlive && onTrouble(error))
  }

  kill(): void {
    this.#process?.kill()
  }

  async terminate(): Promise<void> {
    await this.#agent?.stop({ tasks: 'keep' })
    this.kill()
  }

  freeze(): void {
    this.#process?.freeze()
  }

  thaw(): void {
    this.#process?.thaw()
  }

  /** And of their supervisors, so that nobody knows how they ended. */
  killTaskProcesses(): void {
    for (const { script } of this.#runs.values()) script.signal('SIGKILL')
    this.#runs.clear()
  }

  #fingerprint(): Node {
    const { cpu, memory } = this.#deps.node
    const base = node({ ID: this.nodeId, Name: this.name, NodePool: 'default' })
    const resources = base.NodeResources
    return {
      ...base,
      Attributes: { ...base.Attributes, 'unique.hostname': this.name, 'driver.raw_exec': '1', 'os.signals': SIGNALS },
      Drivers: { raw_exec: { Attributes: {}, Detected: true, Healthy: true, HealthDescription: 'Healthy', UpdateTime: ZERO_TIME } },
      NodeResources: {
        ...resources,
        Cpu: { ...resources.Cpu, CpuShares: cpu ?? CPU_MHZ },
        Memory: { MemoryMB: memory ?? MEMORY_MB },
      },
    }
  }

  #directories(): AllocationDirectories {
    const { disk } = this.#deps
    const of = (id: string, task: string): TaskDirectories => {
      const folder = this.allocationFolder(id)
      const shared = `${folder}/alloc`
      const own = `${folder}/${task}`
      return { task: own, local: `${own}/local`, secrets: `${own}/secrets`, shared, logs: `${shared}/logs` }
    }
    return {
      of,
      create: async ({ ID }, tasks) => {
        disk.makeFolder(this.allocationFolder(ID))
        for (const { Name } of tasks) for (const folder of Object.values(of(ID, Name))) disk.makeFolder(folder)
        disk.makeFolder(`${this.allocationFolder(ID)}/alloc/data`)
      },
      inherit: async (fromId, toId, tasks) => {
        disk.move(`${this.allocationFolder(fromId)}/alloc/data`, `${this.allocationFolder(toId)}/alloc/data`)
        for (const { Name } of tasks) disk.move(of(fromId, Name).local, of(toId, Name).local)
      },
      forgetSecrets: async (id) => {
        for (const path of disk.below(this.allocationFolder(id))) if (path.includes('/secrets/')) disk.remove(path)
      },
      remove: async (id) => disk.remove(this.allocationFolder(id)),
      list: async () => {
        const beginning = `${this.folder}/alloc/`
        return [...new Set(disk.below(`${this.folder}/alloc`).map((path) => path.slice(beginning.length).split('/')[0]!))]
      },
    }
  }

  allocationFolder(id: string): string {
    return `${this.folder}/alloc/${id}`
  }

  #hookPorts(): HookPorts {
    const { disk, fixture, onTrouble } = this.#deps
    const needs = async (what: string): Promise<never> => {
      onTrouble(new NeedsProcesses(what))
      throw new OrchestratorError('PROGRAM', what)
    }
    return {
      ...memoryHookPorts(),
      refusalOf: taskRefusal,
      checks: fixture.checks,
      artifacts: { download: () => needs('it fetches artifacts') },
      files: {
        write: async ({ root, path, content }) => {
          const full = posix.join(root, path)
          const text = new TextDecoder().decode(content)
          const isNew = disk.read(full) !== text
          disk.write(full, text)
          return isNew
        },
        read: async (root, path) => {
          const text = disk.read(posix.join(root, path))
          if (text === undefined) throw new OrchestratorError('NO_SUCH_FILE', `${path} does not exist`, { path })
          return new TextEncoder().encode(text)
        },
        link: () => needs('it has volumes'),
      },
    }
  }

  #driver(process: SimulatedProcess): Driver {
    const pause = () => new Promise<void>((resolve) => process.clock.after(START_MS, resolve))
    const find = (handle: TaskHandle) => this.#runs.get(String(handle.key))
    return {
      name: 'raw_exec',
      isolation: 'none',
      fingerprint: async () => ({
        Attributes: {},
        Detected: true,
        Healthy: true,
        HealthDescription: 'Healthy',
        UpdateTime: ZERO_TIME,
        nodeAttributes: { 'driver.raw_exec': '1' },
      }),
      start: async (request) => {
        await pause()
        return { key: this.#begin(request).key }
      },
      find: async (allocationId, taskName, attempt) => {
        const key = `${allocationId} ${taskName} ${attempt}`
        return this.#runs.has(key) ? { key } : undefined
      },
      attach: async (handle) => find(handle) !== undefined,
      wait: (handle) =>
        new Promise((resolve) => {
          const run = find(handle)
          if (run === undefined) resolve({ exitCode: -1, signal: 0, isOutOfMemory: false, error: 'gone' })
          else void run.script.wait().then((exit) => process.deliver(() => resolve(exit)))
        }),
      signal: async (handle, name) => find(handle)?.script.signal(name),
      kill: async (handle) => find(handle)?.script.signal('SIGKILL'),
      clear: async (handle) => {
        find(handle)?.script.signal('SIGKILL')
        this.#runs.delete(String(handle.key))
      },
      close: () => {},
      endUnclaimed: async (isClaimed) => {
        const unclaimed = [...this.#runs.values()].filter(({ allocationId }) => !isClaimed(allocationId))
        for (const { key, script } of unclaimed) {
          script.signal('SIGKILL')
          this.#runs.delete(key)
        }
        return unclaimed.length
      },
      exec: async () => {
        this.#deps.onTrouble(new NeedsProcesses('it runs programs beside its tasks'))
        throw new OrchestratorError('PROGRAM', 'there are no programs here')
      },
      stats: async () => ({ memoryBytes: 0, userTimeMs: 0, systemTimeMs: 0, pids: [] }),
    }
  }

  #begin({ allocation, task, attempt, config, environment, directories }: TaskStart): Run {
    const key = `${allocation.ID} ${task.Name} ${attempt}`
    const owner = `${allocation.ID} ${task.Name}`
    const known = this.#runs.get(key) ?? [...this.#runs.values()].find((run) => run.task === owner && run.script.exit === undefined)
    if (known !== undefined) return known
    if (config.command !== SHELL) throw new OrchestratorError('PROGRAM', `failed to launch command: ${String(config.command)} is not there`)
    const { disk, time, onTrouble } = this.#deps
    const [, text, ...words] = config.args as readonly string[]
    const script = new ScriptRun({
      script: parseScript(text!),
      environment: { ...environment, ...Object.fromEntries(words.map((word, at) => [String(at), word])) },
      folder: directories.task,
      logs: { stdout: `${directories.logs}/${task.Name}.stdout.0`, stderr: `${directories.logs}/${task.Name}.stderr.0` },
      disk,
      after: (delayMs, run) => time.after(delayMs, run),
      onTrouble,
    })
    const run: Run = { key, task: owner, allocationId: allocation.ID, script }
    this.#runs.set(key, run)
    return run
  }
}
