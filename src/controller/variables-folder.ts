/**
 * Everything that `vars/` says at one commit: `vars/<namespace>/<path>.yaml` is the variable at that path of that namespace, a mapping of
 * names to plain values. A file that cannot be read leaves its variable as it was.
 */
import { isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml'
import type { FrozenFile, Mistake, Variable } from '../domain/index.js'
import { type CommandBody, type StateView, variableKey } from '../state/index.js'
import type { TreeEntry } from './ports.js'
import { classifyPath, VARIABLES_FOLDER } from './repository-layout.js'
import type { SourceTree } from './source-tree.js'

/** As Nomad has it: all names and values of one variable together. */
const ITEMS_BYTES_MAX = 64 * 1024
const NAMESPACE = /^[a-zA-Z0-9-]{1,128}$/
const PATH = /^[a-zA-Z0-9-_~/]{1,128}$/
const ITEM_NAME = /^[^\s.[\]]{1,128}$/

export interface VariablesFolder {
  readonly variables: readonly Pick<Variable, 'Namespace' | 'Path' | 'Items'>[]
  readonly frozen: readonly FrozenFile[]
}

type Reading =
  | { readonly kind: 'variable'; readonly variable: VariablesFolder['variables'][number] }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }

/** Reads `vars/` commit by commit; what has not changed is not read again. */
export class VariablesFolderReader {
  readonly #known = new WeakMap<TreeEntry, Reading>()

