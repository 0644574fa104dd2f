/**
 * What allocations hold on a node, and whether that fits: the one definition used by scheduler, agent admission and invariant
 * checkers (Nomad docs, "Placement"). I7 is what it says.
 */
import type { AllocatedResources, AllocatedTaskResources, Allocation, Node, TaskGroup } from '../../domain/index.js'
import { isClientTerminal } from '../../domain/index.js'
import { PortIndex } from './ports.js'

export interface Claims {
  readonly cpuShares: number
  readonly cores: readonly number[]
  readonly memoryMb: number
  readonly memoryMaxMb: number
  readonly diskMb: number
}

export type Fit =
  | { readonly fits: true; readonly used: Claims }
  | { readonly fits: false; readonly dimension: string; readonly used: Claims }

export const NO_CLAIMS: Claims = { cpuShares: 0, cores: [], memoryMb: 0, memoryMaxMb: 0, diskMb: 0 }

/** Tasks that never run at the same time share: the greatest of what prestart, main and poststop need together. */
export function claimsOf(resources: AllocatedResources): Claims {
  const phases = { prestart: sum(), sidecar: sum(), main: sum(), poststop: sum() }
  const cores: number[] = []
  let coreShares = 0
  for (const [name, task] of Object.entries(resources.Tasks)) {
    const reserved = task.Cpu.ReservedCores ?? []
    cores.push(...reserved)
    // Whole cores are held for as long as the allocation lives, whatever the phase.
    if (reserved.length > 0) coreShares += task.Cpu.CpuShares
    add(phases[phaseOf(resources.TaskLifecycles?.[name] ?? null)], task, reserved.length > 0)
  }
  const { prestart, sidecar, main, poststop } = phases
  const most = (pick: (phase: Sum) => number) => Math.max(pick(prestart) + pick(sidecar), pick(main) + pick(sidecar), pick(poststop))
  return {
    cpuShares: most((phase) => phase.cpuShares) + coreShares,
    cores,
    memoryMb: most((phase) => phase.memoryMb),
    memoryMaxMb: most((phase) => phase.memoryMaxMb),
    diskMb: resources.Shared.DiskMB,
  }
}

type Sum = { cpuShares: number; memoryMb: number; memoryMaxMb: number }

function sum(): Sum {
  return { cpuShares: 0, memoryMb: 0, memoryMaxMb: 0 }
}

function add(phase: Sum, task: AllocatedTaskResources, hasCores: boolean): void {
  if (!hasCores) phase.cpuShares += task.Cpu.CpuShares
  phase.memoryMb += task.Memory.MemoryMB
  phase.memoryMaxMb += Math.max(task.Memory.MemoryMB, task.Memory.MemoryMaxMB)
}

function phaseOf(lifecycle: { readonly Hook: string; readonly Sidecar: boolean } | null): 'prestart' | 'sidecar' | 'main' | 'poststop' {
  if (lifecycle === null || lifecycle.Hook === 'poststart' || lifecycle.Hook === '') return 'main'
  if (lifecycle.Hook === 'poststop') return 'poststop'
  return lifecycle.Sidecar ? 'sidecar' : 'prestart'
}

export function addClaims(a: Claims, b: Claims): Claims {
  return {
    cpuShares: a.cpuShares + b.cpuShares,
    cores: [...a.cores, ...b.cores],
    memoryMb: a.memoryMb + b.memoryMb,
    memoryMaxMb: a.memoryMaxMb + b.memoryMaxMb,
    diskMb: a.diskMb + b.diskMb,
  }
}

/** What the node has for allocations: what is there minus what is reserved for others. A core that it lists twice is one. */
export function capacityOf(node: Node): Claims {
  const { NodeResources: all, ReservedResources: reserved } = node
  const taken = new Set(reserved.Cpu.ReservedCpuCores ?? [])
  return {
    cpuShares: all.Cpu.CpuShares - reserved.Cpu.CpuShares,
    cores: [...new Set(all.Cpu.ReservableCpuCores ?? [])].filter((core) => !taken.has(core)),
    memoryMb: all.Memory.MemoryMB - reserved.Memory.MemoryMB,
    memoryMaxMb: all.Memory.MemoryMB - reserved.Memory.MemoryMB,
    diskMb: all.Disk.DiskMB - reserved.Disk.DiskMB,
  }
}

