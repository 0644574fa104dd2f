/** One file of `vars/<namespace>/`: a mapping of names to texts, each plain or encrypted. */
import { isScalar } from 'yaml'
import { describePlace, isEncrypted, type Mistake, mistakeOfFile, readEncryptedValue, type ValuePlace } from '../../domain/index.js'
import { type Member, type Noting, readMapping, textOf } from './yaml-mapping.js'

/** As Nomad has it: all names and values of one variable together. */
const ITEMS_BYTES_MAX = 64 * 1024
const NAMESPACE = /^[a-zA-Z0-9-]{1,128}$/
const PATH = /^[a-zA-Z0-9-_~/]{1,128}$/
const ITEM_NAME = /^[^\s.[\]]{1,128}$/

export interface VariablePlace {
  readonly namespace: string
  readonly path: string
}

/** Of one encrypted value. */
interface ForWhom {
  readonly name: string
  readonly fingerprints: readonly string[]
}

export interface VariableContent {
  readonly items: Readonly<Record<string, string>>
  readonly encrypted: readonly ForWhom[]
}

/** What is wrong with the place of a file; undefined: nothing. */
export function misnaming(path: string, place: VariablePlace): Mistake | undefined {
  if (!NAMESPACE.test(place.namespace))
    return mistakeOfFile(path, `"${place.namespace}" is no name for a namespace`, 'Use letters, digits and "-".')
  if (!PATH.test(place.path))
    return mistakeOfFile(path, `"${place.path}" is no path for a variable`, 'Use up to 128 letters, digits, "-", "_", "~" and "/".')
  const isReserved = /^nomad(?:\/|$)/.test(place.path) && !/^nomad\/(?:jobs|job-templates)(?:\/|$)/.test(place.path)
  return isReserved
    ? mistakeOfFile(path, 'only paths at "nomad/jobs" and "nomad/job-templates" may begin with "nomad/"', 'Choose another path.')
    : undefined
}

export function readVariableFile(
  path: string,
  text: string,
  place: VariablePlace,
): VariableContent | { readonly mistakes: readonly Mistake[] } {
  const items: Record<string, string> = {}
  const encrypted: ForWhom[] = []
  const isWhat = { summary: 'A variable is a mapping of names to values', detail: 'Write one name and value a line: `password: secret`.' }
  const mistakes = readMapping(path, text, isWhat, (member, note) => {
    const value = readItem(member, note)
    if (value === undefined) return
    items[member.name] = value
    if (isEncrypted(value)) encrypted.push(...readForWhom(value, { ...place, name: member.name }, member.offset, note))
  })
  if (mistakes.length > 0) return { mistakes }
  const sizeBytes = Object.entries(items).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  if (sizeBytes > ITEMS_BYTES_MAX)
    return {
      mistakes: [
        mistakeOfFile(path, `The variable has ${sizeBytes} bytes, of at most ${ITEMS_BYTES_MAX}`, 'Divide it into several files.'),
      ],
    }
  return { items, encrypted }
}

/** @returns undefined once a mistake is noted */
function readItem({ name, offset, value }: Member, note: Noting): string | undefined {
  if (!ITEM_NAME.test(name)) {
    note(offset, `${JSON.stringify(name)} is no name for an item`, 'Use a name without spaces, dots and brackets.')
    return undefined
  }
  if (isScalar(value) && value.value !== null) return textOf(value)
  note(offset, `The value of "${name}" is no text`, 'Write a plain or quoted text, or several lines behind `|`.')
  return undefined
}

function readForWhom(value: string, place: ValuePlace, offset: number | undefined, note: Noting): readonly ForWhom[] {
  const reading = readEncryptedValue(value)
  const remedy = `Encrypt it for this place: drover secret set --namespace ${place.namespace} ${place.path} ${place.name}`
  if ('mistake' in reading) note(offset, `The value of "${place.name}" is encrypted, but ${reading.mistake}`, remedy)
  else if (describePlace(reading.place) !== describePlace(place))
    note(offset, `The value of "${place.name}" was encrypted for ${describePlace(reading.place)}, and is opened nowhere else`, remedy)
  else return [{ name: place.name, fingerprints: reading.fingerprints }]
  return []
}
