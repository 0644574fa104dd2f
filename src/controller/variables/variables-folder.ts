/**
 * Everything that `vars/` says at one commit: `vars/<namespace>/<path>.yaml` is the variable at that path of that namespace. Beside them lie
 * whom values are encrypted for (`_recipients.yaml`) and who may read them (`_access.yaml`). A file that cannot be read leaves what it said.
 */
import { type FrozenFile, type Mistake, mistakeOfFile, type Variable } from '../../domain/index.js'
import { variableKey } from '../../state/index.js'
import type { TreeEntry } from '../ports.js'
import { classifyPath, VARIABLES_FOLDER } from '../repository-layout.js'
import type { SourceTree } from '../source-tree.js'
import { type AccessRules, readAccess, readersOf } from './access.js'
import { describeOutdated, type Recipients, readRecipients } from './recipients.js'
import { misnaming, readVariableFile, type VariableContent } from './variable-file.js'

export interface VariablesFolder {
  readonly variables: readonly Pick<Variable, 'Namespace' | 'Path' | 'Items'>[]
  readonly frozen: readonly FrozenFile[]
  /** Values that are not encrypted for whom they should be. */
  readonly warnings: readonly { readonly path: string; readonly text: string }[]
  /** Jobs that are granted what is encrypted there; undefined: as it was, since the file that says so has mistakes. */
  readonly readersOf: (variable: Pick<Variable, 'Namespace' | 'Path'>) => readonly string[] | undefined
}

type Reading =
  | { readonly kind: 'variable'; readonly namespace: string; readonly path: string; readonly content: VariableContent }
  | { readonly kind: 'recipients'; readonly namespace: string | null; readonly recipients: Recipients }
  | { readonly kind: 'access'; readonly namespace: string; readonly rules: AccessRules }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }

/** Reads `vars/` commit by commit; what has not changed is not read again. */
export class VariablesFolderReader {
  readonly #known = new WeakMap<TreeEntry, Reading>()

