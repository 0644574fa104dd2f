import { type ApiObject, objectsIn, textIn } from './decode/api-job.js'

/** Ports without a host network are on the default one. */
export function canonicalizeNetwork(network: ApiObject): ApiObject {
  const ports = (member: string): readonly ApiObject[] =>
    objectsIn(network, member).map((port) => ({ ...port, HostNetwork: textIn(port, 'HostNetwork') || 'default' }))
  return { ...network, ReservedPorts: ports('ReservedPorts'), DynamicPorts: ports('DynamicPorts') }
}
