/**
 * The environment of a task, and `${…}` in the texts of a job that only the host can fill in. Later sources win: what the
 * allocation is, meta, the task's own `env` in its declared order, hooks, devices, templates. Source:
 * Nomad docs, "Runtime Environment".
 */
import type {
  AllocatedPortMapping,
  AllocatedTaskResources,
  Allocation,
  AllocNetworkStatus,
  Job,
  Node,
  Port,
  Task,
  TaskGroup,
} from '../domain/index.js'

export interface EnvironmentInput {
  readonly node: Node
  readonly job: Job
  readonly allocation: Allocation
  readonly task: Task
  readonly region: string
  /** As the task sees them; empty ones are left out. */
  readonly folders: { readonly shared: string; readonly local: string; readonly secrets: string }
  readonly networkStatus?: AllocNetworkStatus | null
  /** Ports that a driver maps, by label. */
  readonly driverPorts?: Readonly<Record<string, number>>
  readonly deviceEnvironment?: Variables
  /** In the order in which the hooks ran. */
  readonly hookEnvironments?: readonly Variables[]
  readonly templateEnvironment?: Variables
  readonly vault?: { readonly token: string; readonly namespace: string }
  readonly identity?: IdentityTokens
  /** Where the API is served to the task alone; undefined: nowhere. */
  readonly socket?: string
}

export type Variables = Readonly<Record<string, string>>

/** `token` is empty where the default identity is not for the environment. */
export interface IdentityTokens {
  readonly token: string
  readonly named: Readonly<Record<string, string>>
}

export interface TaskEnvironment {
  readonly variables: Variables
  /** Names as in `${…}`: `node.*`, `attr.*`, `meta.*` of the node. */
  readonly nodeValues: Variables
}

export function buildEnvironment(input: EnvironmentInput): TaskEnvironment {
  const nodeValues = nodeValuesOf(input.node, input.region)
  const variables: Record<string, string> = {
    ...placeVariables(input),
    ...limitVariables(input),
    ...portVariables(input),
    ...upstreamVariables(groupOf(input)),
    ...identityVariables(input),
  }
  Object.assign(variables, metaVariables(input, { variables, nodeValues }))
  const add = (source: Variables) => {
    for (const [name, value] of Object.entries(source)) variables[name] = interpolate(value, { variables, nodeValues })
  }
  add(input.task.Env ?? {})
  for (const environment of input.hookEnvironments ?? []) add(environment)
  add(input.deviceEnvironment ?? {})
  Object.assign(variables, input.templateEnvironment ?? {})
  return { variables: cleanNames(variables), nodeValues }
}

/** Fills in `${name}` where the name is known, the environment before the node; anything else stays as it stands. */
export function interpolate(text: string, { variables, nodeValues }: TaskEnvironment): string {
  if (!text.includes('${')) return text
  return text.replace(
    /\$\{([A-Za-z0-9_.-]+)\}/g,
    (literal, name: string) => findOwn(variables, name) ?? findOwn(nodeValues, name) ?? literal,
  )
}

function findOwn(values: Variables, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

/** Of each node that was asked for: hundreds of allocations share what their host is. */
const knownNodeValues = new WeakMap<Node, { readonly region: string; readonly values: Variables }>()

export function nodeValuesOf(node: Node, region: string): Variables {
  const known = knownNodeValues.get(node)
  if (known?.region === region) return known.values
  const values = newNodeValues(node, region)
  knownNodeValues.set(node, { region, values })
  return values
}

function newNodeValues(node: Node, region: string): Variables {
  const prefixed = (prefix: string, values: Variables | null) =>
    Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [`${prefix}${name}`, value]))
  return {
    'node.unique.id': node.ID,
    'node.unique.name': node.Name,
    'node.datacenter': node.Datacenter,
    ...(region === '' ? {} : { 'node.region': region }),
    'node.class': node.NodeClass,
    'node.pool': node.NodePool,
    ...prefixed('attr.', node.Attributes),
    ...prefixed('meta.', node.Meta),
  }
}

function groupOf({ job, allocation }: EnvironmentInput): TaskGroup | undefined {
  return job.TaskGroups.find((group) => group.Name === allocation.TaskGroup)
}

function placeVariables({ node, job, allocation, task, region, folders }: EnvironmentInput): Variables {
  return dropEmpty({
    NOMAD_ALLOC_DIR: folders.shared,
    NOMAD_TASK_DIR: folders.local,
    NOMAD_SECRETS_DIR: folders.secrets,
    NOMAD_ALLOC_ID: allocation.ID,
    NOMAD_SHORT_ALLOC_ID: allocation.ID.slice(0, 8),
    NOMAD_ALLOC_NAME: allocation.Name,
    NOMAD_ALLOC_INDEX: allocationIndex(allocation),
    NOMAD_TASK_NAME: task.Name,
    NOMAD_GROUP_NAME: allocation.TaskGroup,
    NOMAD_JOB_ID: job.ID,
    NOMAD_JOB_NAME: job.Name,
    NOMAD_JOB_PARENT_ID: job.ParentID ?? '',
    NOMAD_NAMESPACE: allocation.Namespace,
    NOMAD_REGION: region,
    NOMAD_DC: node.Datacenter,
    NOMAD_PARENT_CGROUP: node.CgroupParent,
  })
}

