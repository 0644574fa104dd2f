/**
 * Takes known names out of files that only say what is: hosts, pools, the cluster. Only literal values; whatever is wrong is remembered
 * with its place, all of it.
 */
import type { NodeDeclaration } from '../domain/index.js'
import { type Expression, type Fault, fault, type HclAttribute, type HclBlock, type HclBody, type HclSyntax } from '../jobspec/index.js'

export type Attributes = ReadonlyMap<string, HclAttribute>
export type Body = { readonly attributes: Attributes; readonly blocks: readonly HclBlock[] }

export class DeclarationFields {
  readonly faults: Fault[] = []
  readonly #source: HclSyntax

  constructor(source: HclSyntax) {
    this.#source = source
  }

  /** `attributes` null: any name is an attribute of its own, as in `meta`. */
  body(body: HclBody, attributes: readonly string[] | null, blocks: readonly string[]): Body {
    const found = new Map<string, HclAttribute>()
    const nested: HclBlock[] = []
    for (const item of body.items) {
      const name = item.kind === 'attribute' ? item.name : item.type
      const known = item.kind === 'attribute' ? (attributes ?? [name]) : blocks
      if (!known.includes(name)) {
        this.#fault(
          item,
          `Unsupported ${item.kind === 'attribute' ? 'argument' : 'block type'}`,
          `"${name}" is not known here; known are: ${[...(attributes ?? []), ...blocks].join(', ')}.`,
        )
      } else if (item.kind === 'attribute') found.set(name, item)
      else nested.push(item)
    }
    return { attributes: found, blocks: nested }
  }

  block(body: Body, type: string, attributes: readonly string[]): Attributes {
    const [first, second] = body.blocks.filter((block) => block.type === type)
    if (second !== undefined) this.#fault(second, 'Duplicate block', `Only one "${type}" block is allowed.`)
    return first === undefined ? new Map() : this.body(first.body, attributes, []).attributes
  }

  map(body: Body, type: string): Readonly<Record<string, string>> {
    const [first] = body.blocks.filter((block) => block.type === type)
    const attributes = first === undefined ? new Map<string, HclAttribute>() : this.body(first.body, null, []).attributes
    return Object.fromEntries([...attributes.keys()].map((name) => [name, this.text(attributes, name, '')]))
  }

  volumes(body: Body): NodeDeclaration['hostVolumes'] {
    const volumes: [string, { path: string; readOnly: boolean }][] = []
    for (const block of body.blocks.filter((candidate) => candidate.type === 'host_volume')) {
      const name = block.labels[0]?.value
      const { attributes } = this.body(block.body, ['path', 'read_only'], [])
      if (name === undefined || !attributes.has('path'))
        this.#fault(block, 'Incomplete host_volume', 'Write host_volume "name" { path = "/absolute/path" }.')
      else volumes.push([name, { path: this.text(attributes, 'path', ''), readOnly: this.bool(attributes, 'read_only', false) }])
    }
    return Object.fromEntries(volumes)
  }

  text(attributes: Attributes, name: string, absent: string): string {
    const value = this.#literal(attributes, name)
    if (value === undefined) return absent
    if (typeof value === 'string') return value
    if (value !== null) return String(value)
    return absent
  }

  number(attributes: Attributes, name: string, absent: number): number {
    const value = this.#literal(attributes, name)
    if (value === undefined) return absent
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
    this.#fault(attributes.get(name)!.value, 'Incorrect value', `"${name}" must be a whole number, not negative.`)
    return absent
  }

  bool(attributes: Attributes, name: string, absent: boolean): boolean {
    const value = this.#literal(attributes, name)
    if (value === undefined) return absent
    if (typeof value === 'boolean') return value
    this.#fault(attributes.get(name)!.value, 'Incorrect value', `"${name}" must be true or false.`)
    return absent
  }

  #literal(attributes: Attributes, name: string): string | number | boolean | null | undefined {
    const attribute = attributes.get(name)
    if (attribute === undefined) return undefined
    const value = literalOf(attribute.value)
    if (value === undefined)
      this.#fault(attribute.value, 'Not a plain value', `"${name}" must be written out: declarations of hosts compute nothing.`)
    return value
  }

  #fault(at: { readonly start: number; readonly end: number }, summary: string, detail: string): void {
    this.faults.push(fault(this.#source, at, summary, detail))
  }
}

function literalOf(expression: Expression): string | number | boolean | null | undefined {
  switch (expression.kind) {
    case 'string':
    case 'bool':
      return expression.value
    case 'number':
      return Number(expression.text)
    case 'null':
      return null
    case 'template': {
      const parts = expression.parts.map(literalOf)
      return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined
    }
    default:
      return undefined
  }
}