  async read(tree: SourceTree): Promise<VariablesFolder> {
    const entries = tree.entries.filter(({ path }) => path.startsWith(`${VARIABLES_FOLDER}/`) && classifyPath(path).kind !== 'other')
    await tree.prefetch(entries.filter((entry) => !this.#known.has(entry)).map(({ path }) => path))
    const variables: VariablesFolder['variables'][number][] = []
    const frozen: FrozenFile[] = []
    for (const entry of entries) {
      const reading = this.#known.get(entry) ?? (await readEntry(tree, entry))
      this.#known.set(entry, reading)
      if (reading.kind === 'variable') variables.push(reading.variable)
      else frozen.push({ path: entry.path, blob: entry.blob, namespace: null, jobId: null, mistakes: reading.mistakes })
    }
    return setDuplicatesAside(variables, frozen, entries)
  }
}

/** `a.yaml` and `a.yml` would be one variable: both are mistakes. */
function setDuplicatesAside(
  variables: VariablesFolder['variables'],
  frozen: readonly FrozenFile[],
  entries: readonly TreeEntry[],
): VariablesFolder {
  const counts = new Map<string, number>()
  for (const variable of variables) counts.set(variableKey(variable), (counts.get(variableKey(variable)) ?? 0) + 1)
  const isDouble = (key: string) => (counts.get(key) ?? 0) > 1
  const doubles = entries.flatMap((entry): readonly FrozenFile[] => {
    const meaning = classifyPath(entry.path)
    if (meaning.kind !== 'variable' || !isDouble(variableKey({ Namespace: meaning.namespace, Path: meaning.path }))) return []
    const mistake = mistakeOf(entry.path, `the variable "${meaning.path}" is in two files`, 'Keep the one that ends in .yaml.')
    return [{ path: entry.path, blob: entry.blob, namespace: null, jobId: null, mistakes: [mistake] }]
  })
  return { variables: variables.filter((variable) => !isDouble(variableKey(variable))), frozen: [...frozen, ...doubles] }
}

async function readEntry(tree: SourceTree, { path }: TreeEntry): Promise<Reading> {
  const meaning = classifyPath(path)
  if (meaning.kind !== 'variable') {
    return mistaken(
      mistakeOf(
        path,
        'A variable has a namespace',
        `Move the file to ${VARIABLES_FOLDER}/<namespace>/, such as ${VARIABLES_FOLDER}/default/.`,
      ),
    )
  }
  const misnamed = misnaming(path, meaning)
  if (misnamed !== undefined) return mistaken(misnamed)
  const file = await tree.read(path)
  return 'mistake' in file ? mistaken(file.mistake) : readItems(path, file.text, meaning)
}

function mistaken(...mistakes: readonly Mistake[]): Reading {
  return { kind: 'mistakes', mistakes }
}

function misnaming(path: string, meaning: { readonly namespace: string; readonly path: string }): Mistake | undefined {
  if (!NAMESPACE.test(meaning.namespace))
    return mistakeOf(path, `"${meaning.namespace}" is no name for a namespace`, 'Use letters, digits and "-".')
  if (!PATH.test(meaning.path)) {
    return mistakeOf(path, `"${meaning.path}" is no path for a variable`, 'Use up to 128 letters, digits, "-", "_", "~" and "/".')
  }
  const isReserved = /^nomad(?:\/|$)/.test(meaning.path) && !/^nomad\/(?:jobs|job-templates)(?:\/|$)/.test(meaning.path)
  return isReserved
    ? mistakeOf(path, 'only paths at "nomad/jobs" and "nomad/job-templates" may begin with "nomad/"', 'Choose another path.')
    : undefined
}

function readItems(path: string, text: string, meaning: { readonly namespace: string; readonly path: string }): Reading {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' })
  const at = (offset: number | undefined, summary: string, detail: string): Mistake => {
    const { line, col } = lines.linePos(offset ?? 0)
    return { path, line, column: col, summary, detail, snippet: text.split('\n')[line - 1] ?? '' }
  }
  if (document.errors.length > 0)
    return mistaken(...document.errors.map((error) => at(error.pos[0], error.message.split('\n')[0] ?? '', 'Correct the YAML.')))
  const { contents } = document
  if (!isMap(contents))
    return mistaken(at(0, 'A variable is a mapping of names to values', 'Write one name and value a line: `password: secret`.'))
  const items: Record<string, string> = {}
  const mistakes: Mistake[] = []
  for (const pair of contents.items as readonly Pair[])
    readItem(pair, items, (offset, summary, detail) => mistakes.push(at(offset, summary, detail)))
  if (mistakes.length > 0) return mistaken(...mistakes)
  const sizeBytes = Object.entries(items).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  if (sizeBytes > ITEMS_BYTES_MAX)
    return mistaken(mistakeOf(path, `The variable has ${sizeBytes} bytes, of at most ${ITEMS_BYTES_MAX}`, 'Divide it into several files.'))
  return { kind: 'variable', variable: { Namespace: meaning.namespace, Path: meaning.path, Items: items } }
}

/** Values are texts: numbers and the like stay as they are written. */
function readItem(
  pair: Pair,
  items: Record<string, string>,
  mistake: (offset: number | undefined, summary: string, detail: string) => void,
): void {
  const { key, value } = pair
  const offset = isScalar(key) ? key.range?.[0] : undefined
  const name = isScalar(key) ? String(key.source ?? key.value) : ''
  if (!ITEM_NAME.test(name))
    return mistake(offset, `${JSON.stringify(name)} is no name for an item`, 'Use a name without spaces, dots and brackets.')
  if (!isScalar(value) || value.value === null)
    return mistake(offset, `The value of "${name}" is no text`, 'Write a plain or quoted text, or several lines behind `|`.')
  items[name] = typeof value.value === 'string' ? value.value : String(value.source ?? value.value)
}

function mistakeOf(path: string, summary: string, detail: string): Mistake {
  return { path, line: 0, column: 0, summary, detail, snippet: '' }
}

/** What makes the table equal to the folder. Variables of frozen files stay. */
export function computeVariableChanges(view: StateView, folder: VariablesFolder): readonly CommandBody[] {
  const kept = new Set(
    folder.frozen.flatMap(({ path }) => {
      const meaning = classifyPath(path)
      return meaning.kind === 'variable' ? [variableKey({ Namespace: meaning.namespace, Path: meaning.path })] : []
    }),
  )
  const wanted = new Set(folder.variables.map(variableKey))
  const puts = folder.variables
    .filter((variable) => !isSame(view.variables.get(variableKey(variable))?.Items, variable.Items))
    .map(({ Namespace, Path, Items }): CommandBody => ({ kind: 'variable-put', namespace: Namespace, path: Path, items: Items }))
  const deletes = view.variables
    .all()
    .filter((variable) => !wanted.has(variableKey(variable)) && !kept.has(variableKey(variable)))
    .map(({ Namespace, Path }): CommandBody => ({ kind: 'variable-delete', namespace: Namespace, path: Path }))
  return [...puts, ...deletes]
}

function isSame(known: Variable['Items'] | undefined, wanted: Variable['Items']): boolean {
  if (known === undefined) return false
  const names = Object.keys(wanted)
  return names.length === Object.keys(known).length && names.every((name) => Object.hasOwn(known, name) && known[name] === wanted[name])
}
