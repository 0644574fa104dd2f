/** Checks with `expose`: each gets a listener of the sidecar, and where it names no port, one of its own. */
import { formatDuration } from '../../domain/index.js'
import { type ApiObject, objectIn, objectsIn, textIn } from '../decode/api-job.js'
import { sha256 } from '../hcl/functions/hashes.js'

const LABEL_DIGITS = 6

/** The group with the ports and paths of its exposed checks. Where the service's own port is not known, nothing is added. */
export function exposeChecks(group: ApiObject): ApiObject {
  let exposed = group
  for (const [at, service] of objectsIn(group, 'Services').entries()) {
    if (objectIn(objectIn(service, 'Connect') ?? {}, 'SidecarService') === undefined) continue
    for (const [checkAt, check] of objectsIn(service, 'Checks').entries()) {
      if (isExposable(check)) exposed = exposeCheck(exposed, at, checkAt)
    }
  }
  return exposed
}

/** HTTP with a path, or gRPC with one: what Envoy can tell apart by path. */
export function isExposable(check: ApiObject): boolean {
  const type = textIn(check, 'Type')
  return check['Expose'] === true && (type === 'http' || type === 'grpc') && textIn(check, 'Path').startsWith('/')
}

function exposeCheck(group: ApiObject, serviceAt: number, checkAt: number): ApiObject {
  const services = objectsIn(group, 'Services')
  const service = services[serviceAt]!
  const check = objectsIn(service, 'Checks')[checkAt]!
  const port = localPort(group, service)
  if (port === undefined) return group
  const label = textIn(check, 'PortLabel') || labelOf(service, checkAt)
  const path = { Path: textIn(check, 'Path'), Protocol: textIn(check, 'Protocol'), LocalPathPort: port, ListenerPort: label }
  const next = withPath({ ...service, Checks: replaced(objectsIn(service, 'Checks'), checkAt, { ...check, PortLabel: label }) }, path)
  const isNew = textIn(check, 'PortLabel') === ''
  return { ...group, Services: replaced(services, serviceAt, next), ...(isNew ? { Networks: withPort(group, label) } : {}) }
}

function replaced(items: readonly ApiObject[], at: number, item: ApiObject): readonly ApiObject[] {
  return items.map((one, index) => (index === at ? item : one))
}

/** A number as it is, or the static port of that label. */
function localPort(group: ApiObject, service: ApiObject): number | undefined {
  const label = textIn(service, 'PortLabel')
  const reserved = objectsIn(group, 'Networks').flatMap((network) => objectsIn(network, 'ReservedPorts'))
  const value = reserved.find((port) => textIn(port, 'Label') === label)?.['Value']
  if (typeof value === 'number') return value
  return /^[+-]?[0-9]+$/.test(label) ? Number(label) : undefined
}

function withPath(service: ApiObject, path: ApiObject): ApiObject {
  const connect = objectIn(service, 'Connect') ?? {}
  const sidecar = objectIn(connect, 'SidecarService') ?? {}
  const proxy = objectIn(sidecar, 'Proxy') ?? {}
  const paths = objectsIn(objectIn(proxy, 'Expose') ?? {}, 'Paths')
  const isThere = paths.some((one) => Object.entries(path).every(([name, value]) => one[name] === value))
  const Expose = { Paths: isThere ? paths : [...paths, path] }
  return { ...service, Connect: { ...connect, SidecarService: { ...sidecar, Proxy: { ...proxy, Expose } } } }
}

function withPort(group: ApiObject, label: string): readonly ApiObject[] {
  const [first, ...others] = objectsIn(group, 'Networks')
  if (first === undefined) return []
  const ports = objectsIn(first, 'DynamicPorts')
  return [{ ...first, DynamicPorts: [...ports, { Label: label, To: -1, HostNetwork: 'default' }] }, ...others]
}

/** `svc_<service>_ck_<hash>`: the hash is of what the check does, so that the label stays as long as the check does. */
function labelOf(service: ApiObject, checkAt: number): string {
  const name = textIn(service, 'Name')
  const check = objectsIn(service, 'Checks')[checkAt]!
  const hash = sha256(new TextEncoder().encode(`${name}_${checkAt}${identityOf(check)}`))
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `svc_${name}_ck_${hex.slice(0, LABEL_DIGITS)}`
}

function identityOf(check: ApiObject): string {
  const text = (member: string): string => textIn(check, member)
  const duration = (member: string): string => formatDuration(typeof check[member] === 'number' ? (check[member] as number) : 0)
  const flag = (member: string): string => (check[member] === true ? 'true' : '')
  const count = (member: string, word: string): string => (check[member] === 0 || check[member] == null ? '' : `${word}${check[member]}`)
  const args = Array.isArray(check['Args']) ? check['Args'].join('') : ''
  const header = Object.entries(objectIn(check, 'Header') ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, values]) => name + (Array.isArray(values) ? values.join('') : ''))
    .join('')
  return [
    text('Name'),
    text('Type'),
    text('Command'),
    args,
    text('Path'),
    text('Protocol'),
    text('PortLabel'),
    duration('Interval'),
    duration('Timeout'),
    text('Method'),
    text('Body'),
    text('OnUpdate'),
    flag('TLSSkipVerify'),
    header,
    text('AddressMode'),
    text('GRPCService'),
    flag('GRPCUseTLS'),
    count('SuccessBeforePassing', 'success'),
    count('FailuresBeforeCritical', 'failures'),
    count('FailuresBeforeWarning', 'failures-before-warning'),
    text('TLSServerName'),
    text('Notes'),
  ].join('')
}
