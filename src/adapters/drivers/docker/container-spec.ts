/** What a container is made from: a task's configuration within what the host allows. Pure, apart from looking where a path leads. */
import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import type Dockerode from 'dockerode'
import type { TaskStart } from '../../../agent/index.js'
import { MEBIBYTE_BYTES } from '../../../domain/index.js'
import type { DockerConfig, DockerMount } from '../../../jobspec/index.js'
import type { RunLogs } from '../../supervisor/protocol.js'
import { startError } from '../driver-errors.js'
import { DEFAULT_CAPABILITIES, type DockerOptions } from './options.js'
import { portBindings } from './ports.js'

export interface SpecHost {
  readonly options: DockerOptions
  /** Of the whole host, what shares of it are reckoned from. */
  readonly cpuMhz: number
  readonly cpuCores: number
  readonly cgroupVersion: string
  readonly isPodman: boolean
  /** Who looks after the container: what is found by it is this agent's. */
  readonly owner: string
}

export const LABELS = {
  allocation: 'com.hashicorp.nomad.alloc_id',
  owner: 'org.drover.agent',
  task: 'org.drover.task',
  attempt: 'org.drover.attempt',
  /** Where what it says is to be written, as JSON. */
  logs: 'org.drover.logs',
} as const

const LOGGED_BY_DEFAULT = { 'max-file': '2', 'max-size': '10m' }
/** Of these the engine itself can tell what was logged. */
const READABLE_LOGS = new Set(['', 'json-file', 'local', 'journald', 'k8s-file'])

export function containerName({ ID }: Pick<TaskStart['allocation'], 'ID'>, taskName: string): string {
  return `${taskName.replace(/[^a-zA-Z0-9_.-]/g, '_')}-${ID}`
}

/** Where what it says is to be written; null: it is not read from the engine. */
function logsOf({ task, directories }: TaskStart, config: DockerConfig, options: DockerOptions): RunLogs | null {
  if (task.LogConfig.Disabled || options.disable_log_collection || !READABLE_LOGS.has(logging(config, options).type)) return null
  const { MaxFiles, MaxFileSizeMB } = task.LogConfig
  return { folder: directories.logs, task: task.Name, filesMax: MaxFiles, fileBytesMax: MaxFileSizeMB * MEBIBYTE_BYTES, isDisabled: false }
}

/** @throws OrchestratorError DRIVER_START for what this host does not allow */
export function containerSpec(request: TaskStart, config: DockerConfig, image: string, host: SpecHost): Dockerode.ContainerCreateOptions {
  const { task } = request
  const ports = portBindings(request, config)
  const { type, options } = logging(config, host.options)
  const network = networkMode(request, config)
  return {
    name: containerName(request.allocation, task.Name),
    Image: image,
    ...(task.User === '' ? {} : { User: task.User }),
    ...given('Hostname', config.hostname || hostnameIn(request, config, host)),
    ...given('WorkingDir', config.work_dir),
    ...given('Entrypoint', config.entrypoint as string[] | undefined),
    ...given('Cmd', commandOf(config)),
    ...given('Tty', config.tty),
    ...given('OpenStdin', config.interactive),
    ...given('MacAddress', config.mac_address),
    ...(config.healthchecks?.disable === true ? { Healthcheck: { Test: ['NONE'] } } : {}),
    Env: Object.entries({ ...request.environment, ...ports.environment }).map(([name, value]) => `${name}=${value}`),
    Labels: labelsOf(request, config, host),
    ExposedPorts: ports.exposed,
    HostConfig: {
      NetworkMode: network,
      PortBindings: isShared(network) ? {} : ports.bindings,
      Binds: [...ownBinds(request), ...volumeBinds(request, config, host.options)],
      Mounts: [...mountsOf(request, config, host.options)],
      LogConfig: { Type: type, Config: options },
      ...resourcesOf(request, config, host),
      ...rightsOf(config, host.options),
      ...namesOf(request, config),
      ...given('GroupAdd', config.group_add),
      ...namespacesOf(config, host.options),
      ...given('CgroupnsMode', config.cgroupns),
      ...given('Init', config.init),
      ...given('ReadonlyRootfs', config.readonly_rootfs),
      ...given('ShmSize', config.shm_size),
      ...given('StorageOpt', config.storage_opt),
      ...given('Sysctls', config.sysctl),
      ...given('VolumeDriver', config.volume_driver),
      ...given('Runtime', runtimeOf(config, host.options)),
      ...given('OomScoreAdj', config.oom_score_adj),
      ...(config.ulimit === undefined ? {} : { Ulimits: Object.entries(config.ulimit).map(ulimitOf) }),
      ...given('Devices', devicesOf(request, config)),
    },
    ...endpointOf(network, config),
  }
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { readonly [N in Name]?: Value })
}

