/**
 * What a group asks of a node that does not change with every placement: conditions, drivers, devices, networks, volumes
 * (Nomad docs, "Placement"). Nodes of one class share the answers to what the class decides.
 */
import type { Job, NetworkResource, Node, RequestedDevice, TaskGroup, VolumeRequest } from '../../domain/index.js'
import { type Condition, describeCondition, satisfies } from './constraints.js'
import { hasDevice } from './devices.js'
import { escapesClass } from './node-class.js'

export type Verdict =
  | { readonly passes: true }
  | {
      readonly passes: false
      /** In Nomad's words. */
      readonly reason: string
      /** Other nodes of its class are taken to fail in the same way. */
      readonly byClass: boolean
    }

export const PASSES: Verdict = Object.freeze({ passes: true })

const VOLUMES_MISSING = 'missing compatible host volumes'

/** The checks of one group, in the order in which a failing one is told. */
export class NodeChecks {
  readonly hasEscaped: boolean
  readonly #jobConditions: readonly Condition[]
  readonly #groupConditions: readonly Condition[]
  readonly #escapedJobConditions: readonly Condition[]
  readonly #escapedGroupConditions: readonly Condition[]
  readonly #drivers: readonly string[]
  readonly #devices: readonly RequestedDevice[]
  readonly #network: NetworkResource | undefined
  readonly #secretProviders: readonly string[]
  readonly #volumes: readonly VolumeRequest[]
  /** By class: the conditions that the class decides. Classes are few, so nothing is ever forgotten. */
  readonly #byClass = new Map<string, ClassVerdict>()

  constructor(job: Job, group: TaskGroup) {
    const jobConditions: readonly Condition[] = job.Constraints ?? []
    const groupConditions: readonly Condition[] = [...(group.Constraints ?? []), ...group.Tasks.flatMap((task) => task.Constraints ?? [])]
    this.#jobConditions = jobConditions.filter((condition) => !escapesClass(condition))
    this.#groupConditions = groupConditions.filter((condition) => !escapesClass(condition))
    this.#escapedJobConditions = jobConditions.filter(escapesClass)
    this.#escapedGroupConditions = groupConditions.filter(escapesClass)
    this.#drivers = [...new Set(group.Tasks.map((task) => task.Driver))]
    this.#devices = group.Tasks.flatMap((task) => task.Resources.Devices ?? [])
    this.#network = group.Networks?.[0]
    this.#secretProviders = group.Tasks.flatMap((task) => (task.Secrets ?? []).map((secret) => secret.Provider))
    this.#volumes = Object.values(group.Volumes ?? {}).filter((volume) => !volume.PerAlloc)
    this.hasEscaped = this.#escapedJobConditions.length + this.#escapedGroupConditions.length > 0
  }

  /** What the verdict depends on, as text: equal texts, equal verdicts. */
  static keyOf(job: Job, group: TaskGroup): string {
    const tasks = group.Tasks.map(({ Driver, Constraints, Resources, Secrets }) => [Driver, Constraints, Resources.Devices, Secrets])
    return JSON.stringify([job.Constraints, group.Constraints, tasks, group.Networks, group.Volumes])
  }

