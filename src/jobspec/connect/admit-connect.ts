/**
 * What services in Consul's mesh add to their group before it is stored: the proxy's task, the port it listens on, the task
 * that speaks for a native service. A group without a network is left as it is, to be refused.
 */
import { type ApiObject, objectIn, objectsIn, textIn } from '../decode/api-job.js'
import { exposeChecks } from './exposed-checks.js'
import { gatewayKindOf, withProxy } from './gateway-proxy.js'
import { gatewayTask, sidecarTask, withWritten } from './proxy-task.js'

/** `group` with its services canonical. */
export function admitConnect(group: ApiObject): ApiObject {
  if (objectsIn(group, 'Networks').length === 0) return group
  const admitted = objectsIn(group, 'Services').reduce((next, _, at) => admitService(next, at), group)
  return exposeChecks(admitted)
}

function admitService(group: ApiObject, at: number): ApiObject {
  const service = objectsIn(group, 'Services')[at]!
  const connect = objectIn(service, 'Connect')
  if (connect === undefined) return group
  const sidecar = objectIn(connect, 'SidecarService')
  if (sidecar !== undefined) return admitSidecar(group, service, sidecar)
  if (connect['Native'] === true) return admitNative(group, service, at)
  return objectIn(connect, 'Gateway') === undefined ? group : admitGateway(group, service, at)
}

function admitSidecar(group: ApiObject, service: ApiObject, sidecar: ApiObject): ApiObject {
  const name = textIn(service, 'Name')
  const written = objectIn(objectIn(service, 'Connect') ?? {}, 'SidecarTask')
  return withPort(withTask(group, sidecarTask(name, written), written), textIn(sidecar, 'Port') || `connect-proxy-${name}`)
}

/** With one task in the group, that one is meant. */
function admitNative(group: ApiObject, service: ApiObject, at: number): ApiObject {
  const tasks = objectsIn(group, 'Tasks')
  const only = tasks.length === 1 ? textIn(tasks[0]!, 'Name') : ''
  const wanted = textIn(service, 'TaskName') || only
  if (wanted === '') return group
  const Kind = `connect-native:${textIn(service, 'Name')}`
  return {
    ...withService(group, at, { ...service, TaskName: wanted }),
    Tasks: tasks.map((task) => (textIn(task, 'Name') === wanted ? { ...task, Kind } : task)),
  }
}

function admitGateway(group: ApiObject, service: ApiObject, at: number): ApiObject {
  const connect = objectIn(service, 'Connect') ?? {}
  const gateway = objectIn(connect, 'Gateway') ?? {}
  const kind = gatewayKindOf(gateway)
  const [network] = objectsIn(group, 'Networks')
  const mode = textIn(network ?? {}, 'Mode')
  const Gateway = withProxy(gateway, mode)
  const name = textIn(service, 'Name')
  const label = gatewayPort(service, name, objectIn(gateway, 'Terminating') !== undefined)
  const admitted = withService(group, at, { ...service, PortLabel: label, Connect: { ...connect, Gateway } })
  const written = objectIn(connect, 'SidecarTask')
  const withProxyTask = withTask(admitted, gatewayTask(name, kind, mode === 'host', written), written)
  if (kind === 'mesh') return withPort(withProxyTask, `connect-mesh-${name}-lan`)
  return label === textIn(service, 'PortLabel') ? withProxyTask : withPort(withProxyTask, label)
}

/** A terminating gateway that names no port is given one. */
function gatewayPort(service: ApiObject, name: string, isTerminating: boolean): string {
  return textIn(service, 'PortLabel') || (isTerminating ? `connect-terminating-${name}` : '')
}

function withService(group: ApiObject, at: number, service: ApiObject): ApiObject {
  return { ...group, Services: objectsIn(group, 'Services').map((one, index) => (index === at ? service : one)) }
}

/** A task of that kind may be there already, of a job that was stored once: then that one takes what is written. */
function withTask(group: ApiObject, task: ApiObject, written: ApiObject | undefined): ApiObject {
  const tasks = objectsIn(group, 'Tasks')
  const at = tasks.findIndex((one) => textIn(one, 'Kind') === task['Kind'])
  if (at < 0) return { ...group, Tasks: [...tasks, task] }
  return written === undefined ? group : { ...group, Tasks: tasks.with(at, withWritten(tasks[at]!, written)) }
}

function withPort(group: ApiObject, label: string): ApiObject {
  const [first, ...others] = objectsIn(group, 'Networks')
  const ports = objectsIn(first ?? {}, 'DynamicPorts')
  if (first === undefined || ports.some((port) => textIn(port, 'Label') === label)) return group
  return { ...group, Networks: [{ ...first, DynamicPorts: [...ports, { Label: label, To: -1, HostNetwork: 'default' }] }, ...others] }
}
