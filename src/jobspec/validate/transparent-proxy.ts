/** Transparent proxies of Consul's mesh: what the block says, and what its group must be like. */
import type { Service, TaskGroup } from '../../domain/index.js'
import { listText, quote } from './problem.js'

type Members = Readonly<Record<string, unknown>>

const PORT_MAX = 65_535
const IP_FOUR = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}$/
const USER_MAX = 4_294_967_295

export function transparentProxyOf(service: Service): Members | undefined {
  return (sidecarProxyOf(service)?.['TransparentProxy'] ?? undefined) as Members | undefined
}

export function sidecarProxyOf(service: Service): Members | undefined {
  return (service.Connect?.SidecarService?.['Proxy'] ?? undefined) as Members | undefined
}

/** Problems of the block itself, as one text. */
export function transparentProxyTexts(service: Service): string[] {
  const block = transparentProxyOf(service)
  if (block === undefined) return []
  const user = (block['UID'] ?? '') as string
  const texts = [
    ...textsIn(block, 'ExcludeOutboundCIDRs').flatMap((prefix) => prefixTexts(prefix)),
    ...(user === '' ? [] : userTexts('UID', user)),
    ...textsIn(block, 'ExcludeUIDs').flatMap((excluded) => userTexts('ExcludeUIDs', excluded)),
  ]
  return texts.length > 1 ? [listText(texts)] : texts
}

function userTexts(field: string, user: string): string[] {
  const problem = /^[0-9]+$/.test(user) ? (Number(user) > USER_MAX ? 'value out of range' : undefined) : 'invalid syntax'
  return problem === undefined ? [] : [`transparent proxy block has invalid ${field} field: invalid user ID ${quote(user)}: ${problem}`]
}

function prefixTexts(prefix: string): string[] {
  const problem = prefixProblem(prefix)
  if (problem === undefined) return []
  return [`could not parse transparent proxy excluded outbound CIDR as network prefix: netip.ParsePrefix(${quote(prefix)}): ${problem}`]
}

function prefixProblem(prefix: string): string | undefined {
  const at = prefix.lastIndexOf('/')
  if (at < 0) return "no '/'"
  const [address, bits] = [prefix.slice(0, at), prefix.slice(at + 1)]
  const isFour = IP_FOUR.test(address)
  if (!isFour && !isSix(address)) return `ParseAddr(${quote(address)}): unable to parse IP`
  if (!/^(?:0|[1-9][0-9]*)$/.test(bits)) return `bad bits after slash: ${quote(bits)}`
  return Number(bits) > (isFour ? 32 : 128) ? 'prefix length out of range' : undefined
}

function isSix(address: string): boolean {
  if (!/^[0-9a-fA-F:]+$/.test(address)) return false
  const halves = address.split('::')
  const groups = address.split(':').filter((part) => part !== '')
  const isWhole = halves.length === 2 ? groups.length < 8 : groups.length === 8 && halves.length === 1
  return isWhole && groups.every((part) => part.length <= 4) && !/^:[^:]|[^:]:$/.test(address)
}

/** What a group must be like for it. */
export function transparentGroupTexts(group: TaskGroup, service: Service): string[] {
  const block = transparentProxyOf(service)
  if (block === undefined) return []
  const labels = new Set(
    (group.Networks ?? [])
      .flatMap((network) => [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])])
      .map(({ Label }) => Label),
  )
  const strange = textsIn(block, 'ExcludeInboundPorts').find((port) => !isPort(port) && !labels.has(port))
  if (strange !== undefined)
    return [`Consul Connect transparent proxy port ${quote(strange)} must be numeric or one of network.port labels`]
  const connected = (group.Services ?? []).filter(({ Connect }) => Connect !== null)
  return connected.length > 1 ? ['Consul Connect transparent proxy requires there is only one connect block'] : []
}

function isPort(text: string): boolean {
  return /^[0-9]+$/.test(text) && Number(text) <= PORT_MAX
}

function textsIn(owner: Members, member: string): readonly string[] {
  return (owner[member] ?? []) as readonly string[]
}
