/**
 * What is encrypted in answers of the server: who of this host's tasks may have it, and the answer with it opened. It is opened for tasks
 * that may read it alone, kept in memory only, and leaves the agent in rendered files.
 */
import { describePlace, isEncrypted, mayOpen, readEncryptedValue, type ValuePlace, type VariableReader } from '../domain/index.js'
import type { OpenedValue, ValueOpener } from './ports.js'
import type { DataFound, DataPair } from './protocol.js'

interface SealedValue {
  readonly text: string
  /** Where it may have been encrypted for: a key has two places. */
  readonly places: readonly ValuePlace[]
  readonly mayOpen: (reader: VariableReader) => boolean
}

/** By the encrypted text. */
export type OpenedValues = ReadonlyMap<string, OpenedValue>

/** Everything encrypted in an answer. */
export function sealedIn(namespace: string, found: DataFound): readonly SealedValue[] {
  if (found.kind === 'variable') {
    const { Namespace, Path, Items } = found.variable
    return Object.entries(Items).flatMap(([name, text]) => {
      const places = [{ namespace: Namespace, path: Path, name }]
      return isEncrypted(text) ? [{ text, places, mayOpen: (reader: VariableReader) => mayOpen(found.variable, reader) }] : []
    })
  }
  if (found.kind !== 'keys') return []
  return found.pairs.flatMap((pair) => {
    const places = placesOf(pair, namespace)
    const variable = { Namespace: namespace, Path: places[0]!.path, ...(pair.readers === undefined ? {} : { readers: pair.readers }) }
    return isEncrypted(pair.value) ? [{ text: pair.value, places, mayOpen: (reader: VariableReader) => mayOpen(variable, reader) }] : []
  })
}

/** The key `app/port` is the member `port` of `kv/app`, or the member `value` of `kv/app/port`. */
function placesOf({ path }: DataPair, namespace: string): readonly ValuePlace[] {
  const at = path.lastIndexOf('/')
  const own = { namespace, path: `kv/${path}`, name: 'value' }
  return at < 0 ? [own] : [{ namespace, path: `kv/${path.slice(0, at)}`, name: path.slice(at + 1) }, own]
}

/** Each with its text, or with the sentence that says why not. Never rejects. */
export async function openAll(sealed: readonly SealedValue[], opener: ValueOpener): Promise<OpenedValues> {
  const opened = new Map<string, OpenedValue>()
  for (const value of sealed) opened.set(value.text, await openOne(value, opener))
  return opened
}

/** The header is believed once the value has been opened: nobody else could have changed it. */
async function openOne({ text, places }: SealedValue, opener: ValueOpener): Promise<OpenedValue> {
  const reading = readEncryptedValue(text)
  if ('mistake' in reading) return { kind: 'refused', reason: `${reading.mistake}: encrypt it with drover secret set` }
  const written = describePlace(reading.place)
  if (!places.some((place) => describePlace(place) === written))
    return { kind: 'refused', reason: `it was encrypted for ${written}: encrypt it for this place with drover secret set` }
  return opener.open(text)
}

/** The answer with plain values; or why it cannot be had. */
export function withOpened(
  found: DataFound,
  sealed: readonly SealedValue[],
  opened: OpenedValues,
): { readonly found: DataFound } | { readonly reason: string } {
  for (const { text, places } of sealed) {
    const value = opened.get(text)
    if (value?.kind !== 'opened') return { reason: `${describePlace(places[0]!)} cannot be opened: ${value?.reason ?? 'not yet'}` }
  }
  const textOf = (text: string): string => {
    const value = opened.get(text)
    return value?.kind === 'opened' ? value.text : text
  }
  if (found.kind === 'keys') return { found: { ...found, pairs: found.pairs.map((pair) => ({ ...pair, value: textOf(pair.value) })) } }
  if (found.kind !== 'variable') return { found }
  const items = Object.entries(found.variable.Items).map(([name, value]) => [name, textOf(value)] as const)
  return { found: { ...found, variable: { ...found.variable, Items: Object.fromEntries(items) } } }
}

export function describeDenied({ places }: SealedValue, { namespace, jobId }: VariableReader): string {
  const [place] = places
  const why =
    place!.namespace === namespace
      ? `job "${jobId}" is not granted it: name the job at this path in vars/${namespace}/_access.yaml`
      : `jobs of other namespaces do not get it`
  return `${describePlace(place!)} is encrypted, and ${why}`
}