/** What stands in the brackets of `job.group[7]`: a name without a number counts as the first, one below zero has no index. */
function allocationIndex({ Name, JobID, TaskGroup }: Allocation): string {
  const text = Name.slice(JobID.length + TaskGroup.length + 2, -1)
  const index = /^[+-]?\d+$/.test(text) ? Number(text) : 0
  return index < 0 ? '' : String(index)
}

function dropEmpty(values: Variables): Variables {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && value !== undefined))
}

function limitVariables({ allocation, task }: EnvironmentInput): Variables {
  const given = allocatedTo(allocation, task.Name)
  const unlessZero = (value: number | undefined) => (value === undefined || value === 0 ? '' : String(value))
  if (given === undefined) {
    return dropEmpty({
      NOMAD_CPU_LIMIT: unlessZero(task.Resources.CPU),
      NOMAD_MEMORY_LIMIT: unlessZero(task.Resources.MemoryMB),
      NOMAD_MEMORY_MAX_LIMIT: unlessZero(task.Resources.MemoryMaxMB),
    })
  }
  return dropEmpty({
    NOMAD_CPU_LIMIT: unlessZero(given.Cpu.CpuShares),
    // One space when no cores are reserved: what the reference sets.
    NOMAD_CPU_CORES: formatCores(given.Cpu.ReservedCores ?? []) || ' ',
    NOMAD_MEMORY_LIMIT: unlessZero(given.Memory.MemoryMB),
    NOMAD_MEMORY_MAX_LIMIT: unlessZero(given.Memory.MemoryMaxMB),
  })
}

function allocatedTo(allocation: Allocation, taskName: string): AllocatedTaskResources | undefined {
  const tasks = allocation.AllocatedResources?.Tasks
  return tasks !== undefined && Object.hasOwn(tasks, taskName) ? tasks[taskName] : undefined
}

/** `3-5,9` */
function formatCores(cores: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const core of [...new Set(cores)].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === core - 1) last[1] = core
    else ranges.push([core, core])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

function portVariables(input: EnvironmentInput): Variables {
  const { allocation, task, driverPorts = {} } = input
  const variables: Record<string, string> = {}
  for (const [name, resources] of Object.entries(allocation.AllocatedResources?.Tasks ?? {})) {
    for (const network of resources.Networks ?? []) {
      const ports = [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])]
      for (const port of ports) {
        const described = name === task.Name ? ownPort(port, network.IP ?? '', driverPorts) : siblingPort(name, port, network.IP ?? '')
        Object.assign(variables, described)
      }
    }
  }
  for (const { ReservedPorts, DynamicPorts } of allocation.AllocatedResources?.Shared?.Networks ?? [])
    for (const port of [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])]) Object.assign(variables, networkPort(port))
  const ofTasks = Object.values(allocation.AllocatedResources?.Tasks ?? {})
    .flatMap(({ Networks }) => Networks ?? [])
    .flatMap(({ ReservedPorts, DynamicPorts }) => [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])])
  // Ports that tasks asked for themselves are listed there, too.
  const isOfGroup = ({ Label, Value }: AllocatedPortMapping) => !ofTasks.some((port) => port.Label === Label && port.Value === Value)
  for (const mapping of (allocation.AllocatedResources?.Shared?.Ports ?? []).filter(isOfGroup))
    Object.assign(variables, groupPort(mapping), allocationPort(mapping, input.networkStatus))
  return variables
}

function ownPort({ Label, Value }: Port, ip: string, driverPorts: Readonly<Record<string, number>>): Variables {
  return {
    [`NOMAD_ADDR_${Label}`]: address(ip, Value),
    [`NOMAD_IP_${Label}`]: ip,
    [`NOMAD_${ip.includes(':') ? 'IPv6' : 'IPv4'}_${Label}`]: ip,
    [`NOMAD_PORT_${Label}`]: String(driverPorts[Label] || Value),
    [`NOMAD_HOST_PORT_${Label}`]: String(Value),
  }
}

function siblingPort(taskName: string, { Label, Value }: Port, ip: string): Variables {
  const name = `${taskName}_${Label}`
  return { [`NOMAD_ADDR_${name}`]: address(ip, Value), [`NOMAD_IP_${name}`]: ip, [`NOMAD_PORT_${name}`]: String(Value) }
}

