/** Services and their checks as they are stored. */
import { SECOND } from '../domain/index.js'
import { canonicalizeResources } from './canonicalize-resources.js'
import { type ApiObject, type ApiValue, objectIn, objectsIn, textIn } from './decode/api-job.js'
import { KILL_TIMEOUT_DEFAULT, LOGS_DEFAULT } from './defaults.js'
import { canonicalizeIdentity, configOf, fill, type GroupContext } from './fill.js'
import { quote } from './validate/problem.js'

/** `task` is set for a service inside a task. */
export function canonicalizeService(context: GroupContext, task: string | undefined, service: ApiObject): ApiObject {
  const name = serviceName(context, task, textIn(service, 'Name'))
  const provider = textIn(service, 'Provider') || 'consul'
  const onUpdate = textIn(service, 'OnUpdate') || 'require_healthy'
  const shared = objectIn(service, 'CheckRestart')
  const ownTask = textIn(service, 'TaskName') || task || ''
  const identity = objectIn(service, 'Identity')
  return {
    ...service,
    Name: name,
    TaskName: ownTask,
    AddressMode: textIn(service, 'AddressMode') || 'auto',
    OnUpdate: onUpdate,
    Provider: provider,
    Cluster: textIn(service, 'Cluster') || 'default',
    Namespace: provider === 'nomad' ? context.namespace : 'default',
    Checks: objectsIn(service, 'Checks').map((check) =>
      canonicalizeCheck(name, onUpdate, ownTask, shared, task === undefined ? check : { ...check, TaskName: ownTask }),
    ),
    Connect: canonicalizeConnect(objectIn(service, 'Connect')),
    Weights: weightsOf(objectIn(service, 'Weights')),
    Identity: identity === undefined ? null : serviceIdentity(provider, task, { ...service, Name: name }, identity),
  }
}

function serviceName(context: GroupContext, task: string | undefined, given: string): string {
  if (given === '') return [context.name, context.group, ...(task === undefined ? [] : [task])].join('-')
  const owner = task ?? 'group'
  return given
    .replaceAll('${JOB}', context.name)
    .replaceAll('${TASKGROUP}', context.group)
    .replaceAll('${TASK}', owner)
    .replaceAll('${BASE}', `${context.name}-${context.group}-${owner}`)
}

function canonicalizeCheck(service: string, onUpdate: string, task: string, shared: ApiObject | undefined, check: ApiObject): ApiObject {
  const own = objectIn(check, 'CheckRestart')
  const restart = own === undefined || shared === undefined ? (own ?? shared) : { ...shared, ...said(own) }
  return {
    ...check,
    Name: textIn(check, 'Name') || `service: ${quote(service)} check`,
    OnUpdate: textIn(check, 'OnUpdate') || onUpdate,
    SuccessBeforePassing: notNegative(check['SuccessBeforePassing']),
    FailuresBeforeCritical: notNegative(check['FailuresBeforeCritical']),
    FailuresBeforeWarning: notNegative(check['FailuresBeforeWarning']),
    TaskName: textIn(check, 'TaskName') || task,
    CheckRestart: restart === undefined ? null : fill(restart, { Grace: SECOND }),
  }
}

/** Beside the service's own a limit of none and `ignore_warnings = false` say nothing. */
function said({ Limit, Grace, IgnoreWarnings }: ApiObject): ApiObject {
  return {
    ...(Number(Limit ?? 0) > 0 ? { Limit } : {}),
    ...(Grace == null ? {} : { Grace }),
    ...(IgnoreWarnings === true ? { IgnoreWarnings } : {}),
  }
}

/** What Consul knows a service's workload by; a service of Nomad's own is given none. */
function serviceIdentity(provider: string, task: string | undefined, service: ApiObject, identity: ApiObject): ApiObject {
  const canonical = canonicalizeIdentity(identity)
  if (provider !== 'consul') return canonical
  const name = [...(task === undefined ? [] : [task]), textIn(service, 'Name'), textIn(service, 'PortLabel')].join('-')
  return { ...canonical, Name: `consul-service_${name}`, ServiceName: textIn(service, 'Name') }
}

function notNegative(value: ApiValue): number {
  return typeof value === 'number' ? Math.max(0, value) : 0
}

/** Zero and less mean "not said" here. */
function weightsOf(weights: ApiObject | undefined): ApiObject | null {
  if (weights === undefined) return null
  const weight = (member: string): ApiValue => (Number(weights[member] ?? 0) <= 0 ? 1 : weights[member])
  return { Passing: weight('Passing'), Warning: weight('Warning') }
}

function canonicalizeConnect(connect: ApiObject | undefined): ApiObject | null {
  if (connect === undefined) return null
  const sidecar = objectIn(connect, 'SidecarService')
  const task = objectIn(connect, 'SidecarTask')
  const gateway = objectIn(connect, 'Gateway')
  return {
    ...connect,
    ...(gateway === undefined ? {} : { Gateway: canonicalizeGateway(gateway) }),
    ...(sidecar === undefined ? {} : { SidecarService: canonicalizeSidecar(sidecar) }),
    ...(task === undefined ? {} : { SidecarTask: canonicalizeSidecarTask(task) }),
  }
}

function canonicalizeSidecar(sidecar: ApiObject): ApiObject {
  const proxy = objectIn(sidecar, 'Proxy')
  if (proxy === undefined) return sidecar
  const upstreams = objectsIn(proxy, 'Upstreams').map((upstream) => fill(upstream, { MeshGateway: { Mode: '' } }))
  return { ...sidecar, Proxy: { ...proxy, Expose: proxy['Expose'] ?? proxy['ExposeConfig'] ?? null, Upstreams: upstreams } }
}

function canonicalizeSidecarTask(task: ApiObject): ApiObject {
  return {
    ...fill(task, { KillTimeout: KILL_TIMEOUT_DEFAULT, ShutdownDelay: 0 }),
    Config: configOf(task),
    Resources: canonicalizeResources(objectIn(task, 'Resources')),
    LogConfig: fill(objectIn(task, 'LogConfig'), LOGS_DEFAULT),
  }
}

function canonicalizeGateway(gateway: ApiObject): ApiObject {
  const proxy = objectIn(gateway, 'Proxy')
  const ingress = objectIn(gateway, 'Ingress')
  return {
    ...gateway,
    ...(proxy === undefined ? {} : { Proxy: fill(proxy, { ConnectTimeout: 5 * SECOND }) }),
    ...(ingress === undefined ? {} : { Ingress: canonicalizeIngress(ingress) }),
  }
}

function canonicalizeIngress(ingress: ApiObject): ApiObject {
  const listeners = objectsIn(ingress, 'Listeners').map((listener) => ({ ...listener, Protocol: textIn(listener, 'Protocol') || 'tcp' }))
  return listeners.length === 0 ? ingress : { ...ingress, Listeners: listeners }
}
