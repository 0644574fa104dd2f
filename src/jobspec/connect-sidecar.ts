/** What a service in Consul's mesh adds to its group: the proxy's task and the port it listens on. Drover stores it and runs no mesh. */
import { SECOND } from '../domain/index.js'
import { type ApiObject, objectIn, objectsIn, textIn } from './decode/api-job.js'

const PROXY_CONFIG: ApiObject = {
  image: '${meta.connect.sidecar_image}',
  args: [
    '-c',
    '${NOMAD_SECRETS_DIR}/envoy_bootstrap.json',
    '-l',
    '${meta.connect.log_level}',
    '--concurrency',
    '${meta.connect.proxy_concurrency}',
    '--disable-hot-restart',
  ],
}

const PROXY_CONSTRAINTS: readonly ApiObject[] = [
  { LTarget: '${attr.consul.version}', RTarget: '>= 1.8.0', Operand: 'semver' },
  { LTarget: '${attr.consul.grpc}', RTarget: '0', Operand: '>' },
]

const PROXY_TASK: ApiObject = {
  Driver: 'docker',
  Resources: { CPU: 250, MemoryMB: 128 },
  LogConfig: { MaxFiles: 2, MaxFileSizeMB: 2 },
  ShutdownDelay: 5 * SECOND,
}

/** The group with a proxy task and port for each of its services that has a sidecar, unless they are there already. */
export function addSidecars(group: ApiObject): ApiObject {
  const services = objectsIn(group, 'Services').filter((service) => hasSidecar(service))
  return services.reduce(addSidecar, group)
}

function hasSidecar(service: ApiObject): boolean {
  const connect = objectIn(service, 'Connect')
  return connect !== undefined && objectIn(connect, 'SidecarService') !== undefined
}

function addSidecar(group: ApiObject, service: ApiObject): ApiObject {
  const name = `connect-proxy-${textIn(service, 'Name')}`
  const tasks = objectsIn(group, 'Tasks')
  const isThere = tasks.some((task) => textIn(task, 'Kind') === `connect-proxy:${textIn(service, 'Name')}`)
  const written = objectIn(objectIn(service, 'Connect') ?? {}, 'SidecarTask')
  const proxy = {
    ...proxyTask(written),
    Name: (written === undefined ? '' : textIn(written, 'Name')) || name,
    Kind: `connect-proxy:${textIn(service, 'Name')}`,
  }
  return { ...group, Tasks: isThere ? tasks : [...tasks, proxy], Networks: withPort(objectsIn(group, 'Networks'), name) }
}

/** Members of the sidecar task as written win over those of the proxy. */
function proxyTask(written: ApiObject | undefined): ApiObject {
  const given = Object.entries(written ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== '')
  return {
    ...PROXY_TASK,
    Config: PROXY_CONFIG,
    Constraints: PROXY_CONSTRAINTS,
    Lifecycle: { Hook: 'prestart', Sidecar: true },
    ...Object.fromEntries(given),
  }
}

function withPort(networks: readonly ApiObject[], label: string): readonly ApiObject[] {
  const [first, ...others] = networks
  if (first === undefined) return networks
  const ports = objectsIn(first, 'DynamicPorts')
  if (ports.some((port) => textIn(port, 'Label') === label)) return networks
  return [{ ...first, DynamicPorts: [...ports, { Label: label, To: -1, HostNetwork: 'default' }] }, ...others]
}
