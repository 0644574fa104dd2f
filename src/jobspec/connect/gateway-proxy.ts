/** Where a gateway's proxy listens, where its author did not say so. */
import { SECOND } from '../../domain/index.js'
import { type ApiObject, apiObject, objectIn, objectsIn, textIn } from '../decode/api-job.js'
import { fill } from '../fill.js'

export type GatewayKind = 'ingress' | 'terminating' | 'mesh'

/** One that does not say what it is counts as terminating until it is refused. */
export function gatewayKindOf(gateway: ApiObject): GatewayKind {
  if (objectIn(gateway, 'Ingress') !== undefined) return 'ingress'
  return objectIn(gateway, 'Mesh') !== undefined && objectIn(gateway, 'Terminating') === undefined ? 'mesh' : 'terminating'
}

const CONNECT_TIMEOUT_DEFAULT = 5 * SECOND
const ANYWHERE = '0.0.0.0'
const DYNAMIC_PORT = -1

/** In a network of its own a gateway binds what it serves; on the host Envoy's own addresses do. */
export function withProxy(gateway: ApiObject, mode: string): ApiObject {
  const proxy = fill(objectIn(gateway, 'Proxy'), { ConnectTimeout: CONNECT_TIMEOUT_DEFAULT })
  if (saysWhereToBind(proxy))
    return { ...gateway, Proxy: { ...proxy, EnvoyGatewayBindAddresses: objectIn(proxy, 'EnvoyGatewayBindAddresses') ?? {} } }
  const kind = gatewayKindOf(gateway)
  if (mode === 'host') return { ...gateway, Proxy: proxy }
  const EnvoyGatewayBindAddresses = bindAddresses(gateway, kind)
  return { ...gateway, Proxy: { ...proxy, EnvoyGatewayNoDefaultBind: true, EnvoyGatewayBindAddresses } }
}

function saysWhereToBind(proxy: ApiObject): boolean {
  const addresses = Object.keys(objectIn(proxy, 'EnvoyGatewayBindAddresses') ?? {})
  return addresses.length > 0 || proxy['EnvoyGatewayNoDefaultBind'] === true || proxy['EnvoyGatewayBindTaggedAddresses'] === true
}

function bindAddresses(gateway: ApiObject, kind: GatewayKind): ApiObject {
  const dynamic = { Address: ANYWHERE, Port: DYNAMIC_PORT }
  switch (kind) {
    case 'mesh':
      return { lan: dynamic, wan: dynamic }
    case 'terminating':
      return { default: dynamic }
    case 'ingress':
      return apiObject(
        objectsIn(objectIn(gateway, 'Ingress') ?? {}, 'Listeners').flatMap((listener) =>
          objectsIn(listener, 'Services').map(
            (service) => [textIn(service, 'Name'), { Address: ANYWHERE, Port: listener['Port'] }] as const,
          ),
        ),
      )
  }
}
