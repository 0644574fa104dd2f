/**
 * What this host is, read from the system: everything of a Node that the host itself knows (Nomad docs, "Client Configuration"), but for its
 * drivers, which the agent asks.
 */
import { existsSync, readFileSync, realpathSync, statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { arch, cpus, freemem, hostname, machine, networkInterfaces, release, totalmem, uptime } from 'node:os'
import type { DiskShare, Fingerprint, HostStats, HostUsage } from '../../agent/index.js'
import type { Node, NodeDeviceResource } from '../../domain/index.js'
import type { NetworkFingerprint } from '../network/index.js'
import { usableControllers } from '../supervisor/cgroup.js'

export interface FingerprintOptions {
  readonly nodeId: string
  readonly name: string
  readonly dataFolder: string
  readonly version: string
  /** Networks that allocations may have for themselves. */
  readonly networks: () => Promise<NetworkFingerprint>
  readonly devices: () => readonly NodeDeviceResource[] | null
}

const MEBIBYTE_BYTES = 1024 * 1024
const CPU_MHZ_UNKNOWN = 1_000
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' }
/** Clients ask for it and compare: the Nomad whose behaviour this is. */
const NOMAD_VERSION = '2.0.5'

export function createFingerprint(options: FingerprintOptions): Fingerprint {
  return async () => {
    const cores = cpus()
    const mhz = cores[0]?.speed || CPU_MHZ_UNKNOWN
    const disk = statfsSync(options.dataFolder)
    const address = mainAddress()
    const { name, version } = systemRelease()
    const attributes: Record<string, string> = {
      'cpu.arch': ARCHITECTURES[arch()] ?? arch(),
      'cpu.numcores': String(cores.length),
      'cpu.frequency': String(mhz),
      'cpu.modelname': cores[0]?.model.trim() ?? '',
      'cpu.reservablecores': String(cores.length),
      'cpu.totalcompute': String(cores.length * mhz),
      'kernel.arch': machine(),
      'kernel.name': process.platform,
      'kernel.version': release(),
      'memory.totalbytes': String(totalmem()),
      'nomad.version': NOMAD_VERSION,
      'nomad.service_discovery': 'true',
      'drover.version': options.version,
      'os.cgroups.version': usableControllers().version,
      'os.name': name,
      'os.version': version,
      'os.signals':
        'SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGKILL,SIGPIPE,SIGQUIT,SIGSEGV,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGUSR1,SIGUSR2',
      'unique.hostname': hostname(),
      'unique.network.ip-address': address.ip,
      'unique.storage.volume': volumeOf(options.dataFolder),
      'unique.storage.bytestotal': String(disk.blocks * disk.bsize),
      'unique.storage.bytesfree': String(disk.bavail * disk.bsize),
    }
    const own = await options.networks()
    Object.assign(attributes, own.attributes)
    return makeNode(options, attributes, {
      cores: cores.length,
      mhz,
      diskMb: Math.floor((disk.bavail * disk.bsize) / MEBIBYTE_BYTES),
      address,
      own,
    })
  }
}

type Measured = {
  readonly cores: number
  readonly mhz: number
  readonly diskMb: number
  readonly address: ReturnType<typeof mainAddress>
  readonly own: NetworkFingerprint
}

function makeNode(options: FingerprintOptions, Attributes: Readonly<Record<string, string>>, measured: Measured): Node {
  const { cores, mhz, diskMb, address, own } = measured
  return {
    ID: options.nodeId,
    Datacenter: 'dc1',
    Name: options.name,
    NodePool: 'default',
    NodeClass: '',
    ComputedClass: '',
    HTTPAddr: '',
    TLSEnabled: false,
    CgroupParent: '',
    Attributes,
    Meta: {},
    Links: null,
    NodeResources: {
      Cpu: { CpuShares: cores * mhz, TotalCpuCores: cores, ReservableCpuCores: Array.from({ length: cores }, (_, core) => core) },
      Memory: { MemoryMB: Math.floor(totalmem() / MEBIBYTE_BYTES) },
      Disk: { DiskMB: diskMb },
      Networks: [{ Mode: 'host', Device: address.device, CIDR: `${address.ip}/32`, IP: address.ip, MBits: 1_000 }, ...own.networks],
      NodeNetworks: [
        {
          Mode: 'host',
          Device: address.device,
          MacAddress: address.mac,
          Speed: 1_000,
          Addresses: [{ Family: 'ipv4', Alias: 'default', Address: address.ip, ReservedPorts: '', Gateway: '' }],
        },
        ...own.nodeNetworks,
      ],
      Devices: options.devices(),
      MinDynamicPort: 20_000,
      MaxDynamicPort: 32_000,
    },
    ReservedResources: {
      Cpu: { CpuShares: 0, ReservedCpuCores: null },
      Memory: { MemoryMB: 0 },
      Disk: { DiskMB: 0 },
      Networks: { ReservedHostPorts: '' },
    },
    Drivers: {},
    HostVolumes: null,
    HostNetworks: null,
    DrainStrategy: null,
    SchedulingEligibility: 'eligible',
    Status: 'initializing',
    StatusDescription: '',
    StatusUpdatedAt: 0,
    Events: [],
    LastDrain: null,
    LastMissedHeartbeatIndex: 0,
    LastAllocUpdateIndex: 0,
    NodeMaxAllocs: 0,
    GCVolumesOnNodeGC: false,
    CreateIndex: 0,
    ModifyIndex: 0,
  }
}

/** The first address that others can reach, else the loopback's. */
function mainAddress(): { readonly device: string; readonly ip: string; readonly mac: string } {
  const all = Object.entries(networkInterfaces()).flatMap(([device, addresses]) =>
    (addresses ?? []).map((address) => ({ device, ...address })),
  )
  const ipv4 = all.filter(({ family }) => family === 'IPv4')
  const found = ipv4.find(({ internal }) => !internal) ?? ipv4[0]
  return { device: found?.device ?? 'lo', ip: found?.address ?? '127.0.0.1', mac: found?.mac ?? '' }
}

function systemRelease(): { readonly name: string; readonly version: string } {
  const path = '/etc/os-release'
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? ''
  return { name: value('ID') || process.platform, version: value('VERSION_ID') }
}

/** What holds the folder: a device, or the name of another kind of file system. Source: proc(5), mountinfo. */
function volumeOf(folder: string): string {
  const path = realpathSync(folder)
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .map((fields) => ({ at: (fields[4] ?? '').replace(/\/$/, ''), source: fields[fields.indexOf('-') + 2] ?? '' }))
    .filter(({ at, source }) => source !== '' && (path === at || path.startsWith(`${at}/`)))
  return mounts.reduce((best, mount) => (mount.at.length >= best.at.length ? mount : best), { at: '', source: folder }).source
}

/** Of what tasks may use: what the file system keeps for its owner counts as used. */
export async function readDiskShare(folder: string): Promise<DiskShare> {
  const { blocks, bfree, bavail, files, ffree } = await statfs(folder)
  const usable = blocks - bfree + bavail
  const percent = (free: number, all: number) => (all === 0 ? 0 : (100 * (all - free)) / all)
  return { usedPercent: percent(bavail, usable), inodesUsedPercent: percent(ffree, files) }
}

export function createHostUsage(dataFolder: string): HostUsage {
  let before = cpus()
  return async (): Promise<HostStats> => {
    const now = cpus()
    const cpu = now.map((core, at) => coreShares(`cpu${at}`, before[at]?.times ?? core.times, core.times))
    before = now
    const disk = statfsSync(dataFolder)
    return {
      kind: 'host',
      atMs: Date.now(),
      uptimeSeconds: Math.floor(uptime()),
      memory: { totalBytes: totalmem(), availableBytes: freemem(), freeBytes: freemem() },
      cpu,
      disk: { path: dataFolder, totalBytes: disk.blocks * disk.bsize, availableBytes: disk.bavail * disk.bsize },
    }
  }
}

type Times = { readonly user: number; readonly nice: number; readonly sys: number; readonly idle: number; readonly irq: number }

function coreShares(name: string, before: Times, now: Times) {
  const total = Math.max(1, sumOf(now) - sumOf(before))
  const share = (part: (times: Times) => number) => (100 * (part(now) - part(before))) / total
  return {
    name,
    userPercent: share((times) => times.user + times.nice),
    systemPercent: share((times) => times.sys + times.irq),
    idlePercent: share((times) => times.idle),
  }
}

function sumOf(times: Times): number {
  return times.user + times.nice + times.sys + times.idle + times.irq
}
