/** What `jobs/<namespace>/_namespace.hcl` says at one commit. Only literal values; the names are those of Nomad's namespace specification. */
import {
  type FrozenFile,
  invariant,
  type Mistake,
  mistakeOfFile,
  type Namespace,
  type NamespaceOrder,
  parseRfc3339Ms,
  type SyncWindow,
} from '../../domain/index.js'
import { type HclBody, nextLaunch, toMistakes } from '../../jobspec/index.js'
import { type Body, DeclarationFields } from '../agents/declaration-fields.js'
import type { SyntaxReader, TreeEntry } from '../ports.js'
import { classifyPath, JOBS_FOLDER, namespaceMistake } from '../repository-layout.js'
import type { SourceTree } from '../source-tree.js'

export interface NamespaceFile {
  readonly path: string
  /** Indexes are filled in when it is stored. */
  readonly namespace: Namespace
  readonly order: NamespaceOrder
}

export interface NamespaceFiles {
  readonly said: readonly NamespaceFile[]
  readonly frozen: readonly FrozenFile[]
  readonly aborted: readonly string[]
}

type Reading =
  | { readonly kind: 'said'; readonly file: NamespaceFile }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | { readonly kind: 'aborted' }

/** Reads them commit by commit; what has not changed is not read again. */
export class NamespaceFilesReader {
  readonly #syntax: SyntaxReader
  readonly #known = new WeakMap<TreeEntry, Reading>()

  constructor(syntax: SyntaxReader) {
    this.#syntax = syntax
  }

  async read(tree: SourceTree): Promise<NamespaceFiles> {
    const said: NamespaceFile[] = []
    const frozen: FrozenFile[] = []
    const aborted: string[] = []
    for (const entry of tree.entries.filter(({ path }) => isNamespaceFile(path))) {
      const reading = this.#known.get(entry) ?? (await readFile(tree, this.#syntax, entry.path))
      if (reading.kind !== 'aborted') this.#known.set(entry, reading)
      if (reading.kind === 'said') said.push(reading.file)
      else if (reading.kind === 'aborted') aborted.push(entry.path)
      else frozen.push({ path: entry.path, blob: entry.blob, namespace: null, jobId: null, mistakes: reading.mistakes })
    }
    return { said, frozen, aborted }
  }
}

export function isNamespaceFile(path: string): boolean {
  return path.startsWith(`${JOBS_FOLDER}/`) && path.endsWith('/_namespace.hcl')
}

async function readFile(tree: SourceTree, reader: SyntaxReader, path: string): Promise<Reading> {
  const meaning = classifyPath(path)
  if (meaning.kind !== 'namespace') return mistaken(mistakeOfFile(path, 'A file of this name means nothing here', MISPLACED))
  const misnamed = namespaceMistake(path)
  if (misnamed !== undefined) return mistaken(misnamed)
  const file = await tree.read(path)
  if ('mistake' in file) return mistaken(file.mistake)
  const outcome = await reader.read(path, file.text)
  if (outcome.kind !== 'syntax') return outcome
  const { syntax } = outcome
  invariant(syntax.kind === 'hcl', `${path} was not read as HCL`)
  const fields = new DeclarationFields(syntax)
  const said = decode(fields, syntax.body, path, meaning.namespace)
  return fields.faults.length > 0 ? { kind: 'mistakes', mistakes: toMistakes(fields.faults, path) } : { kind: 'said', file: said }
}

const MISPLACED =
  'What is said of a namespace stands in jobs/<namespace>/_namespace.hcl, for jobs directly below jobs/ in jobs/default/_namespace.hcl.'

function mistaken(mistake: Mistake): Reading {
  return { kind: 'mistakes', mistakes: [mistake] }
}

/** As a folder of jobs makes it, or another Nomad would; indexes are filled in when it is stored. */
export function plainNamespace(name: string): Namespace {
  return {
    Name: name,
    Description: name === 'default' ? 'Default shared namespace' : '',
    Quota: '',
    Capabilities: null,
    Meta: null,
    NodePoolConfiguration: null,
    CreateIndex: 0,
    ModifyIndex: 0,
  }
}

/** Whether nothing is said of it but its name. */
export function isPlainNamespace(known: Namespace): boolean {
  const { CreateIndex, ModifyIndex } = known
  return JSON.stringify(known) === JSON.stringify({ ...plainNamespace(known.Name), CreateIndex, ModifyIndex })
}

