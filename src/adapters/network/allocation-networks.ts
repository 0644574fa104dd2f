/**
 * Networks of allocations by CNI. What was made is written down before and after, so that a life of the agent gives back what an earlier
 * one took: an address is held until its own DEL, whatever becomes of the namespace.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import type { NamespaceMaker, NetworkPort, NetworkWant, OwnNetwork } from '../../agent/index.js'
import { type AllocNetworkStatus, explainError, type Logger, OrchestratorError } from '../../domain/index.js'
import { fromCheckedJson, toCheckedJson } from '../checked-json.js'
import { KeptShell } from '../kept-shell.js'
import { argumentsText, type BridgeOptions, bridgeList, type CniList, LOOPBACK_LIST, pluginInput, statusOf } from './cni-lists.js'
import { CniPlugins } from './cni-plugins.js'
import { HostLists } from './host-lists.js'
import { giveBackMasquerade } from './masquerade.js'
import { HostNamespaces } from './namespaces.js'

export interface NetworkOptions {
  /** Of the agent: what networks there are is written down in it. */
  readonly folder: string
  readonly bridge: BridgeOptions
  /** Where plugins are looked for, in order. */
  readonly pluginFolders: readonly string[]
  /** Lists of the host, for `cni/<name>`. */
  readonly listFolder: string
  /** By driver: those whose tasks can join none but their own. */
  readonly makers: ReadonlyMap<string, NamespaceMaker>
  readonly logger: Logger
}

interface NetworkRecord {
  readonly want: NetworkWant
  readonly list: CniList
  /** The driver that makes the namespace; null: the host does. */
  readonly maker: string | null
  /** Absent: it was not made to its end. */
  readonly namespace?: Awaited<ReturnType<NamespaceMaker['create']>>
  /** Of the last plugin; absent: it was not made to its end. */
  readonly result?: unknown
}

const DEVICE = 'eth0'