function commandOf({ command, args = [] }: DockerConfig): string[] | undefined {
  if (command) return [command, ...args]
  return args.length > 0 ? [...args] : undefined
}

function logging(config: DockerConfig, { logging: host }: DockerOptions) {
  const type = config.logging?.type || config.logging?.driver || host.type
  const named = config.logging?.config ?? (type === host.type ? host.config : undefined)
  return { type, options: named ?? (type === 'json-file' ? LOGGED_BY_DEFAULT : {}) }
}

function labelsOf(request: TaskStart, config: DockerConfig, { options, owner }: SpecHost): Record<string, string> {
  const { allocation, job, task, attempt } = request
  const extra: Readonly<Record<string, string>> = {
    job_name: job.Name,
    job_id: job.ID,
    parent_job_id: job.ParentID ?? '',
    task_group_name: allocation.TaskGroup,
    task_name: task.Name,
    namespace: allocation.Namespace,
    node_name: allocation.NodeName,
    node_id: allocation.NodeID,
    short_alloc_id: allocation.ID.slice(0, 8),
  }
  const wanted = Object.entries(extra).filter(([name, value]) => value !== '' && options.extra_labels.some((glob) => matches(glob, name)))
  return {
    ...config.labels,
    ...Object.fromEntries(wanted.map(([name, value]) => [`com.hashicorp.nomad.${name}`, value])),
    [LABELS.allocation]: allocation.ID,
    [LABELS.owner]: owner,
    [LABELS.task]: task.Name,
    [LABELS.attempt]: String(attempt),
    [LABELS.logs]: JSON.stringify(logsOf(request, config, options)),
  }
}

