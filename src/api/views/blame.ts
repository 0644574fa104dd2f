/** Which version of a job has given each of its fields the value that it has. */
import type { Job } from '../../domain/index.js'
import { specOf } from '../../jobspec/index.js'

export interface BlamedField {
  /** `TaskGroups[web].Tasks[main].Config.image`: members of lists by their names, where they have names of their own. */
  readonly path: string
  readonly value: string | number | boolean
  /** The version that brought the value. */
  readonly version: number
  /** It is the oldest one that is known: the value may be older. */
  readonly isOldest: boolean
}

/** @param versions of one job, the newest first; what is not said (null, empty) is left out */
export function blameFields(versions: readonly Job[]): readonly BlamedField[] {
  const flat = versions.map((job) => ({ version: job.Version, fields: fieldsOf(job) }))
  const [newest, ...older] = flat
  if (newest === undefined) return []
  const isFromTheBeginning = flat.at(-1)!.version === 0
  return [...newest.fields].map(([path, value]) => {
    const before = older.findIndex(({ fields }) => fields.get(path) !== value)
    const { version } = before < 0 ? flat.at(-1)! : flat[before]!
    return { path, value, version, isOldest: before < 0 && !isFromTheBeginning }
  })
}

type Leaf = BlamedField['value']

/** What is said of a job, by path. */
export function fieldsOf(job: Job): ReadonlyMap<string, Leaf> {
  const fields = new Map<string, Leaf>()
  collect(specOf(job), '', fields)
  return fields
}

function collect(value: unknown, path: string, into: Map<string, Leaf>): void {
  if (Array.isArray(value)) {
    const names = namesOf(value)
    for (const [at, item] of value.entries()) collect(item, `${path}[${names?.[at] ?? at}]`, into)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) collect(member, path === '' ? name : `${path}.${name}`, into)
  } else if (value !== '' && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')) into.set(path, value)
}

/** Undefined where two have the same, or one has none: positions tell them apart then. */
function namesOf(items: readonly unknown[]): readonly string[] | undefined {
  const names = items.map((item) => (item as { readonly Name?: unknown } | null)?.Name)
  const isNamed = names.every((name): name is string => typeof name === 'string' && name !== '')
  return isNamed && new Set(names).size === names.length ? (names as readonly string[]) : undefined
}