export class AllocationNetworks implements NetworkPort {
  readonly bridge: BridgeOptions
  readonly plugins: CniPlugins
  readonly lists: HostLists
  readonly #folder: string
  readonly #options: NetworkOptions
  readonly #shell = new KeptShell()
  readonly #hostNamespaces: HostNamespaces
  readonly #records = new Map<string, NetworkRecord>()
  readonly #unreadable = new Set<string>()
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(options: NetworkOptions) {
    this.#options = options
    this.bridge = options.bridge
    this.#folder = join(options.folder, 'networks')
    this.plugins = new CniPlugins(options.pluginFolders, this.#folder, this.#shell)
    this.lists = new HostLists(options.listFolder)
    this.#hostNamespaces = new HostNamespaces(this.#shell)
    if (existsSync(this.#folder)) for (const name of readdirSync(this.#folder)) this.#restore(name)
  }

  find(allocationId: string): OwnNetwork | undefined {
    const record = this.#records.get(allocationId)
    return record === undefined || !this.#isWhole(record) ? undefined : networkOf(record)
  }

  get unreadable(): ReadonlySet<string> {
    return this.#unreadable
  }

  async prepare(want: NetworkWant): Promise<OwnNetwork> {
    await this.#inTurn(want.allocationId, () => this.#prepare(want))
    return networkOf(this.#records.get(want.allocationId)!)
  }

  async release(allocationId: string): Promise<void> {
    try {
      await this.#inTurn(allocationId, () => this.#release(allocationId))
    } catch (error) {
      this.#options.logger.warn({ allocationId, error: explainError(error) }, 'network could not be given back, trying again later')
    }
  }

  async releaseUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number> {
    const unclaimed = [...this.#records.keys()].filter((id) => !isClaimed(id))
    for (const id of unclaimed) await this.release(id)
    return unclaimed.length
  }

  /** One thing at a time for each allocation: all of its tasks ask for their network. */
  async #inTurn(allocationId: string, work: () => Promise<void>): Promise<void> {
    const before = this.#underWay.get(allocationId) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#underWay.set(allocationId, mine)
    try {
      await mine
    } finally {
      if (this.#underWay.get(allocationId) === mine) this.#underWay.delete(allocationId)
    }
  }

  async #prepare(want: NetworkWant): Promise<void> {
    const known = this.#records.get(want.allocationId)
    if (known !== undefined && this.#isWhole(known)) return
    if (known !== undefined) await this.#release(want.allocationId)
    const list = this.#listOf(want)
    await refuseBusyPorts(want, list)
    const record: NetworkRecord = { want, list, maker: this.#makerNameFor(want) }
    this.#keep(record)
    try {
      const namespace = await this.#makerOf(record).create(want.allocationId, want.hostname)
      this.#keep({ ...record, namespace })
      this.#keep({ ...record, namespace, result: await this.#add(want, list, namespace.path) })
    } catch (error) {
      await this.#release(want.allocationId).catch((problem: unknown) =>
        this.#options.logger.warn(
          { allocationId: want.allocationId, error: explainError(problem) },
          'half a network is left, trying again later',
        ),
      )
      throw error
    }
  }

  #listOf({ mode }: NetworkWant): CniList {
    if (mode === 'bridge') return bridgeList(this.bridge)
    return mode === 'none' ? LOOPBACK_LIST : this.lists.find(mode.slice('cni/'.length))
  }

  /** @throws OrchestratorError NETWORK */
  #makerNameFor({ drivers }: NetworkWant): string | null {
    const named = drivers.filter((driver) => this.#options.makers.has(driver))
    if (named.length < 2) return named[0] ?? null
    throw new OrchestratorError('NETWORK', `no network can be shared by tasks of ${named.join(' and ')}`)
  }

  #makerOf({ maker }: NetworkRecord): NamespaceMaker {
    const made = maker === null ? this.#hostNamespaces : this.#options.makers.get(maker)
    if (made !== undefined) return made
    throw new OrchestratorError('NETWORK', `driver ${maker} is not on this host any more`)
  }

  /** Whoever may have made its namespace. */
  #makersOf(record: NetworkRecord): readonly (() => NamespaceMaker)[] {
    if (!this.#unreadable.has(record.want.allocationId)) return [() => this.#makerOf(record)]
    return [this.#hostNamespaces, ...this.#options.makers.values()].map((maker) => () => maker)
  }

  #isWhole({ namespace, result }: NetworkRecord): boolean {
    return result !== undefined && namespace !== undefined && existsSync(namespace.path)
  }

  async #add(want: NetworkWant, list: CniList, namespace: string): Promise<unknown> {
    let result: unknown
    for (const plugin of list.plugins)
      result = await this.plugins.call(plugin.type, pluginInput(list, plugin, want, result), callOf('ADD', want, namespace))
    return result ?? {}
  }

  async #release(allocationId: string): Promise<void> {
    const record = this.#records.get(allocationId)
    if (record === undefined) return
    const { want, list, result } = record
    // After a restart of the host there is no namespace any more, and addresses and rules are given back without it.
    const namespace = record.namespace !== undefined && existsSync(record.namespace.path) ? record.namespace.path : ''
    const failures: unknown[] = []
    const attempt = (work: Promise<unknown>) => work.catch((error: unknown) => failures.push(error))
    for (const plugin of [...list.plugins].reverse())
      await attempt(this.plugins.call(plugin.type, pluginInput(list, plugin, want, result), callOf('DEL', want, namespace)))
    if (namespace === '' && list.plugins.some(({ type }) => type === 'bridge')) await attempt(giveBackMasquerade(this.#shell, allocationId))
    for (const maker of this.#makersOf(record)) await attempt(Promise.resolve().then(() => maker().remove(allocationId)))
    if (failures.length > 0) throw failures[0]
    this.#records.delete(allocationId)
    this.#unreadable.delete(allocationId)
    rmSync(this.#fileOf(allocationId), { force: true })
  }

  #keep(record: NetworkRecord): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const file = this.#fileOf(record.want.allocationId)
    writeFileSync(`${file}.new`, toCheckedJson(record), { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
    this.#records.set(record.want.allocationId, record)
  }

  #restore(name: string): void {
    const path = join(this.#folder, name)
    const allocationId = basename(name, '.json')
    // Left of calls under way when the agent died; on a disk that takes no changes they stay.
    if (!name.endsWith('.json') || name.startsWith('call-')) return
    try {
      const record = fromCheckedJson(readFileSync(path, 'utf8')) as NetworkRecord
      if (!isOf(record, allocationId)) throw new OrchestratorError('DAMAGED', 'it is no record of this network')
      this.#records.set(allocationId, record)
    } catch (error) {
      this.#options.logger.error(
        { path, error: explainError(error) },
        'what was written of a network cannot be read: its allocation is ended, and what a bridge would have given it is given back',
      )
      this.#unreadable.add(allocationId)
      this.#records.set(allocationId, this.#unknownRecord(allocationId))
    }
  }

  /** With an end of `networks`: what its plugins do of an allocation that they find by its id alone. */
  #unknownRecord(allocationId: string): NetworkRecord {
    const want: NetworkWant = { allocationId, mode: 'bridge', hostname: '', dns: null, ports: [], drivers: [], args: {} }
    return { want, list: bridgeList(this.bridge), maker: null }
  }

  #fileOf(allocationId: string): string {
    return join(this.#folder, `${allocationId}.json`)
  }
}

function isOf(record: NetworkRecord | null, allocationId: string): boolean {
  return record?.want?.allocationId === allocationId && Array.isArray(record.list?.plugins) && record.maker !== undefined
}

function networkOf({ want, namespace, result }: NetworkRecord): OwnNetwork {
  const status: AllocNetworkStatus = statusOf(result, want.dns)
  return { kind: 'namespace', ...namespace!, status, hostname: want.hostname }
}

function callOf(command: 'ADD' | 'DEL', want: NetworkWant, namespace: string) {
  return { command, containerId: want.allocationId, namespace, device: DEVICE, args: argumentsText(want.args) } as const
}

/** `portmap` asks nobody: it would take the connections of a program of the host. @throws OrchestratorError NETWORK */
async function refuseBusyPorts({ ports }: NetworkWant, list: CniList): Promise<void> {
  if (!list.plugins.some(({ capabilities }) => capabilities?.['portMappings'] === true)) return
  for (const { Label, Value, HostIP } of ports) {
    const problem = await listenOnce(Value, HostIP)
    if (problem === 'EADDRINUSE')
      throw new OrchestratorError('NETWORK', `host port ${Value} ("${Label}") is used by a program of this host`, { port: Value })
  }
}

/** The code of what goes wrong. */
function listenOnce(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    server.listen({ port, ...(host === '' ? {} : { host }), exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
