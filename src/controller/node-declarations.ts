/**
 * Hosts as files: `agents/<node>.hcl` (pool default) and `agents/<pool>/<node>.hcl`. Only literal values: a declaration
 * says what is, it computes nothing.
 */
import type { FrozenFile, Mistake, NodeDeclaration } from '../domain/index.js'
import {
  type Expression,
  type Fault,
  fault,
  type HclAttribute,
  type HclBlock,
  type HclBody,
  type HclSyntax,
  toMistake,
} from '../jobspec/index.js'
import type { CommandBody, StateView } from '../state/index.js'
import type { SyntaxReader, TreeEntry } from './ports.js'
import { AGENTS_FOLDER, classifyPath } from './repository-layout.js'
import type { SourceTree } from './source-tree.js'

export interface NodeReadings {
  readonly declarations: readonly NodeDeclaration[]
  readonly frozen: readonly FrozenFile[]
  readonly aborted: readonly string[]
}

/** Agents that `dev` started itself: their names and keys, in order. */
export type KeyBinding = readonly { readonly name: string; readonly publicKey: string }[]

export async function readNodeFiles(tree: SourceTree, syntax: SyntaxReader): Promise<NodeReadings> {
  const declarations: NodeDeclaration[] = []
  const frozen: FrozenFile[] = []
  const aborted: string[] = []
  for (const entry of tree.entries) {
    if (!entry.path.startsWith(`${AGENTS_FOLDER}/`)) continue
    const meaning = classifyPath(entry.path)
    if (meaning.kind !== 'node') continue
    const outcome = await readNodeFile(tree, syntax, entry, meaning)
    if (outcome.kind === 'declaration') declarations.push(outcome.declaration)
    else if (outcome.kind === 'mistakes')
      frozen.push({ path: entry.path, blob: entry.blob, namespace: '', jobId: '', mistakes: outcome.mistakes })
    else aborted.push(entry.path)
  }
  return { declarations, frozen, aborted }
}

type NodeReading =
  | { readonly kind: 'declaration'; readonly declaration: NodeDeclaration }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | { readonly kind: 'aborted' }

async function readNodeFile(
  tree: SourceTree,
  reader: SyntaxReader,
  entry: TreeEntry,
  meaning: { readonly pool: string; readonly name: string },
): Promise<NodeReading> {
  const file = await tree.read(entry.path)
  if ('mistake' in file) return { kind: 'mistakes', mistakes: [file.mistake] }
  const outcome = await reader.read(entry.path, file.text)
  if (outcome.kind === 'mistakes') return outcome
  if (outcome.kind === 'aborted') return { kind: 'aborted' }
  if (outcome.syntax.kind !== 'hcl') return { kind: 'mistakes', mistakes: [] }
  return decodeDeclaration(entry.path, meaning, outcome.syntax)
}

function decodeDeclaration(path: string, meaning: { readonly pool: string; readonly name: string }, syntax: HclSyntax): NodeReading {
  const fields = new Fields(syntax)
  const body = fields.body(syntax.body, ['public_key', 'class', 'datacenter', 'eligible'], ['meta', 'reserved', 'host_volume'])
  const reserved = fields.block(body, 'reserved', ['cpu', 'memory', 'disk', 'ports'])
  const declaration: NodeDeclaration = {
    name: meaning.name,
    path,
    pool: meaning.pool,
    nodeClass: fields.text(body.attributes, 'class', ''),
    datacenter: fields.text(body.attributes, 'datacenter', 'dc1'),
    meta: fields.map(body, 'meta'),
    publicKey: fields.text(body.attributes, 'public_key', ''),
    reserved: {
      cpuMhz: fields.number(reserved, 'cpu', 0),
      memoryMb: fields.number(reserved, 'memory', 0),
      diskMb: fields.number(reserved, 'disk', 0),
      ports: fields.text(reserved, 'ports', ''),
    },
    hostVolumes: fields.volumes(body),
    isEligible: fields.bool(body.attributes, 'eligible', true),
  }
  if (fields.faults.length > 0) return { kind: 'mistakes', mistakes: fields.faults.map((one) => toMistake(one, path)) }
  return { kind: 'declaration', declaration }
}

type Attributes = ReadonlyMap<string, HclAttribute>
type Body = { readonly attributes: Attributes; readonly blocks: readonly HclBlock[] }

/** Takes the known names out of a body and remembers everything that is wrong with it. */
class Fields {
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

/** What has to be declared anew and what no longer is. A file with mistakes keeps what it last declared. */
export function computeDeclarationChanges(view: StateView, readings: NodeReadings): readonly CommandBody[] {
  const kept = new Set([...readings.frozen.map((file) => file.path), ...readings.aborted])
  const wanted = new Map(readings.declarations.map((declaration) => [declaration.name, declaration]))
  const known = view.nodeDeclarations.all()
  const removed = known.filter(({ name, path }) => !wanted.has(name) && !kept.has(path)).map(({ name }) => name)
  const declarations = [...wanted.values()].filter(
    (declaration) => JSON.stringify(view.nodeDeclarations.get(declaration.name)) !== JSON.stringify(declaration),
  )
  return removed.length + declarations.length === 0 ? [] : [{ kind: 'node-declare', declarations, removed }]
}

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
    pool: 'default',
    nodeClass: '',
    datacenter: 'dc1',
    meta: {},
    publicKey,
    reserved: { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' },
    hostVolumes: {},
    isEligible: true,
  }
}
