/** Networks and ports of a group, together with those that its tasks still have. */
import type { NetworkResource, Port, TaskGroup } from '../../domain/index.js'
import { quote, wrapTexts } from './problem.js'

const PORT_MAX = 65_535

export function networkTexts(group: TaskGroup): string[] {
  const labels = new Map<string, string>()
  const statics = new Map<number, string>()
  const texts: string[] = []
  for (const network of group.Networks ?? []) texts.push(...portTexts(network, 'taskgroup network', labels, statics))
  for (const task of group.Tasks) {
    for (const network of task.Resources.Networks ?? [])
      texts.push(...portTexts(network, `task ${task.Name} network`, labels, statics, task.Name))
  }
  return wrapTexts('Task group network validation failed: ', texts)
}

function portTexts(
  network: NetworkResource,
  where: string,
  labels: Map<string, string>,
  statics: Map<number, string>,
  task?: string,
): string[] {
  const texts: string[] = []
  const isHost = network.Mode === undefined || network.Mode === '' || network.Mode === 'host'
  for (const port of [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])]) {
    const other = labels.get(port.Label)
    if (other === undefined) labels.set(port.Label, where)
    else texts.push(`Port label ${port.Label} already in use by ${other}`)
    texts.push(
      ...staticTexts(
        port,
        isHost,
        network,
        task === undefined ? `taskgroup network:${port.Label}` : `task ${task} network:${port.Label}`,
        statics,
      ),
    )
    if (port.To < -1) texts.push(`Port ${quote(port.Label)} cannot be mapped to negative value ${port.To}`)
    if (port.To > PORT_MAX) texts.push(`Port ${quote(port.Label)} cannot be mapped to a port (${port.To}) greater than ${PORT_MAX}`)
  }
  return texts
}

function staticTexts(port: Port, isHost: boolean, network: NetworkResource, name: string, statics: Map<number, string>): string[] {
  const texts: string[] = []
  if (port.IgnoreCollision === true && !isHost)
    texts.push(`Port ${quote(port.Label)} collision may not be ignored on non-host network mode ${quote(network.Mode ?? '')}`)
  if (port.Value <= 0) return texts
  const other = statics.get(port.Value)
  if (port.Value > PORT_MAX) texts.push(`Port ${port.Label} (${port.Value}) cannot be greater than ${PORT_MAX}`)
  else if (other !== undefined && port.IgnoreCollision !== true) texts.push(`Static port ${port.Value} already reserved by ${other}`)
  else statics.set(port.Value, name)
  return texts
}
