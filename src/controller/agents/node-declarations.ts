/** Hosts as files: `agents/<node>.hcl` (pool default) and `agents/<pool>/<node>.hcl`. */
import { DRAIN_DEADLINE_MS_DEFAULT, type NodeDeclaration } from '../../domain/index.js'
import type { HclBody } from '../../jobspec/index.js'
import { readPortRanges } from '../../scheduler/index.js'
import type { Attributes, Body, DeclarationFields } from './declaration-fields.js'

export function decodeNodeDeclaration(
  fields: DeclarationFields,
  content: HclBody,
  { path, pool, name }: Pick<NodeDeclaration, 'path' | 'pool' | 'name'>,
): NodeDeclaration {
  const body = fields.body(content, ['public_key', 'class', 'datacenter', 'eligible'], ['meta', 'reserved', 'host_volume', 'drain'])
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
    drain: decodeDrain(fields, body),
  }
}

function decodeDrain(fields: DeclarationFields, body: Body): NodeDeclaration['drain'] {
  const attributes = fields.block(body, 'drain', ['deadline', 'force', 'ignore_system_jobs'])?.attributes
  if (attributes === undefined) return null
  return {
    deadlineMs: fields.durationMs(attributes, 'deadline') ?? DRAIN_DEADLINE_MS_DEFAULT,
    isForced: fields.bool(attributes, 'force') ?? false,
    ignoresSystemJobs: fields.bool(attributes, 'ignore_system_jobs') ?? false,
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
