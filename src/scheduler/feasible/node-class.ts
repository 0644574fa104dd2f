/**
 * The computed class of a node: nodes of one class are alike to every condition that names nothing unique
 * (Nomad docs, "Placement").
 */
import type { Node } from '../../domain/index.js'
import type { Condition } from './constraints.js'

type Classified = Pick<Node, 'Datacenter' | 'Attributes' | 'Meta' | 'NodeClass' | 'NodePool' | 'NodeResources'>

/** `v1:<number>`, the same for equal nodes on every server. */
export function computeNodeClass(node: Classified): string {
  const devices = (node.NodeResources.Devices ?? []).map(({ Vendor, Type, Name, Attributes }) => [
    Vendor,
    Type,
    Name,
    shared(Attributes ?? {}),
  ])
  const text = JSON.stringify([node.Datacenter, shared(node.Attributes), shared(node.Meta), node.NodeClass, node.NodePool, devices])
  return `v1:${hashText(text)}`
}

function shared(values: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return sorted(values).filter(([key]) => !key.startsWith('unique.'))
}

function sorted(values: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** 64 bits of FNV-1a, as a decimal number. */
function hashText(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (let at = 0; at < text.length; at++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n)
  return hash.toString()
}

const UNIQUE = /^\$\{((node|attr|meta)\.)?unique\./

/** Whether the class of a node says nothing about this condition. */
export function escapesClass(condition: Condition): boolean {
  return UNIQUE.test(condition.LTarget) || UNIQUE.test(condition.RTarget)
}
