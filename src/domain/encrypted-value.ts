/**
 * A value of a variable that is encrypted with age (https://age-encryption.org/v1), as armored text. Beside the stanzas of its recipients
 * the header has one of ours, which says where the value belongs and whom it is for. The header is bound to the key of the value, which
 * only its recipients know: so a value that somebody copied to another variable is told apart there, and not opened.
 */

const ARMOR_BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----'
const ARMOR_END = '-----END AGE ENCRYPTED FILE-----'
const HEADER_BEGIN = 'age-encryption.org/v1'
export const PLACE_STANZA = 'drover/variable'

export interface ValuePlace {
  readonly namespace: string
  /** Of the variable, below its namespace. */
  readonly path: string
  /** Of the member. */
  readonly name: string
}

export interface EncryptedValue {
  readonly place: ValuePlace
  /** Short hashes of the recipients' keys. */
  readonly fingerprints: readonly string[]
}

export function isEncrypted(value: string): boolean {
  return value.trimStart().startsWith(ARMOR_BEGIN)
}

/** As people read it: `default/nomad/jobs/web#password`. */
export function describePlace({ namespace, path, name }: ValuePlace): string {
  return `${namespace}/${path}#${name}`
}

/** What our stanza says. @throws URIError for a name with half a character */
export function placeStanza(place: ValuePlace, fingerprints: readonly string[]): readonly string[] {
  const parts = [place.namespace, place.path, place.name].map(encodeURIComponent)
  return [PLACE_STANZA, parts.join(':'), ...fingerprints]
}

/** Reads the header, which is plain to everybody. What is inside, and whether the header is the one that was made, only a recipient can tell. */
export function readEncryptedValue(text: string): EncryptedValue | { readonly mistake: string } {
  const header = readHeader(text)
  if (header === undefined) return { mistake: 'it is no whole text as age makes it' }
  const ours = header.filter(([type]) => type === PLACE_STANZA)
  const [, written = '', ...fingerprints] = ours[0] ?? []
  const place = ours.length === 1 ? readPlace(written) : undefined
  return place === undefined ? { mistake: 'it does not say which variable it is for' } : { place, fingerprints }
}

/** The arguments of each stanza. */
function readHeader(text: string): readonly (readonly string[])[] | undefined {
  const lines = text.trim().split(/\r?\n/)
  if (lines.shift() !== ARMOR_BEGIN || lines.pop() !== ARMOR_END) return undefined
  const bytes = fromBase64(lines.join(''))
  const end = bytes?.indexOf('\n--- ')
  if (bytes === undefined || end === undefined || end < 0) return undefined
  const [version, ...rest] = bytes.slice(0, end).split('\n')
  if (version !== HEADER_BEGIN) return undefined
  return rest.filter((line) => line.startsWith('-> ')).map((line) => line.slice(3).split(' '))
}

/** One character a byte. */
function fromBase64(text: string): string | undefined {
  try {
    return atob(text)
  } catch {
    return undefined
  }
}

function readPlace(written: string): ValuePlace | undefined {
  try {
    const [namespace, path, name, ...more] = written.split(':').map(decodeURIComponent)
    return namespace === undefined || path === undefined || name === undefined || more.length > 0 ? undefined : { namespace, path, name }
  } catch {
    return undefined
  }
}