function matches(glob: string, name: string): boolean {
  const pattern = glob
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`).test(name)
}

/** A network of its allocation's comes first; without one a container has what it names, else the engine's default. */
function networkMode({ network }: TaskStart, { network_mode }: DockerConfig): string {
  if (network.kind === 'host') return network_mode || 'default'
  if (network_mode) return network_mode
  if (network.container === undefined)
    throw startError(`the network of the allocation is held by ${network.path}, which no container can join`)
  return `container:${network.container}`
}

/** It has no ports of its own to publish. */
function isShared(mode: string): boolean {
  return mode === 'host' || mode === 'none' || mode.startsWith('container:')
}

/** In the network of its allocation it finds names by files that are mounted over its own: an engine takes none of these then. */
export function isInOwnNetwork({ network }: TaskStart, { network_mode }: DockerConfig): boolean {
  return network.kind === 'namespace' && !network_mode
}

/** Of containers that share a network the one engine takes no name, for they share that, too; with the other each has its own. */
function hostnameIn(request: TaskStart, config: DockerConfig, { isPodman }: SpecHost): string | undefined {
  return isPodman && request.network.kind === 'namespace' && isInOwnNetwork(request, config) ? request.network.hostname : undefined
}

function namesOf(request: TaskStart, config: DockerConfig) {
  const { dns_servers, dns_search_domains, dns_options, extra_hosts } = config
  const dns = request.network.kind === 'host' ? request.network.dns : undefined
  return {
    ...given('Dns', (dns_servers ?? dns?.Servers ?? undefined) as string[] | undefined),
    ...given('DnsSearch', (dns_search_domains ?? dns?.Searches ?? undefined) as string[] | undefined),
    ...given('DnsOptions', (dns_options ?? dns?.Options ?? undefined) as string[] | undefined),
    ...(isInOwnNetwork(request, config) ? {} : given('ExtraHosts', extra_hosts)),
  }
}

/** The one engine reads the MAC address here, the other beside it. */
function endpointOf(network: string, { ipv4_address, ipv6_address, network_aliases, mac_address }: DockerConfig) {
  const isAddressed = Boolean(ipv4_address || ipv6_address || network_aliases)
  if (mac_address && !MAC_ADDRESS.test(mac_address))
    throw startError(`failed to parse mac_address "${mac_address}": address ${mac_address}: invalid MAC address`)
  if (isAddressed && (isShared(network) || ['default', 'bridge'].includes(network)))
    throw startError('ipv4_address, ipv6_address and network_aliases need a network of their own: name one in network_mode')
  if (!isAddressed && (!mac_address || isShared(network))) return {}
  const addresses = { ...given('IPv4Address', ipv4_address), ...given('IPv6Address', ipv6_address) }
  const endpoint = {
    ...given('Aliases', network_aliases as string[] | undefined),
    ...given('MacAddress', mac_address),
    ...(isAddressed ? { IPAMConfig: addresses } : {}),
  }
  return { NetworkingConfig: { EndpointsConfig: { [network]: endpoint } } }
}

const MAC_ADDRESS = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i

/** What tasks say is written by the host alone. */
function ownBinds({ directories: { shared, local, secrets, logs } }: TaskStart): readonly string[] {
  return [`${shared}:/alloc`, `${local}:/local`, `${secrets}:/secrets`, `${logs}:/alloc/logs:ro`]
}

/** `source:target[:options]`; a source without a slash at its front is below the task's folder, unless a volume driver has it. */
function volumeBinds(request: TaskStart, { volumes = [], volume_driver }: DockerConfig, options: DockerOptions): readonly string[] {
  if (volume_driver && !options.volumes.enabled) throw startError(`volumes are not enabled; cannot use volume driver "${volume_driver}"`)
  return volumes.map((volume) => {
    const [source = '', target = '', ...rest] = volume.split(':')
    if (source === '' || target === '') throw startError(`invalid docker volume "${volume}": not <src>:<destination> format`)
    const isNamed = volume_driver && !isAbsolute(source)
    return [isNamed ? source : hostPath(request, source, options, `"${volume}"`), target, ...rest].join(':')
  })
}

/** A path of the task's own folders always; any other where the host's file allows it. */
function hostPath({ directories }: TaskStart, source: string, options: DockerOptions, shown: string): string {
  const path = isAbsolute(source) ? join(source) : join(directories.task, source)
  if (options.volumes.enabled) return path
  // A task may have put a link there in the life before.
  const real = realPathOf(path)
  const allocation = realPathOf(dirname(directories.task))
  if (!isBelow(allocation, path) && !isBelow(dirname(directories.task), path)) throw notEnabled(shown)
  if (!isBelow(allocation, real)) throw notEnabled(shown)
  return real
}

function notEnabled(shown: string) {
  return startError(`volumes are not enabled; cannot mount host paths: ${shown}`)
}

function isBelow(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return inside === '' || (!inside.startsWith('..') && !isAbsolute(inside))
}

/** With the links of as much of it as there is followed. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const above = dirname(path)
    return above === path ? path : join(realPathOf(above), relative(above, path))
  }
}

function mountsOf(request: TaskStart, config: DockerConfig, options: DockerOptions): Dockerode.MountSettings[] {
  const own = [...(config.mount ?? []), ...(config.mounts ?? [])].map((mount) => mountOf(request, mount, options))
  const volumes = request.mounts.map(
    ({ source, target, isReadOnly, propagation }): Dockerode.MountSettings => ({
      Type: 'bind',
      Source: source,
      Target: target,
      ReadOnly: isReadOnly,
      BindOptions: { Propagation: PROPAGATIONS[propagation] },
    }),
  )
  return [...volumes, ...own]
}

/** What Docker takes 0 for, and podman does not. */
const TMPFS_MODE = 0o1777

const PROPAGATIONS = { private: 'rprivate', 'host-to-task': 'rslave', bidirectional: 'rshared' } as const

function mountOf(request: TaskStart, mount: DockerMount, options: DockerOptions): Dockerode.MountSettings {
  const { type = 'volume', target = '', source = '', readonly = false } = mount
  const common = { Target: target, ReadOnly: readonly }
  switch (type || 'volume') {
    case 'bind': {
      const Propagation = mount.bind_options?.propagation as Dockerode.MountPropagation | undefined
      const Source = hostPath(request, source, options, `"${source}" "${target}"`)
      return { ...common, Type: 'bind', Source, ...(Propagation ? { BindOptions: { Propagation } } : {}) }
    }
    case 'tmpfs': {
      const { size = 0, mode = 0 } = mount.tmpfs_options ?? {}
      return { ...common, Source: '', Type: 'tmpfs', TmpfsOptions: { SizeBytes: size, Mode: mode || TMPFS_MODE } }
    }
    default:
      return { ...common, Type: 'volume', Source: source, ...volumeOptions(mount, options) }
  }
}

function volumeOptions({ volume_options }: DockerMount, { volumes }: DockerOptions): Partial<Dockerode.MountSettings> {
  if (volume_options === undefined) return {}
  const { no_copy = false, labels = {}, driver_config } = volume_options
  const Name = driver_config?.name ?? ''
  if (Name !== '' && Name !== 'local' && !volumes.enabled) throw startError(`volumes are not enabled; cannot use volume driver "${Name}"`)
  return { VolumeOptions: { NoCopy: no_copy, Labels: labels, DriverConfig: { Name, Options: driver_config?.options ?? {} } } }
}

function resourcesOf({ resources, task }: TaskStart, config: DockerConfig, host: SpecHost) {
  const { MemoryMB, MemoryMaxMB } = resources.Memory
  const ownMb = config.memory_hard_limit ?? 0
  if (ownMb > 0 && ownMb < MemoryMB) throw startError(`task memory requirements exceed driver hard limit of ${ownMb} MB`)
  const hardMb = Math.max(ownMb, MemoryMaxMB)
  const limit = (hardMb > 0 ? hardMb : MemoryMB) * MEBIBYTE_BYTES
  const cores = resources.Cpu.ReservedCores ?? []
  const period = config.cpu_cfs_period ?? 100_000
  const share = host.cpuMhz > 0 ? resources.Cpu.CpuShares / host.cpuMhz : 0
  const pids = pidsLimit(config, host.options)
  return {
    Memory: limit,
    MemorySwap: limit,
    ...(hardMb > 0 ? { MemoryReservation: MemoryMB * MEBIBYTE_BYTES } : {}),
    // Of cgroup v2 there is no such thing, and podman refuses it there.
    ...(host.cgroupVersion === '1' ? { MemorySwappiness: 0 } : {}),
    CpuShares: Math.max(2, resources.Cpu.CpuShares || task.Resources.CPU),
    ...given('CpusetCpus', cores.length > 0 ? cores.join(',') : config.cpuset_cpus),
    ...(config.cpu_hard_limit === true ? { CpuPeriod: period, CpuQuota: Math.max(1_000, Math.round(share * host.cpuCores * period)) } : {}),
    ...(pids > 0 ? { PidsLimit: pids } : {}),
  }
}

function pidsLimit({ pids_limit = 0 }: DockerConfig, options: DockerOptions): number {
  if (options.pids_limit > 0 && pids_limit > options.pids_limit)
    throw startError(`pids_limit cannot be greater than nomad plugin config pids_limit: ${options.pids_limit}`)
  return pids_limit > 0 ? pids_limit : options.pids_limit
}

function rightsOf(config: DockerConfig, options: DockerOptions) {
  const security = config.security_opt === undefined ? {} : { SecurityOpt: config.security_opt }
  if (config.privileged === true) {
    if (!options.allow_privileged) throw startError('Docker privileged mode is disabled on this Nomad agent')
    return { Privileged: true, ...security }
  }
  return { ...capabilities(config, options), ...security }
}

/** Whose namespaces those of the container are: of the host or of another container only where it may do as it likes anyway. */
function namespacesOf({ ipc_mode, pid_mode, uts_mode, userns_mode }: DockerConfig, { allow_privileged }: DockerOptions) {
  const denied = Object.entries({ ipc_mode, pid_mode, uts_mode, userns_mode }).find(([, mode]) => mode)
  if (denied !== undefined && !allow_privileged) throw startError(`cannot apply "${denied[0]}" configuration`)
  return {
    ...given('IpcMode', ipc_mode),
    ...given('PidMode', pid_mode),
    ...given('UTSMode', uts_mode),
    ...given('UsernsMode', userns_mode),
  }
}

function capabilities({ cap_add = [], cap_drop = [] }: DockerConfig, { allow_caps }: DockerOptions) {
  const allowed = new Set(allow_caps.map(plainName))
  const isAll = allowed.has('all')
  const asked = cap_add.map(plainName)
  const denied = isAll ? [] : asked.filter((name) => !allowed.has(name) && !(name === 'all' && allowed.has('all')))
  if (denied.length > 0) throw startError(`driver does not allow the following capabilities: ${denied.sort().join(', ')}`)
  if (asked.includes('all') && cap_drop.length === 0) return { CapAdd: ['ALL'] }
  const dropped = new Set(cap_drop.map(plainName))
  const kept = dropped.has('all') ? [] : defaultsWithin(allowed, isAll).filter((name) => !dropped.has(name))
  const held = [...new Set([...kept, ...asked])]
  return { CapDrop: ['ALL'], ...(held.length > 0 ? { CapAdd: held.map((name) => name.toUpperCase()) } : {}) }
}

const DEFAULTS: readonly string[] = DEFAULT_CAPABILITIES

function defaultsWithin(allowed: ReadonlySet<string>, isAll: boolean): readonly string[] {
  return DEFAULTS.filter((name) => isAll || allowed.has(name))
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/^cap_/, '')
}

function runtimeOf({ runtime }: DockerConfig, { allow_runtimes }: DockerOptions): string | undefined {
  if (!runtime) return undefined
  if (!allow_runtimes.includes(runtime)) throw startError(`requested runtime "${runtime}" is not allowed`)
  return runtime
}

/** `soft:hard`, or one number for both. */
function ulimitOf([Name, text]: readonly [string, string]) {
  const [soft, hard = soft] = text.split(':')
  const Soft = Number(soft)
  const Hard = Number(hard)
  const wrong = soft === '' || !Number.isInteger(Soft) ? 'soft' : hard === '' || !Number.isInteger(Hard) ? 'hard' : undefined
  if (wrong !== undefined) throw startError(`failed to parse ulimit configuration: Malformed ${wrong} ulimit ${Name}: ${soft}:${hard}`)
  return { Name, Soft, Hard }
}

function devicesOf(request: TaskStart, { devices = [] }: DockerConfig) {
  const all = [...devices.map(deviceOf), ...request.devices.map((path) => deviceOf({ host_path: path }))]
  return all.length === 0 ? undefined : all
}

type DeviceConfig = Partial<NonNullable<DockerConfig['devices']>[number]> & { readonly host_path: string }

function deviceOf({ host_path, container_path, cgroup_permissions }: DeviceConfig) {
  return { PathOnHost: host_path, PathInContainer: container_path || host_path, CgroupPermissions: cgroup_permissions || 'rwm' }
}
