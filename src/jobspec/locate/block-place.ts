/** A block of a job's file, in whichever form it is written: what a problem of the finished job is pointed at. */
import type { HclBlock, JsonNode, Span, Syntax } from '../syntax.js'

export interface BlockPlace {
  readonly span: Span
  /**
   * The block inside it: the one with this label, or the one at this position among those of its type, from 0.
   * @param apiName its member in the API's form
   */
  block(type: string, which: string | number, apiName?: string): BlockPlace | undefined
  /** Where the attribute's name stands. */
  attribute(name: string, apiName?: string): Span | undefined
}

/** The job block; undefined where the file has none. */
export function jobPlace(syntax: Syntax): BlockPlace | undefined {
  if (syntax.kind === 'hcl') {
    const job = syntax.body.items.find((item): item is HclBlock => item.kind === 'block' && item.type === 'job')
    return job === undefined ? undefined : hclPlace(job)
  }
  const labelled = memberOf(syntax.root, 'job')
  const only = labelled?.value.kind === 'object' ? labelled.value.members[0] : undefined
  if (labelled?.name === 'job' && only !== undefined) return jsonPlace(only.value, only.nameSpan)
  return labelled === undefined ? jsonPlace(syntax.root, headOf(syntax.root)) : jsonPlace(labelled.value, labelled.nameSpan)
}

function hclPlace(block: HclBlock): BlockPlace {
  const { items } = block.body
  return {
    span: { start: block.start, end: block.labels.at(-1)?.end ?? block.start + block.type.length },
    block(type, which) {
      const blocks = items.filter((item): item is HclBlock => item.kind === 'block' && item.type === type)
      const isComplete = !items.some((item) => item.kind === 'block' && item.type === 'dynamic' && item.labels[0]?.value === type)
      const found =
        typeof which === 'string' ? blocks.find(({ labels }) => labels[0]?.value === which) : isComplete ? blocks[which] : undefined
      return found === undefined ? undefined : hclPlace(found)
    },
    attribute(name) {
      const found = items.find((item) => item.kind === 'attribute' && item.name === name)
      return found?.kind === 'attribute' ? { start: found.start, end: found.nameEnd } : undefined
    },
  }
}

/** JSON and YAML: a list of objects with names, as the API has it, or objects by label, as HCL has it. */
function jsonPlace(node: JsonNode, span: Span): BlockPlace {
  return {
    span,
    block(type, which, apiName) {
      const member = memberOf(node, type, apiName)
      if (member === undefined) return undefined
      const items = member.value.kind === 'array' ? member.value.items : [member.value]
      if (typeof which === 'number') {
        const item = items[which]
        return item === undefined ? undefined : jsonPlace(item, member.value.kind === 'array' ? headOf(item) : member.nameSpan)
      }
      for (const item of items) {
        const name = memberOf(item, 'name')
        if (name?.value.kind === 'string' && name.value.value === which) return jsonPlace(item, name.value)
        const labelled = item.kind === 'object' ? item.members.find((each) => each.name === which) : undefined
        if (labelled !== undefined) return jsonPlace(labelled.value, labelled.nameSpan)
      }
      return undefined
    },
    attribute: (name, apiName) => memberOf(node, name, apiName)?.nameSpan,
  }
}

const API_NAMES: Readonly<Record<string, readonly string[]>> = {
  group: ['taskgroups'],
  affinity: ['affinities'],
  cpu: ['cpu'],
  memory: ['memorymb'],
}

/** The member that means this block or attribute, by its name in HCL or in the API. */
function memberOf(node: JsonNode, name: string, apiName = '') {
  if (node.kind !== 'object') return undefined
  const plain = name.replaceAll('_', '')
  const meanings = new Set([plain, `${plain}s`, apiName.toLowerCase(), ...(API_NAMES[name] ?? [])])
  return node.members.find((member) => member.name === name) ?? node.members.find((member) => meanings.has(member.name.toLowerCase()))
}

function headOf(node: JsonNode): Span {
  return { start: node.start, end: node.start + 1 }
}
