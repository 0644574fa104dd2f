/** Services and their checks as they are stored. */
import { SECOND } from '../domain/index.js'
import { type ApiObject, objectIn, objectsIn, textIn } from './decode/api-job.js'
import { CPU_DEFAULT, KILL_TIMEOUT_DEFAULT, LOGS_DEFAULT, MEMORY_DEFAULT } from './defaults.js'
import { fill, type GroupContext } from './fill.js'

/** `task` is set for a service inside a task. */
export function canonicalizeService(context: GroupContext, task: string | undefined, service: ApiObject): ApiObject {
  const name = serviceName(context, task, textIn(service, 'Name'))
  const provider = textIn(service, 'Provider') || 'consul'
  const onUpdate = textIn(service, 'OnUpdate') || 'require_healthy'
  const shared = objectIn(service, 'CheckRestart')
  return {
    ...service,
    Name: name,
    TaskName: textIn(service, 'TaskName') || task || '',
    AddressMode: textIn(service, 'AddressMode') || 'auto',
    OnUpdate: onUpdate,
    Provider: provider,
    Cluster: textIn(service, 'Cluster') || 'default',
    Namespace: provider === 'nomad' ? context.namespace : 'default',
    Checks: objectsIn(service, 'Checks').map((check) => canonicalizeCheck(name, onUpdate, task, shared, check)),
    Connect: canonicalizeConnect(objectIn(service, 'Connect')),
    Weights: weightsOf(objectIn(service, 'Weights')),
  }
}

function serviceName(context: GroupContext, task: string | undefined, given: string): string {
  const base = [context.id, context.group, ...(task === undefined ? [] : [task])].join('-')
  const written = given === '' ? '${BASE}' : given
  return written
    .replaceAll('${JOB}', context.id)
    .replaceAll('${TASKGROUP}', context.group)
    .replaceAll('${TASK}', task ?? '${TASK}')
    .replaceAll('${BASE}', base)
}

function canonicalizeCheck(
  service: string,
  onUpdate: string,
  task: string | undefined,
  shared: ApiObject | undefined,
  check: ApiObject,
): ApiObject {
  const own = objectIn(check, 'CheckRestart')
  const restart = own === undefined ? shared : fill(own, shared ?? {})
  return {
    ...check,
    Name: textIn(check, 'Name') || `service: "${service}" check`,
    OnUpdate: textIn(check, 'OnUpdate') || onUpdate,
    TaskName: textIn(check, 'TaskName') || task || '',
    CheckRestart: restart === undefined ? null : fill(restart, { Grace: SECOND }),
  }
}

function weightsOf(weights: ApiObject | undefined): ApiObject | null {
  return weights === undefined ? null : fill(weights, { Passing: 1, Warning: 1 })
}

function canonicalizeConnect(connect: ApiObject | undefined): ApiObject | null {
  if (connect === undefined) return null
  const sidecar = objectIn(connect, 'SidecarService')
  const task = objectIn(connect, 'SidecarTask')
  return {
    ...connect,
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
  const resources = fill(objectIn(task, 'Resources'), { CPU: CPU_DEFAULT, MemoryMB: MEMORY_DEFAULT })
  return {
    ...fill(task, { KillTimeout: KILL_TIMEOUT_DEFAULT, ShutdownDelay: 0 }),
    Resources: resources,
    LogConfig: fill(objectIn(task, 'LogConfig'), LOGS_DEFAULT),
  }
}
