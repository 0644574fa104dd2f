/** Services in Consul's mesh: what the block says, and what its group must offer. */
import type { Job, Service, TaskGroup } from '../../domain/index.js'
import { isExposable } from '../connect/exposed-checks.js'
import type { ApiObject } from '../decode/api-job.js'
import { gatewayTexts } from './gateways.js'
import { quote } from './problem.js'
import { sidecarProxyOf, transparentGroupTexts, transparentProxyTexts } from './transparent-proxy.js'

type Members = Readonly<Record<string, unknown>>

/** Problems of the block itself. */
export function connectTexts(service: Service): string[] {
  const connect = service.Connect
  if (connect === null) return []
  const forms = [connect.Native, connect.SidecarService !== null, connect.Gateway !== null].filter(Boolean)
  const texts: string[] = []
  if (forms.length !== 1) texts.push('Consul Connect must be exclusively native, make use of a sidecar, or represent a Gateway')
  else if (connect.Gateway !== null) texts.push(...gatewayTexts(connect.Gateway as unknown as Members))
  texts.push(...transparentProxyTexts(service))
  if (connect.Native && service.TaskName === '') texts.push(`Service ${service.Name} is Connect Native and requires setting the task`)
  if (connect.Native && service.PortLabel === '') texts.push(`Service ${service.Name} is Connect Native and requires setting the port`)
  return texts
}

/** What a group lacks for the services in it, in the words of the step that would have used it; the first is told. */
export function meshTexts(job: Job): string[] {
  return job.TaskGroups.flatMap((group) => {
    const upstreams = new Map<string, string>()
    return (group.Services ?? []).flatMap((service) => groupTexts(group, service, upstreams))
  }).slice(0, 1)
}

/** `upstreams`: services by the address at which their upstreams listen. */
function groupTexts(group: TaskGroup, service: Service, upstreams: Map<string, string>): string[] {
  const connect = service.Connect
  if (connect === null) return []
  if (connect.SidecarService !== null) {
    return [
      ...networkTexts(group, 'connect sidecar', ['bridge']),
      ...upstreamTexts(group, service, upstreams),
      ...transparentGroupTexts(group, service),
    ]
  }
  if (connect.Native) return nativeTexts(group, service)
  if (connect.Gateway === null) return []
  const network = networkTexts(group, 'connect gateway', ['bridge', 'host'])
  return network.length > 0 || connect.Gateway['Mesh'] == null || service.PortLabel !== '' ? network : [MESH_WITHOUT_PORT]
}

function upstreamTexts(group: TaskGroup, service: Service, seen: Map<string, string>): string[] {
  const upstreams = (sidecarProxyOf(service)?.['Upstreams'] ?? []) as readonly (Members | null)[]
  return upstreams.flatMap((upstream) => {
    const host = (upstream?.['LocalBindAddress'] ?? '') as string
    const address = `${host.includes(':') ? `[${host}]` : host}:${upstream?.['LocalBindPort'] ?? 0}`
    const earlier = seen.get(address)
    seen.set(address, earlier ?? service.Name)
    if (earlier === undefined) return []
    const services = `${quote(service.Name)} and ${quote(earlier)} in group ${quote(group.Name)}`
    return [`Consul Connect services ${services} using same address for upstreams (${address})`]
  })
}

const MESH_WITHOUT_PORT = 'service.port must be set for mesh gateway service'

/** A native service speaks for one task of its group. */
function nativeTexts(group: TaskGroup, service: Service): string[] {
  const tasks = group.Tasks ?? []
  const name = `Consul Connect Native service ${group.Name}->${service.Name}`
  if (service.TaskName === '') return tasks.length === 1 ? [] : [`task for ${name} is ambiguous and must be set`]
  return tasks.some((task) => task.Name === service.TaskName) ? [] : [`task ${service.TaskName} named by ${name} does not exist`]
}

function networkTexts(group: TaskGroup, step: string, modes: readonly string[]): string[] {
  const networks = group.Networks ?? []
  if (networks.length !== 1)
    return [`${step}: must have exactly one network for Consul Connect: group ${quote(group.Name)} has ${networks.length} networks`]
  const mode = networks[0]?.Mode ?? ''
  if (modes.includes(mode) || mode.startsWith('cni/')) return []
  const wanted = modes.length === 1 ? '"bridge" or "cni/*"' : '"bridge", "host", or "cni/*"'
  return [
    `${step}: invalid network mode for Consul Connect: group ${quote(group.Name)} uses network mode ${quote(mode)}; must be ${wanted}`,
  ]
}

/** A check that asks for a listener of a sidecar where there is none; the first is told. */
export function exposeTexts(job: Job): string[] {
  const texts = job.TaskGroups.flatMap((group) => {
    const exposed = (group.Services ?? []).flatMap((service) => (service.Checks ?? []).filter((check) => check.Expose))
    const network = exposed.length === 0 ? [] : networkTexts(group, 'connect expose check', ['bridge'])
    if (network.length > 0) return network
    return [...groupExposeTexts(group), ...taskExposeTexts(group)]
  })
  return texts.slice(0, 1)
}

function groupExposeTexts(group: TaskGroup): string[] {
  return (group.Services ?? []).flatMap((service) =>
    (service.Checks ?? [])
      .filter((check) => check.Expose)
      .flatMap((check) => {
        const name = `${group.Name}->${service.Name}->${check.Name}`
        if (service.Connect?.SidecarService == null) return [`exposed service check ${name} requires use of sidecar_proxy`]
        const isWithoutPort = check.PortLabel === '' && isExposable(check as unknown as ApiObject)
        return isWithoutPort ? [`unable to determine local service port for service check ${name}`] : []
      }),
  )
}

function taskExposeTexts(group: TaskGroup): string[] {
  return (group.Tasks ?? []).flatMap((task) =>
    (task.Services ?? []).flatMap((service) =>
      (service.Checks ?? [])
        .filter((check) => check.Expose)
        .map((check) => `exposed service check ${group.Name}[${task.Name}]->${service.Name}->${check.Name} is not a task-group service`),
    ),
  )
}
