/** Networks and ports of a group, together with those that its tasks still have. */
import type { NetworkResource, Port, TaskGroup } from '../../domain/index.js'
import { quote, wrapTexts } from './problem.js'

const PORT_MAX = 65_535
const LABEL_BYTES_MAX = 63
const NAME_BYTES_MAX = 255
const GROUP_NETWORK = 'taskgroup network'

/** Labels of tasks are compared with those of the group, never with each other's; static ports with all. */
export function networkTexts(group: TaskGroup): string[] {
  const labels = new Set<string>()
  /** By host network and number: whose port it is. */
  const statics = new Map<string, string>()
  const cniArgs = new Set<string>()
  const texts: string[] = []
  for (const network of group.Networks ?? []) {
    for (const port of portsOf(network)) {
      if (labels.has(port.Label)) texts.push(`Port label ${port.Label} already in use by ${GROUP_NETWORK}`)
      labels.add(port.Label)
      texts.push(...staticTexts(port, GROUP_NETWORK, statics), ...mappingTexts(port), ...collisionTexts(port, network))
    }
    for (const arg of Object.keys(network.CNI?.Args ?? {}).sort()) {
      if (cniArgs.has(arg)) texts.push(`duplicate CNI arg ${quote(arg)}`)
      cniArgs.add(arg)
    }
    if (!isDomainName(network.Hostname ?? '')) texts.push('Hostname is not a valid DNS name')
  }
  for (const task of group.Tasks ?? []) {
    for (const port of (task.Resources.Networks ?? []).flatMap(portsOf)) {
      if (labels.has(port.Label)) texts.push(`Port label ${port.Label} already in use by ${GROUP_NETWORK}`)
      texts.push(...staticTexts({ ...port, IgnoreCollision: false }, task.Name, statics))
    }
  }
  return wrapTexts('Task group network validation failed: ', texts)
}

function portsOf(network: NetworkResource): readonly Port[] {
  return [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])]
}

function staticTexts({ Label, Value, HostNetwork, IgnoreCollision }: Port, owner: string, statics: Map<string, string>): string[] {
  if (Value > PORT_MAX) return [`Port ${Label} (${Value}) cannot be greater than ${PORT_MAX}`]
  if (Value === 0) return []
  const key = `${HostNetwork}:${Value}`
  const other = statics.get(key)
  if (other === undefined) statics.set(key, `${owner}:${Label}`)
  return other === undefined || IgnoreCollision === true ? [] : [`Static port ${Value} already reserved by ${other}`]
}

function mappingTexts({ Label, To }: Port): string[] {
  if (To < -1) return [`Port ${quote(Label)} cannot be mapped to negative value ${To}`]
  return To > PORT_MAX ? [`Port ${quote(Label)} cannot be mapped to a port (${To}) greater than ${PORT_MAX}`] : []
}

function collisionTexts({ Label, IgnoreCollision }: Port, { Mode = '' }: NetworkResource): string[] {
  if (IgnoreCollision !== true || Mode === '' || Mode === 'host') return []
  return [`Port ${quote(Label)} collision may not be ignored on non-host network mode ${quote(Mode)}`]
}

/** Labels up to 63 bytes, 255 in all: what fits a DNS message, whatever its characters. */
function isDomainName(name: string): boolean {
  if (name === '') return true
  const bytes = (text: string): number => new TextEncoder().encode(text).length
  const labels = name.replace(/\.$/, '').split('.')
  return bytes(name) < NAME_BYTES_MAX && labels.every((label) => label !== '' && bytes(label) <= LABEL_BYTES_MAX)
}
