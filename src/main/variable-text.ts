/** The text of a variable's file, changed in place: comments, order and the writing of other values stay. */
import { type Document, isMap, isScalar, parseDocument, Scalar, YAMLMap } from 'yaml'
import { CommandError } from '../cli/command.js'
import { isEncrypted } from '../domain/index.js'

const SECRET_TAG = '!secret'
/** All values are texts, so none is written anew as the number that it looks like. */
const READING = { schema: 'failsafe', logLevel: 'silent' } as const
const WRITING = { lineWidth: 0 } as const

export class VariableText {
  readonly #document: Document
  readonly #map: YAMLMap

  /** @throws CommandError for a text that is no mapping */
  constructor(text: string, file: string) {
    const document: Document = parseDocument(text, READING)
    if (document.contents === null) document.contents = new YAMLMap() as never
    if (document.errors.length > 0 || !isMap(document.contents))
      throw new CommandError(`${file} is no mapping of names to values; drover validate ${file} says where`)
    this.#document = document
    this.#map = document.contents as unknown as YAMLMap
  }

  get text(): string {
    return this.#document.toString(WRITING)
  }

  /** By name; what is no text is left out. */
  values(): ReadonlyMap<string, string> {
    return new Map(this.#scalars().map(([name, scalar]) => [name, String(scalar.value ?? '')]))
  }

  encrypted(): ReadonlyMap<string, string> {
    return new Map([...this.values()].filter(([, value]) => isEncrypted(value)))
  }

  /** Those that are marked to be encrypted. */
  secrets(): readonly string[] {
    return this.#scalars().flatMap(([name, scalar]) => (scalar.tag === SECRET_TAG ? [name] : []))
  }

  put(name: string, value: string, isSecret = false): void {
    const scalar = new Scalar(value)
    scalar.type = value.includes('\n') ? Scalar.BLOCK_LITERAL : isSecret ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN
    if (isSecret) scalar.tag = SECRET_TAG
    const known = this.#map.items.find(({ key }) => isScalar(key) && String(key.value) === name)
    if (known === undefined) this.#map.set(new Scalar(name), scalar)
    else known.value = scalar
  }

  #scalars(): readonly (readonly [string, Scalar])[] {
    return this.#map.items.flatMap(({ key, value }) => (isScalar(key) && isScalar(value) ? [[String(key.value), value] as const] : []))
  }
}
