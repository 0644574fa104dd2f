/** What an allocation holds and what a node has (Nomad docs, "Placement"). */
import type { AllocatedResources, Allocation, Node, TaskGroup } from '../../../src/domain/index.js'

export interface Amounts {
  readonly cpu: number
  readonly memory: number
  readonly disk: number
}

type Part = { readonly hook: string; readonly cpu: number; readonly memory: number; readonly cores: number }

export function heldBy({ Tasks, TaskLifecycles, Shared }: AllocatedResources): Amounts {
  const parts = Object.entries(Tasks).map(([name, { Cpu, Memory }]): Part => {
    const lifecycle = TaskLifecycles?.[name] ?? null
    const hook = lifecycle?.Hook === 'prestart' && lifecycle.Sidecar ? 'sidecar' : (lifecycle?.Hook ?? '')
    return { hook, cpu: Cpu.CpuShares, memory: Memory.MemoryMB, cores: Cpu.ReservedCores?.length ?? 0 }
  })
  return { ...peakOf(parts), disk: Shared.DiskMB }
}

/** Whole cores are held all the time, everything else in its phase. */
function peakOf(parts: readonly Part[]): { readonly cpu: number; readonly memory: number } {
  const total = (hooks: readonly string[], pick: (part: Part) => number) =>
    parts.filter(({ hook }) => hooks.includes(hook)).reduce((sum, part) => sum + pick(part), 0)
  const peak = (pick: (part: Part) => number) =>
    Math.max(total(['prestart', 'sidecar'], pick), total(['', 'poststart', 'sidecar'], pick), total(['poststop'], pick))
  const cores = parts.reduce((sum, part) => sum + (part.cores > 0 ? part.cpu : 0), 0)
  return { cpu: peak((part) => (part.cores > 0 ? 0 : part.cpu)) + cores, memory: peak((part) => part.memory) }
}

/** What one more allocation of the group would hold on the node. */
export function askedBy(group: TaskGroup, node: Node): Amounts {
  const { CpuShares, TotalCpuCores } = node.NodeResources.Cpu
  const perCore = TotalCpuCores > 0 ? Math.floor(CpuShares / TotalCpuCores) : 0
  const Tasks = group.Tasks.map(({ Name, Resources: { CPU, Cores, MemoryMB } }) => {
    const Cpu =
      Cores > 0 ? { CpuShares: perCore * Cores, ReservedCores: new Array<number>(Cores) } : { CpuShares: CPU, ReservedCores: null }
    return [Name, { Cpu, Memory: { MemoryMB, MemoryMaxMB: 0 }, Networks: null, Devices: null }] as const
  })
  return heldBy({
    Tasks: Object.fromEntries(Tasks),
    TaskLifecycles: Object.fromEntries(group.Tasks.map(({ Name, Lifecycle }) => [Name, Lifecycle])),
    Shared: { Networks: null, DiskMB: group.EphemeralDisk.SizeMB, Ports: null },
  })
}

export function capacityOf({ NodeResources: all, ReservedResources: kept }: Node): Amounts {
  return {
    cpu: all.Cpu.CpuShares - kept.Cpu.CpuShares,
    memory: all.Memory.MemoryMB - kept.Memory.MemoryMB,
    disk: all.Disk.DiskMB - kept.Disk.DiskMB,
  }
}

export function usedBy(rows: readonly Allocation[]): Amounts {
  const held = rows.map((row) => heldBy(row.AllocatedResources))
  const total = (pick: (amounts: Amounts) => number) => held.reduce((sum, amounts) => sum + pick(amounts), 0)
  return { cpu: total(({ cpu }) => cpu), memory: total(({ memory }) => memory), disk: total(({ disk }) => disk) }
}

/** Cores that the node may give. */
export function coresOf({ NodeResources, ReservedResources }: Node): readonly number[] {
  const kept = ReservedResources.Cpu.ReservedCpuCores ?? []
  return (NodeResources.Cpu.ReservableCpuCores ?? []).filter((core) => !kept.includes(core))
}

/** Promised twice counts twice: the one that was told to stop still has it. */
export function coresHeld(rows: readonly Allocation[]): readonly number[] {
  return rows.flatMap((row) => Object.values(row.AllocatedResources.Tasks).flatMap(({ Cpu }) => Cpu.ReservedCores ?? []))
}
