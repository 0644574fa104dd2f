/**
 * Everything that `agents/` says at one commit: hosts, pools and the settings of the cluster. Only literal values: a declaration says what
 * is, it computes nothing.
 */
import {
  assertNever,
  type FrozenFile,
  invariant,
  type Mistake,
  mistakeOfFile,
  NODE_POOL_ALL,
  NODE_POOL_DEFAULT,
  type NodeDeclaration,
  type NodePool,
  type SchedulerConfiguration,
} from '../../domain/index.js'
import { type HclBody, toMistakes } from '../../jobspec/index.js'
import type { SyntaxReader, TreeEntry } from '../ports.js'
import { AGENTS_FOLDER, classifyPath, nodePoolsIn, type RepositoryPath } from '../repository-layout.js'
import { findUnreadable, type SourceTree } from '../source-tree.js'
import { decodeClusterSettings, decodePool } from './cluster-settings.js'
import { DeclarationFields } from './declaration-fields.js'
import { decodeNodeDeclaration } from './node-declarations.js'

export interface AgentsFolder {
  /** Every pool that a folder or file means, also where the file has mistakes. */
  readonly poolNames: ReadonlySet<string>
  readonly declarations: readonly NodeDeclaration[]
  readonly pools: readonly NodePool[]
  /** Undefined where the file is not there, or cannot be read. */
  readonly configuration: SchedulerConfiguration | undefined
  readonly frozen: readonly FrozenFile[]
  readonly aborted: readonly string[]
  /** False where a link or submodule may hide any host: then nothing is absent for sure. */
  readonly isComplete: boolean
}

/** Paths whose files declare something. */
type Declaring = Extract<RepositoryPath, { readonly kind: 'node' | 'pool' | 'cluster' }>

type Misplaced = Extract<RepositoryPath, { readonly kind: 'misplaced' }>

type Said =
  | { readonly kind: 'node'; readonly declaration: NodeDeclaration }
  | { readonly kind: 'pool'; readonly pool: NodePool }
  | { readonly kind: 'cluster'; readonly configuration: SchedulerConfiguration }

type FileReading = { readonly entry: TreeEntry } & (
  | { readonly kind: 'said'; readonly said: Said }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | { readonly kind: 'aborted' }
)

function isDeclaring(meaning: RepositoryPath): meaning is Declaring | Misplaced {
  return meaning.kind === 'node' || meaning.kind === 'pool' || meaning.kind === 'cluster' || meaning.kind === 'misplaced'
}

/** Reads `agents/` commit by commit; what has not changed is not read again. */
export class AgentsFolderReader {
  readonly #syntax: SyntaxReader
  readonly #known = new WeakMap<TreeEntry, FileReading>()

  constructor(syntax: SyntaxReader) {
    this.#syntax = syntax
  }

