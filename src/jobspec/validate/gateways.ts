/** Gateways of Consul's mesh. The first problem of a gateway is the one that is told. */
import { quote } from './problem.js'

type Members = Readonly<Record<string, unknown>>

const RESOLUTIONS: ReadonlySet<string> = new Set(['', 'STRICT_DNS', 'LOGICAL_DNS'])
const PROTOCOLS: readonly string[] = ['tcp', 'http', 'http2', 'grpc']
/** The port of a bind address that is found out later. */
const PORT_OF_LISTENER = -1

export function gatewayTexts(gateway: Members): string[] {
  const forms = ['Ingress', 'Terminating', 'Mesh'].filter((form) => gateway[form] != null)
  const problem =
    proxyProblem(membersIn(gateway, 'Proxy')) ??
    ingressProblem(membersIn(gateway, 'Ingress')) ??
    terminatingProblem(membersIn(gateway, 'Terminating')) ??
    (forms.length === 1 ? undefined : 'One Consul Gateway Configuration must be set')
  return problem === undefined ? [] : [problem]
}

function proxyProblem(proxy: Members | undefined): string | undefined {
  if (proxy === undefined) return undefined
  if (!RESOLUTIONS.has(textIn(proxy, 'EnvoyDNSDiscoveryType')))
    return 'Consul Gateway Proxy Envoy DNS Discovery type must be STRICT_DNS or LOGICAL_DNS'
  const addresses = Object.values(membersIn(proxy, 'EnvoyGatewayBindAddresses') ?? {}) as readonly Members[]
  return firstOf(addresses, (address) => {
    if (textIn(address, 'Address') === '') return 'Consul Gateway Bind Address must be set'
    const port = numberIn(address, 'Port')
    return port === 0 || port < PORT_OF_LISTENER ? 'Consul Gateway Bind Address must set valid Port' : undefined
  })
}

function ingressProblem(ingress: Members | undefined): string | undefined {
  if (ingress === undefined) return undefined
  const listeners = listIn(ingress, 'Listeners')
  return listeners.length === 0 ? 'Consul Ingress Gateway requires at least one listener' : firstOf(listeners, listenerProblem)
}

function listenerProblem(listener: Members): string | undefined {
  if (numberIn(listener, 'Port') <= 0) return 'Consul Ingress Listener requires valid Port'
  const protocol = textIn(listener, 'Protocol') || 'tcp'
  if (!PROTOCOLS.includes(protocol)) return `Consul Ingress Listener requires protocol of ${PROTOCOLS.join(', ')}, got ${quote(protocol)}`
  const services = listIn(listener, 'Services')
  if (services.length === 0) return 'Consul Ingress Listener requires one or more services'
  return firstOf(services, (service) => ingressServiceProblem(service, protocol === 'tcp'))
}

function ingressServiceProblem(service: Members, isTcp: boolean): string | undefined {
  const name = textIn(service, 'Name')
  const hasHosts = ((service['Hosts'] ?? []) as readonly unknown[]).length > 0
  if (name === '') return 'Consul Ingress Service requires a name'
  if (name === '*' && isTcp) return `Consul Ingress Service doesn't support wildcard name for "tcp" protocol`
  if (name === '*' && hasHosts) return 'Consul Ingress Service with a wildcard "*" service name can not also specify hosts'
  return isTcp && hasHosts ? `Consul Ingress Service doesn't support associating hosts to a service for the "tcp" protocol` : undefined
}

function terminatingProblem(terminating: Members | undefined): string | undefined {
  if (terminating === undefined) return undefined
  const services = listIn(terminating, 'Services')
  return services.length === 0 ? 'Consul Terminating Gateway requires at least one service' : firstOf(services, linkedProblem)
}

function linkedProblem(service: Members): string | undefined {
  const [authority, certificate, key] = ['CAFile', 'CertFile', 'KeyFile'].map((member) => textIn(service, member) !== '')
  if (textIn(service, 'Name') === '') return 'Consul Linked Service requires Name'
  if (!authority && (certificate || key)) return 'Consul Linked Service TLS requires CAFile'
  if (certificate !== key) return 'Consul Linked Service TLS Cert and Key must both be set'
  return textIn(service, 'SNI') !== '' && !authority ? 'Consul Linked Service TLS SNI requires CAFile' : undefined
}

function firstOf(items: readonly Members[], problemOf: (item: Members) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = problemOf(item)
    if (problem !== undefined) return problem
  }
  return undefined
}

function membersIn(owner: Members, member: string): Members | undefined {
  return (owner[member] ?? undefined) as Members | undefined
}

function listIn(owner: Members, member: string): readonly Members[] {
  return ((owner[member] ?? []) as readonly (Members | null)[]).map((item) => item ?? {})
}

function textIn(owner: Members, member: string): string {
  return (owner[member] ?? '') as string
}

function numberIn(owner: Members, member: string): number {
  return (owner[member] ?? 0) as number
}
