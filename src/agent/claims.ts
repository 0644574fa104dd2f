/**
 * Who may start: an allocation holds its share of the node until its processes have ended, so one that was placed within
 * another's share waits for that one. Only what is to end is waited for; otherwise the server's word stands. Pure.
 */
import type { Allocation, Node } from '../domain/index.js'

export interface Claimant {
  readonly allocation: Allocation
  /** It has its share and has not ended. */
  readonly holds: boolean
  /** It is to end. */
  readonly isEnding: boolean
}

export interface Claim {
  readonly cpuMhz: number
  readonly memoryMb: number
  readonly cores: readonly number[]
  /** `vendor/type/model/id` */
  readonly devices: readonly string[]
  /** `ip:port`, as reserved on the host. */
  readonly ports: readonly string[]
}

/** The ids that may start now, oldest first; each one admitted counts against the next. */
export function computeAdmissible(node: Node, claimants: readonly Claimant[]): readonly string[] {
  const waiting = claimants.filter(({ holds, isEnding }) => !holds && !isEnding).map(({ allocation }) => allocation)
  if (waiting.length === 0) return []
  const byId = new Map(claimants.map((claimant) => [claimant.allocation.ID, claimant]))
  const holding = claimants.filter(({ holds }) => holds)
  const mustFit = holding.some(({ isEnding }) => isEnding)
  const claims = mustFit ? holding.map(({ allocation }) => claimOf(allocation)) : []
  const admitted: string[] = []
  for (const allocation of waiting.sort(byAge)) {
    const previous = allocation.PreviousAllocation === undefined ? undefined : byId.get(allocation.PreviousAllocation)
    if (previous?.holds === true && previous.isEnding) continue
    if (mustFit) {
      const claim = claimOf(allocation)
      if (!fits(node, claim, claims)) continue
      claims.push(claim)
    }
    admitted.push(allocation.ID)
  }
  return admitted
}

function byAge(a: Allocation, b: Allocation): number {
  return a.CreateIndex - b.CreateIndex || (a.ID < b.ID ? -1 : 1)
}

export function claimOf(allocation: Allocation): Claim {
  const tasks = Object.values(allocation.AllocatedResources.Tasks)
  const sum = (of: (task: (typeof tasks)[number]) => number) => tasks.reduce((total, task) => total + of(task), 0)
  const networks = [...tasks.flatMap((task) => task.Networks ?? []), ...(allocation.AllocatedResources.Shared.Networks ?? [])]
  const legacy = networks.flatMap(({ IP = '', ReservedPorts, DynamicPorts }) =>
    [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])]
      .filter(({ IgnoreCollision }) => IgnoreCollision !== true)
      .map(({ Value }) => `${IP}:${Value}`),
  )
  const mapped = (allocation.AllocatedResources.Shared.Ports ?? [])
    .filter(({ IgnoreCollision }) => IgnoreCollision !== true)
    .map(({ HostIP, Value }) => `${HostIP}:${Value}`)
  return {
    cpuMhz: sum((task) => task.Cpu.CpuShares),
    memoryMb: sum((task) => task.Memory.MemoryMB),
    cores: tasks.flatMap((task) => task.Cpu.ReservedCores ?? []),
    devices: tasks
      .flatMap((task) => task.Devices ?? [])
      .flatMap(({ Vendor, Type, Name, DeviceIDs }) => (DeviceIDs ?? []).map((id) => `${Vendor}/${Type}/${Name}/${id}`)),
    ports: [...new Set([...mapped, ...legacy])],
  }
}

function fits(node: Node, claim: Claim, held: readonly Claim[]): boolean {
  const { NodeResources: total, ReservedResources: reserved } = node
  const cpuMhz = held.reduce((sum, other) => sum + other.cpuMhz, claim.cpuMhz)
  const memoryMb = held.reduce((sum, other) => sum + other.memoryMb, claim.memoryMb)
  if (cpuMhz > total.Cpu.CpuShares - reserved.Cpu.CpuShares) return false
  if (memoryMb > total.Memory.MemoryMB - reserved.Memory.MemoryMB) return false
  const isTaken = (other: Claim) =>
    claim.ports.some((port) => other.ports.includes(port)) ||
    claim.cores.some((core) => other.cores.includes(core)) ||
    claim.devices.some((device) => other.devices.includes(device))
  return !held.some(isTaken)
}
