/**
 * JSON of stored rows. A row never changes, so its JSON is made once and kept as long as the row; lists are put together
 * from the JSON of their elements.
 */
const encoder = new TextEncoder()

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

/** The JSON of `shape(row)`, made once per row. One cache belongs to one shape. */
export class FragmentCache<Row extends object> {
  readonly #fragments = new WeakMap<Row, Uint8Array>()
  readonly #shape: (row: Row) => unknown

  constructor(shape: (row: Row) => unknown) {
    this.#shape = shape
  }

  of(row: Row): Uint8Array {
    let fragment = this.#fragments.get(row)
    if (fragment === undefined) {
      fragment = encodeJson(this.#shape(row))
      this.#fragments.set(row, fragment)
    }
    return fragment
  }
}

/** The same where the JSON depends on a second row, such as a job's entry in a list on its summary. */
export class PairFragmentCache<Row extends object, Other extends object> {
  readonly #fragments = new WeakMap<Row, { readonly other: Other | undefined; readonly bytes: Uint8Array }>()
  readonly #shape: (row: Row, other: Other | undefined) => unknown

  constructor(shape: (row: Row, other: Other | undefined) => unknown) {
    this.#shape = shape
  }

  of(row: Row, other: Other | undefined): Uint8Array {
    const known = this.#fragments.get(row)
    if (known !== undefined && known.other === other) return known.bytes
    const bytes = encodeJson(this.#shape(row, other))
    this.#fragments.set(row, { other, bytes })
    return bytes
  }
}

const [OPEN_LIST, CLOSE_LIST, CLOSE_OBJECT, COMMA] = ['[', ']', '}', ','].map((sign) => sign.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
]

/** `[a,b,c]` */
export function joinList(fragments: readonly Uint8Array[]): Uint8Array {
  let length = 2 + Math.max(0, fragments.length - 1)
  for (const fragment of fragments) length += fragment.length
  const bytes = new Uint8Array(length)
  bytes[0] = OPEN_LIST
  let at = 1
  for (const fragment of fragments) {
    if (at > 1) bytes[at++] = COMMA
    bytes.set(fragment, at)
    at += fragment.length
  }
  bytes[at] = CLOSE_LIST
  return bytes
}

/** `object` (not empty) with one more member, whose JSON is there already. */
export function withMember(object: Uint8Array, name: string, value: Uint8Array): Uint8Array {
  const key = encoder.encode(`,${JSON.stringify(name)}:`)
  const bytes = new Uint8Array(object.length + key.length + value.length)
  bytes.set(object.subarray(0, -1))
  bytes.set(key, object.length - 1)
  bytes.set(value, object.length - 1 + key.length)
  bytes[bytes.length - 1] = CLOSE_OBJECT
  return bytes
}
