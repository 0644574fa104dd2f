/** What an agent measured, in Nomad's shapes (Nomad API docs, "Client"). */
import type { AllocationStats, HostStats, TaskStats } from '../../agent/index.js'
import { unixNanoseconds } from '../../domain/index.js'

/**
 * @param mhzPerCore of the node: one core wholly used is that many ticks
 * @param task only this one; empty for all
 */
export function allocationUsage(stats: AllocationStats, mhzPerCore: number, task: string): Readonly<Record<string, unknown>> {
  const Timestamp = unixNanoseconds(stats.atMs)
  const tasks = Object.entries(stats.tasks).filter(([name]) => task === '' || name === task)
  const sum = (member: 'memoryBytes' | 'cpuPercent') => tasks.reduce((total, [, usage]) => total + usage[member], 0)
  return {
    ResourceUsage: resourceUsage(sum('memoryBytes'), sum('cpuPercent'), mhzPerCore),
    Tasks: Object.fromEntries(
      tasks.map(([name, usage]) => [
        name,
        { ResourceUsage: resourceUsage(usage.memoryBytes, usage.cpuPercent, mhzPerCore), Timestamp, Pids: pids(usage) },
      ]),
    ),
    Timestamp,
  }
}

function resourceUsage(memoryBytes: number, cpuPercent: number, mhzPerCore: number): Readonly<Record<string, unknown>> {
  return {
    MemoryStats: {
      RSS: memoryBytes,
      Cache: 0,
      Swap: 0,
      MappedFile: 0,
      Usage: memoryBytes,
      MaxUsage: 0,
      KernelUsage: 0,
      KernelMaxUsage: 0,
      Measured: ['RSS', 'Usage'],
    },
    CpuStats: {
      SystemMode: 0,
      UserMode: 0,
      TotalTicks: (cpuPercent / 100) * mhzPerCore,
      ThrottledPeriods: 0,
      ThrottledTime: 0,
      Percent: cpuPercent,
      Measured: ['Percent'],
    },
    DeviceStats: [],
  }
}

/** Usage is measured by task, not by process: the processes are named without figures. */
function pids(usage: TaskStats): Readonly<Record<string, unknown>> {
  return Object.fromEntries(usage.pids.map((pid) => [String(pid), { ...resourceUsage(0, 0, 0), DeviceStats: null }]))
}

export function hostUsage(stats: HostStats, totalMhz: number): Readonly<Record<string, unknown>> {
  const { memory, disk } = stats
  const mhzPerCore = totalMhz / Math.max(1, stats.cpu.length)
  const used = (core: HostStats['cpu'][number]) => 100 - core.idlePercent
  const usedBytes = disk.totalBytes - disk.availableBytes
  const diskStats = {
    Device: '',
    Mountpoint: disk.path,
    Size: disk.totalBytes,
    Used: usedBytes,
    Available: disk.availableBytes,
    UsedPercent: disk.totalBytes === 0 ? 0 : (usedBytes / disk.totalBytes) * 100,
    InodesUsedPercent: 0,
  }
  return {
    Memory: {
      Total: memory.totalBytes,
      Available: memory.availableBytes,
      Used: memory.totalBytes - memory.availableBytes,
      Free: memory.freeBytes,
    },
    CPU: stats.cpu.map((core) => ({
      CPU: core.name,
      User: core.userPercent,
      System: core.systemPercent,
      Idle: core.idlePercent,
      TotalPercent: used(core),
      TotalTicks: (used(core) / 100) * mhzPerCore,
    })),
    DiskStats: [diskStats],
    AllocDirStats: diskStats,
    DeviceStats: null,
    Uptime: stats.uptimeSeconds,
    Timestamp: unixNanoseconds(stats.atMs),
    CPUTicksConsumed: stats.cpu.reduce((total, core) => total + (used(core) / 100) * mhzPerCore, 0),
  }
}
