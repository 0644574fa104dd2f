/** Hosts as files: `agents/<node>.hcl` (pool default) and `agents/<pool>/<node>.hcl`. */
import { NODE_POOL_DEFAULT, type NodeDeclaration } from '../domain/index.js'
import type { HclBody } from '../jobspec/index.js'
import { readPortRanges } from '../scheduler/index.js'
import type { StateView } from '../state/index.js'
import type { Attributes, Body, DeclarationFields } from './declaration-fields.js'

export function decodeNodeDeclaration(
  fields: DeclarationFields,
  content: HclBody,
  { path, pool, name }: Pick<NodeDeclaration, 'path' | 'pool' | 'name'>,
): NodeDeclaration {
  const body = fields.body(content, ['public_key', 'class', 'datacenter', 'eligible'], ['meta', 'reserved', 'host_volume'])
  const reserved = fields.block(body, 'reserved', ['cpu', 'memory', 'disk', 'ports'])?.attributes ?? NONE
  return {
    name,
    path,
    pool,
    nodeClass: fields.text(body.attributes, 'class') ?? '',
    datacenter: fields.text(body.attributes, 'datacenter') ?? 'dc1',
    meta: fields.texts(body, 'meta') ?? {},
    publicKey: fields.text(body.attributes, 'public_key') ?? '',
    reserved: {
      cpuMhz: fields.number(reserved, 'cpu') ?? 0,
      memoryMb: fields.number(reserved, 'memory') ?? 0,
      diskMb: fields.number(reserved, 'disk') ?? 0,
      ports: decodePorts(fields, reserved),
    },
    hostVolumes: decodeVolumes(fields, body),
    isEligible: fields.bool(body.attributes, 'eligible') ?? true,
  }
}

const NONE: Attributes = new Map()

function decodePorts(fields: DeclarationFields, reserved: Attributes): string {
  const text = fields.text(reserved, 'ports') ?? ''
  const read = readPortRanges(text)
  if (read.kind === 'malformed') fields.refuse(reserved.get('ports')!.value, 'Incorrect ports', `${read.reason}. Write "22,8000-8100".`)
  return text
}

function decodeVolumes(fields: DeclarationFields, body: Body): NodeDeclaration['hostVolumes'] {
  const volumes: [string, { path: string; readOnly: boolean }][] = []
  for (const block of body.blocks.filter((candidate) => candidate.type === 'host_volume')) {
    const name = block.labels[0]?.value
    const { attributes } = fields.body(block.body, ['path', 'read_only'], [])
    const path = fields.text(attributes, 'path')
    if (name === undefined || path === undefined)
      fields.refuse(block, 'Incomplete host_volume', 'Write host_volume "name" { path = "/absolute/path" }.')
    else volumes.push([name, { path, readOnly: fields.bool(attributes, 'read_only') ?? false }])
  }
  return Object.fromEntries(volumes)
}

/** Agents that `dev` started itself: their names and keys, in order. */
export type KeyBinding = readonly { readonly name: string; readonly publicKey: string }[]

/** The declaration that a key may join under: its own, or for an agent of `dev` one that names no key, else one made up for it. */
export function findDeclaration(view: StateView, boundKeys: KeyBinding, publicKey: string): NodeDeclaration | undefined {
  const own = view.nodeDeclarations.by('publicKey', publicKey)[0]
  if (own !== undefined) return own
  const at = boundKeys.findIndex((bound) => bound.publicKey === publicKey)
  if (at < 0) return undefined
  const keyless = view.nodeDeclarations.all().filter((declaration) => declaration.publicKey === '')
  return [...keyless].sort((a, b) => (a.path < b.path ? -1 : 1))[at] ?? madeUpDeclaration(boundKeys[at]!.name, publicKey)
}

function madeUpDeclaration(name: string, publicKey: string): NodeDeclaration {
  return {
    name,
    path: '',
    pool: NODE_POOL_DEFAULT,
    nodeClass: '',
    datacenter: 'dc1',
    meta: {},
    publicKey,
    reserved: { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' },
    hostVolumes: {},
    isEligible: true,
  }
}
