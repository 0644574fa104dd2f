/**
 * Hosts as files: `agents/<node>.hcl` (pool default) and `agents/<pool>/<node>.hcl`. Only literal values: a declaration
 * says what is, it computes nothing.
 */
import type { FrozenFile, Mistake, NodeDeclaration } from '../domain/index.js'
import { type HclSyntax, toMistake } from '../jobspec/index.js'
import type { CommandBody, StateView } from '../state/index.js'
import { DeclarationFields } from './declaration-fields.js'
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
  const fields = new DeclarationFields(syntax)
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