  judge(node: Node): Verdict {
    const { job, group } = this.#judgeClass(node)
    if (job !== undefined) return fails(job, true)
    const jobReason = firstFailing(node, this.#escapedJobConditions)
    if (jobReason !== undefined) return fails(jobReason, false)
    if (!this.#drivers.every((driver) => hasDriver(node, driver))) return fails('missing drivers', false)
    if (group !== undefined) return fails(group, true)
    const groupReason = firstFailing(node, this.#escapedGroupConditions)
    if (groupReason !== undefined) return fails(groupReason, false)
    if (!this.#devices.every((ask) => hasDevice(node, ask))) return fails('missing devices', true)
    const networkReason = failingNetwork(node, this.#network)
    if (networkReason !== undefined) return fails(networkReason, false)
    if (!this.#secretProviders.every((provider) => hasSecretProvider(node, provider))) return fails('missing secrets provider', true)
    return this.#volumes.every((request) => hasVolume(node, request, request.Source)) ? PASSES : fails(VOLUMES_MISSING, false)
  }

  #judgeClass(node: Node): ClassVerdict {
    let verdict = this.#byClass.get(node.ComputedClass)
    if (verdict === undefined) {
      verdict = { job: firstFailing(node, this.#jobConditions), group: firstFailing(node, this.#groupConditions) }
      this.#byClass.set(node.ComputedClass, verdict)
    }
    return verdict
  }
}

interface ClassVerdict {
  readonly job: string | undefined
  readonly group: string | undefined
}

function fails(reason: string, byClass: boolean): Verdict {
  return { passes: false, reason, byClass }
}

function firstFailing(node: Node, conditions: readonly Condition[]): string | undefined {
  for (const condition of conditions) if (!satisfies(node, condition)) return describeCondition(condition)
  return undefined
}

function hasDriver(node: Node, driver: string): boolean {
  const info = node.Drivers[driver]
  if (info !== undefined) return info.Detected && info.Healthy
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(node.Attributes[`driver.${driver}`] ?? '')
}

/** The providers that every agent brings need no plug-in. */
const BUILT_IN_PROVIDERS = new Set(['nomad', 'vault'])

function hasSecretProvider(node: Node, provider: string): boolean {
  return BUILT_IN_PROVIDERS.has(provider) || Object.hasOwn(node.Attributes, `plugins.secrets.${provider}.version`)
}

function failingNetwork(node: Node, ask: NetworkResource | undefined): string | undefined {
  if (ask === undefined) return undefined
  const mode = ask.Mode || 'host'
  const networks = node.NodeResources.NodeNetworks ?? []
  const isThere =
    mode === 'host' ||
    mode === 'none' ||
    networks.some((network) => network.Mode === mode) ||
    (node.NodeResources.Networks ?? []).some((network) => network.Mode === mode)
  if (!isThere) return 'missing network'
  const aliases = new Set(networks.flatMap((network) => (network.Addresses ?? []).map(({ Alias }) => Alias || 'default')))
  for (const port of [...(ask.ReservedPorts ?? []), ...(ask.DynamicPorts ?? [])]) {
    const alias = port.HostNetwork || 'default'
    if (alias !== 'default' && !aliases.has(alias)) return `missing host network "${alias}" for port "${port.Label}"`
  }
  return undefined
}

/** Whether the node offers the volume `source` in the way that is asked for. Volumes of plug-ins are not offered by any node. */
export function hasVolume(node: Node, request: VolumeRequest, source: string): boolean {
  if (request.Type !== 'host') return false
  const volume = node.HostVolumes?.[source]
  if (volume === undefined || (volume.ReadOnly && !request.ReadOnly)) return false
  if (volume.ID === undefined || volume.Capabilities === undefined) return true
  const isAllowed = volume.Capabilities.some(
    ({ AttachmentMode, AccessMode }) =>
      (request.AccessMode || AccessMode) === AccessMode && (request.AttachmentMode || AttachmentMode) === AttachmentMode,
  )
  return volume.State === 'ready' && isAllowed
}

/** Volumes of which each allocation of the group has its own: `source[3]` for the fourth. */
export function perAllocationVolumes(group: TaskGroup): readonly VolumeRequest[] {
  return Object.values(group.Volumes ?? {}).filter((volume) => volume.PerAlloc)
}

export function lacksOwnVolume(node: Node, requests: readonly VolumeRequest[], index: number): string | undefined {
  return requests.every((request) => hasVolume(node, request, `${request.Source}[${index}]`)) ? undefined : VOLUMES_MISSING
}

/** Has one user at a time. */
export function isSingleWriter({ AccessMode }: VolumeRequest): boolean {
  return AccessMode === 'single-node-single-writer'
}

export { VOLUMES_MISSING }
