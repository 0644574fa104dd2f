/** The Envoy task that a service in Consul's mesh adds to its group. Drover stores it and runs no mesh. */
import { SECOND } from '../../domain/index.js'
import { type ApiObject, type ApiValue, objectIn, textIn } from '../decode/api-job.js'

const ARGUMENTS: readonly string[] = [
  '-c',
  '${NOMAD_SECRETS_DIR}/envoy_bootstrap.json',
  '-l',
  '${meta.connect.log_level}',
  '--concurrency',
  '${meta.connect.proxy_concurrency}',
  '--disable-hot-restart',
]

const CONSTRAINTS: readonly ApiObject[] = [
  { LTarget: '${attr.consul.version}', RTarget: '>= 1.8.0', Operand: 'semver' },
  { LTarget: '${attr.consul.grpc}', RTarget: '0', Operand: '>' },
]

const COMMON: ApiObject = {
  Driver: 'docker',
  Resources: { CPU: 250, MemoryMB: 128 },
  LogConfig: { MaxFiles: 2, MaxFileSizeMB: 2 },
  ShutdownDelay: 5 * SECOND,
  Constraints: CONSTRAINTS,
}

/** A sidecar starts before the tasks that it stands in front of. */
export function sidecarTask(service: string, written: ApiObject | undefined): ApiObject {
  const Config = { image: '${meta.connect.sidecar_image}', args: ARGUMENTS }
  const task = { ...COMMON, Config, Lifecycle: { Hook: 'prestart', Sidecar: true }, Name: `connect-proxy-${service}` }
  return { ...withWritten(task, written), Kind: `connect-proxy:${service}` }
}

export function gatewayTask(service: string, kind: string, isOnHost: boolean, written: ApiObject | undefined): ApiObject {
  const Config = { image: '${meta.connect.gateway_image}', args: ARGUMENTS, ...(isOnHost ? { network_mode: 'host' } : {}) }
  const task = { ...COMMON, Config, Name: `connect-${kind}-${service}` }
  return { ...withWritten(task, written), Kind: `connect-${kind}:${service}` }
}

/** `sidecar_task`: what it says wins over the proxy's own; another driver takes nothing over from the proxy's configuration. */
export function withWritten(task: ApiObject, written: ApiObject = {}): ApiObject {
  const { Config, Env, Meta, Resources, LogConfig, ...others } = written
  const isOwnDriver = ['', textIn(task, 'Driver')].includes(textIn(written, 'Driver'))
  return {
    ...task,
    ...said(others),
    Config: { ...(isOwnDriver ? objectIn(task, 'Config') : {}), ...(Config as ApiObject | null) },
    Env: merged(task['Env'], Env),
    Meta: merged(task['Meta'], Meta),
    Resources: { ...objectIn(task, 'Resources'), ...only(RESOURCES, Resources) },
    LogConfig: { ...objectIn(task, 'LogConfig'), ...only(LOGS, LogConfig) },
  }
}

function merged(own: ApiValue, written: ApiValue): ApiObject | null {
  return own == null && written == null ? null : { ...(own as ApiObject | null), ...(written as ApiObject | null) }
}

const RESOURCES: readonly string[] = ['CPU', 'Cores', 'MemoryMB', 'MemoryMaxMB', 'SecretsMB', 'Devices', 'Networks']
const LOGS: readonly string[] = ['MaxFiles', 'MaxFileSizeMB']

/** Zero says nothing here. */
function only(members: readonly string[], object: ApiValue): ApiObject {
  const entries = Object.entries(said((object ?? {}) as ApiObject))
  return Object.fromEntries(entries.filter(([member, value]) => members.includes(member) && value !== 0))
}

function said(object: ApiObject): ApiObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined && value !== ''))
}
