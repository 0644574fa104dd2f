/** By what a task is more than a guest on its host: it sees or changes what is not its own. Where that cannot be told, it counts as such. */
import type { Task } from '../../domain/index.js'

type Limited = Pick<Task, 'Driver' | 'Config'>
type Config = Readonly<Record<string, unknown>>

/** In words that follow the name of the task; empty: by nothing. */
export function privilegesOf({ Driver, Config }: Limited): readonly string[] {
  const config = Config ?? {}
  switch (Driver) {
    case 'raw_exec':
      return ['runs without isolation (raw_exec)']
    case 'docker':
    case 'podman':
      return [...optionsIn(config, CONTAINER_OPTIONS), ...networkOf(config), ...volumesOf(config), ...mountsOf(config)]
    default:
      return optionsIn(config, PROCESS_OPTIONS)
  }
}

/** Options, each with the values that mean nothing more than its absence does. */
type Harmless = Readonly<Record<string, readonly string[]>>

const PROCESS_OPTIONS: Harmless = { cap_add: [], pid_mode: ['private'], ipc_mode: ['private'] }

const CONTAINER_OPTIONS: Harmless = {
  privileged: [],
  cap_add: [],
  cgroupns: ['private'],
  devices: [],
  ipc_mode: ['private', 'none', 'shareable'],
  pid_mode: ['private'],
  runtime: [],
  security_opt: [],
  userns_mode: [],
  uts_mode: ['private'],
  volume_driver: [],
}

const NETWORKS_OF_GUESTS = ['', 'bridge', 'default', 'none']

function optionsIn(config: Config, harmless: Harmless): readonly string[] {
  return Object.entries(harmless)
    .filter(([name, values]) => isSaid(config[name]) && !values.includes(String(config[name])))
    .map(([name]) => `sets ${name}`)
}

function isSaid(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false
  if (Array.isArray(value)) return value.length > 0
  return !['', 'false', '0'].includes(String(value))
}

function networkOf(config: Config): readonly string[] {
  const mode = config['network_mode']
  return mode === undefined || mode === null || NETWORKS_OF_GUESTS.includes(String(mode)) ? [] : [`sets network_mode "${String(mode)}"`]
}

function volumesOf(config: Config): readonly string[] {
  return listOf(config['volumes'])
    .map((volume) => String(volume).split(':')[0]!)
    .filter((from) => !isOwnPath(from))
    .map((from) => `mounts ${JSON.stringify(from)}, which may lie outside its allocation`)
}

function mountsOf(config: Config): readonly string[] {
  return [...listOf(config['mount']), ...listOf(config['mounts'])].flatMap((mount) => {
    const { type, source } = mount as { type?: unknown; source?: unknown }
    if (type === 'tmpfs') return []
    if (type === 'bind' && isOwnPath(String(source ?? ''))) return []
    return [`mounts ${JSON.stringify(String(source ?? ''))}, which may lie outside its allocation`]
  })
}

/** Below the folder of the allocation, whatever is filled in when the task starts. */
function isOwnPath(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.startsWith('~') && !path.split('/').includes('..') && !path.includes('${')
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
