/** A look at every node for one more allocation of a group: why not here, and how good if it may. */
import type { Job, Node, TaskGroup } from '../../../src/domain/index.js'
import { assignDevices, devicesInUse } from '../../../src/scheduler/feasible/devices.js'
import { PortIndex } from '../../../src/scheduler/feasible/ports.js'
import { askedBy, capacityOf, coresHeld, coresOf, usedBy } from './amounts.js'
import { isCandidate, relationReason, staticReason } from './feasible.js'
import type { Moment } from './moment.js'
import { type Scored, scoresOf } from './scores.js'

export interface Finding extends Scored {
  readonly node: Node
  readonly kind: 'filtered' | 'exhausted' | 'open'
  /** Undefined when open. */
  readonly reason: string | undefined
  /** Why it is in vain all the same: it shows only when ports are really chosen. */
  readonly portReason: string | undefined
}

export function surveyNodes(moment: Moment, job: Job, group: TaskGroup, name: string, penalized: ReadonlySet<string>): readonly Finding[] {
  const candidates = moment.view.nodes.all().filter((node) => isCandidate(node, job))
  const feasible = candidates.filter((node) => staticReason(node, job, group) === undefined)
  return candidates.map((node): Finding => {
    const filtered = staticReason(node, job, group) ?? relationReason(moment, node, job, group, name)
    const exhausted = filtered === undefined ? shortage(moment, node, group) : undefined
    const kind = filtered !== undefined ? 'filtered' : exhausted !== undefined ? 'exhausted' : 'open'
    const scored = kind === 'open' ? scoresOf(moment, feasible, node, job, group, penalized.has(node.ID)) : { scores: {}, norm: 0 }
    return { node, kind, reason: filtered ?? exhausted, portReason: portReason(moment, node, group, true), ...scored }
  })
}

/** Why an allocation that is thought away could not be on its node; whether the node takes anything new does not matter. */
export function reasonToLeave(moment: Moment, node: Node, job: Job, group: TaskGroup, name: string): string | undefined {
  return staticReason(node, job, group) ?? relationReason(moment, node, job, group, name) ?? shortage(moment, node, group)
}

/** The first thing that there is too little of. */
function shortage(moment: Moment, node: Node, group: TaskGroup): string | undefined {
  const rows = moment.proposedOn(node.ID)
  const port = portReason(moment, node, group, false)
  if (port !== undefined) return `network: ${port}`
  const devices = group.Tasks.flatMap((task) => task.Resources.Devices ?? [])
  if (assignDevices(node, devices, devicesInUse(rows)) === undefined) return 'devices: no devices match request'
  const cores = group.Tasks.reduce((sum, task) => sum + task.Resources.Cores, 0)
  if (cores > 0 && coresHeld(rows).length + cores > coresOf(node).length) return 'cores'
  if (node.NodeMaxAllocs > 0 && rows.length >= node.NodeMaxAllocs) return 'max allocation exceeded'
  const [all, used, ask] = [capacityOf(node), usedBy(rows), askedBy(group, node)]
  return (['cpu', 'memory', 'disk'] as const).find((amount) => used[amount] + ask[amount] > all[amount])
}

/** With dynamic ports it is asked of the whole node: others may already be at odds. */
function portReason(moment: Moment, node: Node, group: TaskGroup, withDynamic: boolean): string | undefined {
  const ask = group.Networks?.[0]
  const ports = PortIndex.of(node, moment.proposedOn(node.ID))
  if (ask === undefined) return undefined
  if (withDynamic && ports.malformed !== undefined) return 'invalid node'
  if (withDynamic && ports.collision !== undefined) return 'port collision'
  const offer = ports.assign(withDynamic ? ask : { ...ask, DynamicPorts: null }, 0)
  return offer.kind === 'refused' ? offer.reason : undefined
}