  async read(tree: SourceTree): Promise<VariablesFolder> {
    const entries = tree.entries.filter(({ path }) => path.startsWith(`${VARIABLES_FOLDER}/`) && classifyPath(path).kind !== 'other')
    await tree.prefetch(entries.filter((entry) => !this.#known.has(entry)).map(({ path }) => path))
    const readings: (readonly [TreeEntry, Reading])[] = []
    for (const entry of entries) {
      const reading = this.#known.get(entry) ?? (await readEntry(tree, entry))
      this.#known.set(entry, reading)
      readings.push([entry, reading])
    }
    return summarize(readings)
  }
}

async function readEntry(tree: SourceTree, { path }: TreeEntry): Promise<Reading> {
  const meaning = classifyPath(path)
  if (meaning.kind !== 'variable' && meaning.kind !== 'recipients' && meaning.kind !== 'access') {
    const where = `${VARIABLES_FOLDER}/<namespace>/, such as ${VARIABLES_FOLDER}/default/`
    return mistaken([mistakeOfFile(path, 'A variable has a namespace', `Move the file to ${where}.`)])
  }
  const misnamed = meaning.kind === 'variable' ? misnaming(path, meaning) : undefined
  if (misnamed !== undefined) return mistaken([misnamed])
  const file = await tree.read(path)
  if ('mistake' in file) return mistaken([file.mistake])
  if (meaning.kind === 'variable') {
    const content = readVariableFile(path, file.text, meaning)
    return 'mistakes' in content ? mistaken(content.mistakes) : { ...meaning, content }
  }
  if (meaning.kind === 'recipients') {
    const recipients = readRecipients(path, file.text)
    return 'mistakes' in recipients ? mistaken(recipients.mistakes) : { ...meaning, recipients }
  }
  const rules = readAccess(path, file.text)
  return 'mistakes' in rules ? mistaken(rules.mistakes) : { ...meaning, rules }
}

function mistaken(mistakes: readonly Mistake[]): Reading {
  return { kind: 'mistakes', mistakes }
}

type Readings = readonly (readonly [TreeEntry, Reading])[]

function summarize(readings: Readings): VariablesFolder {
  const variables = readings.flatMap(([, reading]) =>
    reading.kind === 'variable' ? [{ Namespace: reading.namespace, Path: reading.path, Items: reading.content.items }] : [],
  )
  const frozen = readings.flatMap(([{ path, blob }, reading]) =>
    reading.kind === 'mistakes' ? [{ path, blob, namespace: null, jobId: null, mistakes: reading.mistakes }] : [],
  )
  const doubles = findDoubles(readings)
  const isDouble = new Set(doubles.map(({ key }) => key))
  return {
    variables: variables.filter((variable) => !isDouble.has(variableKey(variable))),
    frozen: [...frozen, ...doubles.map(({ file }) => file)],
    warnings: findOutdated(readings),
    readersOf: accessIn(readings),
  }
}

/** `a.yaml` and `a.yml` would be one variable: both are mistakes. */
function findDoubles(readings: Readings): readonly { readonly key: string; readonly file: FrozenFile }[] {
  const keyOf = (reading: Reading) =>
    reading.kind === 'variable' ? variableKey({ Namespace: reading.namespace, Path: reading.path }) : undefined
  const counts = new Map<string | undefined, number>()
  for (const [, reading] of readings) counts.set(keyOf(reading), (counts.get(keyOf(reading)) ?? 0) + 1)
  return readings.flatMap(([{ path, blob }, reading]) => {
    const key = keyOf(reading)
    if (reading.kind !== 'variable' || key === undefined || counts.get(key) === 1) return []
    const mistake = mistakeOfFile(path, `the variable "${reading.path}" is in two files`, 'Keep the one that ends in .yaml.')
    return [{ key, file: { path, blob, namespace: null, jobId: null, mistakes: [mistake] } }]
  })
}

function findOutdated(readings: Readings): VariablesFolder['warnings'] {
  const lists = new Map(readings.flatMap(([, reading]) => (reading.kind === 'recipients' ? [[reading.namespace, reading.recipients]] : [])))
  const broken = new Set(readings.flatMap(([{ path }, { kind }]) => (kind === 'mistakes' ? [namespaceOfRecipients(path)] : [])))
  return readings.flatMap(([{ path }, reading]) => {
    if (reading.kind !== 'variable') return []
    const scope = lists.has(reading.namespace) || broken.has(reading.namespace) ? reading.namespace : null
    const recipients = lists.get(scope)
    if (recipients === undefined && broken.has(scope)) return []
    return reading.content.encrypted.flatMap(({ name, fingerprints }) => {
      if (recipients === undefined)
        return [
          { path, text: `"${name}" is encrypted, and nothing says for whom it should be: write ${VARIABLES_FOLDER}/_recipients.yaml` },
        ]
      const outdated = describeOutdated(fingerprints, recipients)
      return outdated === undefined ? [] : [{ path, text: `"${name}" is ${outdated}: encrypt it anew with drover secret rotate` }]
    })
  })
}

/** Undefined: it is no file of recipients; null: of all namespaces. */
function namespaceOfRecipients(path: string): string | null | undefined {
  const meaning = classifyPath(path)
  return meaning.kind === 'recipients' ? meaning.namespace : undefined
}

function accessIn(readings: Readings): VariablesFolder['readersOf'] {
  const rules = new Map<string, AccessRules>()
  const broken = new Set<string>()
  for (const [{ path }, reading] of readings) {
    const meaning = classifyPath(path)
    if (reading.kind === 'access') rules.set(reading.namespace, reading.rules)
    else if (reading.kind === 'mistakes' && meaning.kind === 'access') broken.add(meaning.namespace)
  }
  return ({ Namespace, Path }) => (broken.has(Namespace) ? undefined : readersOf(rules.get(Namespace), Path))
}