export interface FitOptions {
  /** Device instances are counted too. */
  readonly devices?: boolean
  /** The volumes that an allocation's group asks for; needed to see that a volume of one writer has only one. */
  readonly volumesOf?: (
    allocation: Pick<Allocation, 'Namespace' | 'JobID' | 'JobCreateIndex' | 'JobVersion' | 'TaskGroup'>,
  ) => TaskGroup['Volumes']
}

/** Never throws. `dimension` names what is short, in Nomad's words. What has ended at its client holds nothing. */
export function fitsNode(node: Node, allocations: readonly Allocation[], options: FitOptions = {}): Fit {
  const living = allocations.filter((allocation) => !isClientTerminal(allocation))
  const used = living.reduce((total, { AllocatedResources }) => addClaims(total, claimsOf(AllocatedResources)), NO_CLAIMS)
  if (node.NodeMaxAllocs > 0 && allocations.length > node.NodeMaxAllocs)
    return { fits: false, dimension: 'max allocation exceeded', used: NO_CLAIMS }
  const dimension = failingDimension(node, living, used, options)
  return dimension === undefined ? { fits: true, used } : { fits: false, dimension, used }
}

function failingDimension(
  node: Node,
  living: readonly Allocation[],
  used: Claims,
  { devices = true, volumesOf }: FitOptions,
): string | undefined {
  if (new Set(used.cores).size < used.cores.length) return 'cores'
  const short = shortDimension(capacityOf(node), used)
  if (short !== undefined) return short
  const ports = PortIndex.of(node, living)
  if (ports.malformed !== undefined) return `reserved node port collision: ${ports.malformed}`
  if (ports.collision !== undefined) return `reserved alloc port collision: ${ports.collision}`
  if (devices && isDeviceShared(living)) return 'device oversubscribed'
  return volumesOf !== undefined && isSingleWriterShared(living, volumesOf)
    ? 'conflicting claims for host volume with single-writer'
    : undefined
}

function isDeviceShared(living: readonly Allocation[]): boolean {
  const held = new Set<string>()
  for (const { AllocatedResources } of living) {
    for (const { Devices } of Object.values(AllocatedResources.Tasks)) {
      for (const { Vendor, Type, Name, DeviceIDs } of Devices ?? []) {
        for (const id of DeviceIDs ?? []) {
          const key = `${Vendor}/${Type}/${Name}/${id}`
          if (held.has(key)) return true
          held.add(key)
        }
      }
    }
  }
  return false
}

/** A volume that is asked for by a single writer is asked for by nobody else. */
function isSingleWriterShared(living: readonly Allocation[], volumesOf: NonNullable<FitOptions['volumesOf']>): boolean {
  const users = new Map<string, { count: number; isSingle: boolean }>()
  for (const allocation of living) {
    for (const { Type, Source, AccessMode } of Object.values(volumesOf(allocation) ?? {})) {
      if (Type !== 'host') continue
      const known = users.get(Source) ?? { count: 0, isSingle: false }
      users.set(Source, { count: known.count + 1, isSingle: known.isSingle || AccessMode === 'single-node-single-writer' })
    }
  }
  return [...users.values()].some(({ count, isSingle }) => isSingle && count > 1)
}

/** The first dimension in which `used` is more than there is. */
export function shortDimension(capacity: Claims, used: Claims): string | undefined {
  if (used.cpuShares > capacity.cpuShares) return 'cpu'
  if (used.cores.some((core) => !capacity.cores.includes(core))) return 'cores'
  if (used.memoryMb > capacity.memoryMb) return 'memory'
  return used.diskMb > capacity.diskMb ? 'disk' : undefined
}
