/**
 * What a group asks of a node that does not change with every placement: conditions, drivers, volumes, networks, devices. Worked out
 * once per group and state of the nodes; classes share their answers as far as no condition names something unique.
 */
import type { Job, Node, TaskGroup } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { findCandidates } from './candidates.js'
import { type Condition, describeCondition, satisfies } from './constraints.js'
import { hasDevices } from './devices.js'
import { escapesClass } from './node-class.js'

export interface StaticFeasibility {
  readonly feasible: readonly Node[]
  readonly candidateCount: number
  readonly inPoolCount: number
  readonly byDatacenter: Readonly<Record<string, number>>
  readonly filteredByReason: Readonly<Record<string, number>>
  readonly filteredByClass: Readonly<Record<string, number>>
  /** By computed class: whether its nodes may ever take the group. */
  readonly classEligibility: Readonly<Record<string, boolean>>
  readonly hasEscaped: boolean
}

export function checkStatically(view: StateView, job: Job, group: TaskGroup): StaticFeasibility {
  const candidates = findCandidates(view, job)
  const conditions = conditionsOf(job, group)
  const shared = conditions.filter((condition) => !escapesClass(condition))
  const hasEscaped = shared.length < conditions.length
  const verdicts = new Map<string, string | null>()
  const feasible: Node[] = []
  const byReason: Record<string, number> = {}
  const byClass: Record<string, number> = {}
  const classEligibility: Record<string, boolean> = {}
  for (const node of candidates.nodes) {
    let classReason = verdicts.get(node.ComputedClass)
    if (classReason === undefined) {
      classReason = failingCondition(node, shared) ?? null
      verdicts.set(node.ComputedClass, classReason)
    }
    const reason = classReason ?? failingCondition(node, conditions.filter(escapesClass)) ?? failingCheck(node, group)
    if (classReason !== null) classEligibility[node.ComputedClass] = false
    else classEligibility[node.ComputedClass] ??= true
    if (reason === undefined || reason === null) feasible.push(node)
    else {
      byReason[reason] = (byReason[reason] ?? 0) + 1
      if (node.NodeClass !== '') byClass[node.NodeClass] = (byClass[node.NodeClass] ?? 0) + 1
    }
  }
  return {
    feasible,
    candidateCount: candidates.nodes.length,
    inPoolCount: candidates.nodes.length,
    byDatacenter: candidates.byDatacenter,
    filteredByReason: byReason,
    filteredByClass: byClass,
    classEligibility,
    hasEscaped,
  }
}

/** The job's, the group's and every task's. */
export function conditionsOf(job: Job, group: TaskGroup): readonly Condition[] {
  return [...(job.Constraints ?? []), ...(group.Constraints ?? []), ...group.Tasks.flatMap((task) => task.Constraints ?? [])]
}

function failingCondition(node: Node, conditions: readonly Condition[]): string | undefined {
  const failing = conditions.find((condition) => !satisfies(node, condition))
  return failing === undefined ? undefined : describeCondition(failing)
}

/** The reason why this node cannot take the group whatever is free on it, in Nomad's words. */
export function failingCheck(node: Node, group: TaskGroup): string | undefined {
  for (const task of group.Tasks) if (!hasDriver(node, task.Driver)) return 'missing drivers'
  if (!hasDevices(node, group)) return 'missing devices'
  return failingNetwork(node, group) ?? (hasVolumes(node, group) ? undefined : 'missing compatible host volumes')
}

function hasDriver(node: Node, driver: string): boolean {
  const info = node.Drivers[driver]
  if (info !== undefined) return info.Detected && info.Healthy
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(node.Attributes[`driver.${driver}`] ?? '')
}

function failingNetwork(node: Node, group: TaskGroup): string | undefined {
  const ask = group.Networks?.[0]
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

function hasVolumes(node: Node, group: TaskGroup): boolean {
  return Object.values(group.Volumes ?? {}).every((request) => {
    if (request.Type !== 'host') return request.Type !== 'csi'
    const volume = node.HostVolumes?.[request.Source]
    return volume !== undefined && (!volume.ReadOnly || request.ReadOnly)
  })
}