  async read(tree: SourceTree): Promise<AgentsFolder> {
    const hidden = findUnreadable(tree.entries, AGENTS_FOLDER)
    const files = tree.entries.flatMap((entry) => {
      const meaning = entry.path.startsWith(`${AGENTS_FOLDER}/`) ? classifyPath(entry.path) : undefined
      return meaning === undefined || !isDeclaring(meaning) ? [] : [{ entry, meaning }]
    })
    await tree.prefetch(files.filter(({ entry }) => !this.#known.has(entry)).map(({ entry }) => entry.path))
    const readings: FileReading[] = []
    for (const { entry, meaning } of files) readings.push(await this.#readOnce(tree, entry, meaning))
    for (const { entry, mistake } of hidden)
      if (!files.some((file) => file.entry === entry)) readings.push({ kind: 'mistakes', entry, mistakes: [mistake] })
    const sound = setDuplicatesAside(readings)
    const said = sound.flatMap((reading) => (reading.kind === 'said' ? [reading.said] : []))
    return {
      poolNames: nodePoolsIn(tree.entries),
      declarations: said.flatMap((one) => (one.kind === 'node' ? [one.declaration] : [])),
      pools: said.flatMap((one) => (one.kind === 'pool' ? [one.pool] : [])),
      configuration: said.find((one) => one.kind === 'cluster')?.configuration,
      frozen: sound.flatMap((reading) => (reading.kind === 'mistakes' ? [freeze(reading.entry, reading.mistakes)] : [])),
      aborted: sound.flatMap((reading) => (reading.kind === 'aborted' ? [reading.entry.path] : [])),
      isComplete: hidden.length === 0,
    }
  }

  async #readOnce(tree: SourceTree, entry: TreeEntry, meaning: Declaring | Misplaced): Promise<FileReading> {
    const known = this.#known.get(entry)
    if (known !== undefined) return known
    const reading = await readFile(tree, this.#syntax, entry, meaning)
    if (reading.kind !== 'aborted') this.#known.set(entry, reading)
    return reading
  }
}

async function readFile(tree: SourceTree, reader: SyntaxReader, entry: TreeEntry, meaning: Declaring | Misplaced): Promise<FileReading> {
  const { path } = entry
  if (meaning.kind === 'misplaced') return { kind: 'mistakes', entry, mistakes: [mistakeOfFile(path, ...MISPLACED)] }
  const misnamed = misnaming(path, meaning)
  if (misnamed !== undefined) return { kind: 'mistakes', entry, mistakes: [misnamed] }
  const file = await tree.read(path)
  if ('mistake' in file) return { kind: 'mistakes', entry, mistakes: [file.mistake] }
  const outcome = await reader.read(path, file.text)
  if (outcome.kind === 'mistakes') return { kind: 'mistakes', entry, mistakes: outcome.mistakes }
  if (outcome.kind === 'aborted') return { kind: 'aborted', entry }
  const { syntax } = outcome
  invariant(syntax.kind === 'hcl', `${path} was not read as HCL`)
  const fields = new DeclarationFields(syntax)
  const said = decode(fields, syntax.body, path, meaning)
  if (fields.faults.length > 0) return { kind: 'mistakes', entry, mistakes: toMistakes(fields.faults, path) }
  return { kind: 'said', entry, said }
}

function decode(fields: DeclarationFields, body: HclBody, path: string, meaning: Declaring): Said {
  switch (meaning.kind) {
    case 'node':
      return { kind: 'node', declaration: decodeNodeDeclaration(fields, body, { path, pool: meaning.pool, name: meaning.name }) }
    case 'pool':
      return { kind: 'pool', pool: decodePool(fields, body, meaning.pool) }
    case 'cluster':
      return { kind: 'cluster', configuration: decodeClusterSettings(fields, body) }
    default:
      return assertNever(meaning)
  }
}

export function isPoolName(name: string): boolean {
  return /^[a-zA-Z0-9_-]{1,128}$/.test(name)
}

const MISPLACED = [
  'A file of this name means nothing here',
  'Hosts are agents/<node>.hcl and agents/<pool>/<node>.hcl, settings agents/_cluster.hcl and agents/<pool>/_pool.hcl.',
] as const

/** What is wrong with the folder, whatever the file says. */
function misnaming(path: string, meaning: Declaring): Mistake | undefined {
  if (meaning.kind === 'cluster') return undefined
  if (meaning.kind === 'pool' && (meaning.pool === NODE_POOL_DEFAULT || meaning.pool === NODE_POOL_ALL))
    return mistakeOfFile(
      path,
      `The pool "${meaning.pool}" is built in`,
      'Its scheduler is that of the cluster: configure it in agents/_cluster.hcl.',
    )
  if (meaning.kind === 'node' && meaning.pool === NODE_POOL_ALL)
    return mistakeOfFile(
      path,
      `Every host is in the pool "${NODE_POOL_ALL}"`,
      'Move the file to agents/, or to the folder of another pool.',
    )
  if (!isPoolName(meaning.pool))
    return mistakeOfFile(path, `"${meaning.pool}" is no name for a pool`, 'Use up to 128 letters, digits, "-" and "_" for the folder.')
  return undefined
}

/** Two files for one host, or one key in two files: both are mistakes, and the hosts stay as they are. */
function setDuplicatesAside(readings: readonly FileReading[]): readonly FileReading[] {
  const nodes = readings.flatMap((reading) => (reading.kind === 'said' && reading.said.kind === 'node' ? [reading.said.declaration] : []))
  return readings.map((reading) => {
    if (reading.kind !== 'said' || reading.said.kind !== 'node') return reading
    const { path, name, publicKey } = reading.said.declaration
    const others = nodes.filter((other) => other.path !== path)
    const same = others.find((other) => other.name === name)
    const keyed = publicKey === '' ? undefined : others.find((other) => other.publicKey === publicKey)
    if (same === undefined && keyed === undefined) return reading
    const mistake =
      same !== undefined
        ? mistakeOfFile(
            path,
            `host "${name}" is also declared in ${same.path}`,
            'Keep one of the files, or give one of the hosts another name.',
          )
        : mistakeOfFile(path, `the public_key of host "${name}" is also that of ${keyed!.path}`, 'Each host has a key of its own.')
    return { kind: 'mistakes', entry: reading.entry, mistakes: [mistake] }
  })
}

function freeze({ path, blob }: TreeEntry, mistakes: readonly Mistake[]): FrozenFile {
  return { path, blob, namespace: null, jobId: null, mistakes }
}