/** Of rows that have the ports of their group only in its network. */
function networkPort({ Label, Value, To }: Port): Variables {
  return { [`NOMAD_PORT_${Label}`]: String(To > 0 ? To : Value), [`NOMAD_HOST_PORT_${Label}`]: String(Value) }
}

function groupPort({ Label, Value, To, HostIP }: AllocatedPortMapping): Variables {
  const seenByTask = String(To > 0 ? To : Value)
  return {
    [`NOMAD_ADDR_${Label}`]: address(HostIP, Value),
    [`NOMAD_IP_${Label}`]: HostIP,
    [`NOMAD_PORT_${Label}`]: seenByTask,
    [`NOMAD_HOST_ADDR_${Label}`]: address(HostIP, Value),
    [`NOMAD_HOST_IP_${Label}`]: HostIP,
    [`NOMAD_HOST_PORT_${Label}`]: String(Value),
    [`NOMAD_ALLOC_PORT_${Label}`]: seenByTask,
  }
}

function allocationPort({ Label, Value, To }: AllocatedPortMapping, network: AllocNetworkStatus | null | undefined): Variables {
  if (network === undefined || network === null) return {}
  return {
    [`NOMAD_ALLOC_INTERFACE_${Label}`]: network.InterfaceName,
    [`NOMAD_ALLOC_IP_${Label}`]: network.Address,
    [`NOMAD_ALLOC_ADDR_${Label}`]: address(network.Address, To === 0 ? Value : To),
  }
}

function address(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

/** What a connect proxy offers; the name as it is and with `_` for `-`. */
function upstreamVariables(group: TaskGroup | undefined): Variables {
  const variables: Record<string, string> = {}
  for (const service of group?.Services ?? []) {
    const proxy = service.Connect?.SidecarService?.['Proxy'] as { readonly Upstreams?: readonly Upstream[] | null } | null | undefined
    for (const { DestinationName, LocalBindPort } of proxy?.Upstreams ?? []) {
      for (const name of [DestinationName, cleanName(DestinationName)]) {
        variables[`NOMAD_UPSTREAM_ADDR_${name}`] = address(UPSTREAM_IP, LocalBindPort)
        variables[`NOMAD_UPSTREAM_IP_${name}`] = UPSTREAM_IP
        variables[`NOMAD_UPSTREAM_PORT_${name}`] = String(LocalBindPort)
      }
    }
  }
  return variables
}

/** Whatever address the upstream binds: tasks of the group share its loopback. */
const UPSTREAM_IP = '127.0.0.1'

type Upstream = { readonly DestinationName: string; readonly LocalBindPort: number }

function identityVariables({ vault, identity, socket }: EnvironmentInput): Variables {
  const variables: Record<string, string> = {}
  if (vault !== undefined) Object.assign(variables, dropEmpty({ VAULT_TOKEN: vault.token, VAULT_NAMESPACE: vault.namespace }))
  if (identity === undefined) return variables
  if (identity.token !== '') variables['NOMAD_TOKEN'] = identity.token
  for (const [name, token] of Object.entries(identity.named)) variables[`NOMAD_TOKEN_${name}`] = token
  const hasToken = Object.keys(variables).some((name) => name.startsWith('NOMAD_TOKEN'))
  if (socket !== undefined && hasToken) variables['NOMAD_UNIX_ADDR'] = `unix://${socket}`
  return variables
}

/** Every key twice, as it is and in upper case; the former may itself hold `${…}`. */
function metaVariables(input: EnvironmentInput, environment: TaskEnvironment): Variables {
  const { job, task } = input
  const optional = job.Dispatched ? (job.ParameterizedJob?.MetaOptional ?? []) : []
  const merged: Record<string, string> = {
    ...Object.fromEntries(optional.map((name) => [name, ''])),
    ...job.Meta,
    ...groupOf(input)?.Meta,
    ...task.Meta,
  }
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries(merged)) {
    variables[`NOMAD_META_${upperCase(name)}`] = interpolate(value, environment)
  }
  for (const [name, value] of Object.entries(merged)) {
    variables[interpolate(`NOMAD_META_${name}`, environment)] = interpolate(value, environment)
  }
  return variables
}

/** Letter by letter: one without a single capital stays, `ß` for example. */
function upperCase(text: string): string {
  return [...text].map((letter) => (letter.toUpperCase().length === letter.length ? letter.toUpperCase() : letter)).join('')
}

const CLEANED = /^NOMAD_(ADDR|IP|PORT|HOST_PORT|META)_/

function cleanNames(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [CLEANED.test(name) ? cleanName(name) : name, value]))
}

/** One `_` for each byte that shells take in no name. */
function cleanName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.]/gu, (letter) => '_'.repeat(utf8Length(letter)))
}

function utf8Length(letter: string): number {
  const code = letter.codePointAt(0)!
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  return code < 0x10000 ? 3 : 4
}
