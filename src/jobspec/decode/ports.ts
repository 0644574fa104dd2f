/** Ports of the networks of groups and tasks. Those of a proxy stay as they are written, as in Nomad. */
import { type ApiObject, objectsIn } from './api-job.js'

/** `owner` with its networks' ports told apart. */
export function withPorts(owner: ApiObject): ApiObject {
  const networks = objectsIn(owner, 'Networks')
  return networks.length === 0 ? owner : { ...owner, Networks: networks.map(splitPorts) }
}

/** Ports with a static number are reserved; `reserved_ports` blocks count only when there is no `port`. */
function splitPorts(network: ApiObject): ApiObject {
  const ports = objectsIn(network, 'DynamicPorts')
  if (ports.length === 0) return network
  const isReserved = (port: ApiObject): boolean => typeof port['Value'] === 'number' && port['Value'] > 0
  const reserved = ports.filter(isReserved)
  const dynamic = ports.filter((port) => !isReserved(port))
  const { ReservedPorts: _reserved, DynamicPorts: _dynamic, ...rest } = network
  return { ...rest, ...(reserved.length > 0 ? { ReservedPorts: reserved } : {}), ...(dynamic.length > 0 ? { DynamicPorts: dynamic } : {}) }
}
