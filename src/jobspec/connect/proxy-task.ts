/** The Envoy task that a service in Consul's mesh adds to its group. Drover stores it and runs no mesh. */
import { SECOND } from '../../domain/index.js'
import type { ApiObject } from '../decode/api-job.js'

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
  return { ...task, ...given(written), Kind: `connect-proxy:${service}` }
}

export function gatewayTask(service: string, kind: string, isOnHost: boolean, written: ApiObject | undefined): ApiObject {
  const Config = { image: '${meta.connect.gateway_image}', args: ARGUMENTS, ...(isOnHost ? { network_mode: 'host' } : {}) }
  return { ...COMMON, Config, Name: `connect-${kind}-${service}`, ...given(written), Kind: `connect-${kind}:${service}` }
}

/** Members of `sidecar_task` that say something win over those of the proxy. */
function given(written: ApiObject | undefined): ApiObject {
  return Object.fromEntries(Object.entries(written ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== ''))
}