function decode(fields: DeclarationFields, content: HclBody, path: string, name: string): NamespaceFile {
  const body = fields.body(content, ['description'], ['meta', 'capabilities', 'node_pool_config', 'sync_window', 'suspend'])
  const namespace = {
    ...plainNamespace(name),
    Description: fields.text(body.attributes, 'description') ?? plainNamespace(name).Description,
    Meta: fields.texts(body, 'meta') ?? null,
    Capabilities: decodeCapabilities(fields, body),
    NodePoolConfiguration: decodePools(fields, body),
  }
  return {
    path,
    namespace,
    order: { namespace: name, path, windows: decodeWindows(fields, body), suspend: decodeSuspension(fields, body) },
  }
}

function decodeCapabilities(fields: DeclarationFields, body: Body): Namespace['Capabilities'] {
  const attributes = fields.block(body, 'capabilities', ['enabled_task_drivers', 'disabled_task_drivers'])?.attributes
  if (attributes === undefined) return null
  return {
    EnabledTaskDrivers: fields.list(attributes, 'enabled_task_drivers') ?? null,
    DisabledTaskDrivers: fields.list(attributes, 'disabled_task_drivers') ?? null,
  }
}

function decodePools(fields: DeclarationFields, body: Body): Namespace['NodePoolConfiguration'] {
  const attributes = fields.block(body, 'node_pool_config', ['allowed', 'denied'])?.attributes
  if (attributes === undefined) return null
  const Allowed = fields.list(attributes, 'allowed') ?? null
  const Denied = fields.list(attributes, 'denied') ?? null
  if (Allowed !== null && Denied !== null)
    fields.refuse(attributes.get('denied')!, 'Two lists of pools', 'Say which pools are allowed, or which are denied.')
  return { Default: '', Allowed, Denied }
}

const WINDOW_FORM = 'Write sync_window "name" { kind = "allow", schedule = "0 22 * * *", duration = "8h" }, an argument a line.'
const WINDOW_LEAST_MS = 60_000

function decodeWindows(fields: DeclarationFields, body: Body): readonly SyncWindow[] {
  const windows: SyncWindow[] = []
  for (const block of body.blocks.filter(({ type }) => type === 'sync_window')) {
    const { attributes } = fields.body(block.body, ['kind', 'schedule', 'duration', 'time_zone'], [])
    const name = block.labels[0]?.value
    const kind = fields.choice(attributes, 'kind', ['allow', 'deny'])
    const schedule = fields.text(attributes, 'schedule')
    const durationMs = fields.durationMs(attributes, 'duration', WINDOW_LEAST_MS)
    const timeZone = fields.text(attributes, 'time_zone') ?? 'UTC'
    const isSaid = ['kind', 'schedule', 'duration'].every((argument) => attributes.has(argument))
    if (name === undefined || !isSaid) fields.refuse(block, 'Incomplete sync_window', WINDOW_FORM)
    if (!isTimeZone(timeZone))
      fields.refuse(
        attributes.get('time_zone')!.value,
        'Unknown time zone',
        `There is no zone "${timeZone}". Write one as in "Europe/Berlin" or "UTC".`,
      )
    else if (schedule !== undefined) {
      const next = nextLaunch({ Spec: schedule, Specs: null, TimeZone: timeZone }, 0)
      if (next.kind === 'mistake') fields.refuse(attributes.get('schedule')!.value, 'Incorrect schedule', next.problem)
    }
    if (name !== undefined && kind !== undefined && schedule !== undefined && durationMs !== undefined)
      windows.push({ name, kind, schedule, durationMs, timeZone })
  }
  return windows
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

function decodeSuspension(fields: DeclarationFields, body: Body): NamespaceOrder['suspend'] {
  const attributes = fields.block(body, 'suspend', ['until', 'reason'])?.attributes
  if (attributes === undefined) return null
  const until = fields.text(attributes, 'until')
  const reason = fields.text(attributes, 'reason') ?? ''
  const untilMs = parseRfc3339Ms(until)
  const block = body.blocks.find(({ type }) => type === 'suspend')!
  if (untilMs === undefined || reason.trim() === '')
    fields.refuse(
      block,
      'Incomplete suspension',
      'It ends by itself, and whoever finds it wants to know why: write until = "2026-12-24T08:00:00Z" and reason = "…".',
    )
  return { untilMs: untilMs ?? 0, reason }
}
