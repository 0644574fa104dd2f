/**
 * Recorded scenarios name things by labels (`n1`, `a1`, `d1`, `e1`). A `Labels` stands for one mapping of labels to ids: no answer
 * may depend on it, so every scenario is run with several.
 */
export class Labels {
  readonly #idOf = new Map<string, string>()
  readonly #labelOf = new Map<string, string>()

  constructor(labels: Iterable<string>, salt: number) {
    for (const label of labels) {
      const id = uuidOf(`${salt}/${label}`)
      this.#idOf.set(label, id)
      this.#labelOf.set(id, label)
    }
  }

  /** Every text that is a label, at any depth, replaced by its id. */
  toIds<T>(value: T): T {
    return mapTexts(value, (text) => this.#idOf.get(text) ?? text) as T
  }

  idOf(label: string): string {
    return this.#idOf.get(label) ?? label
  }

  /** The label of an id; the id itself when it stands for nothing recorded. */
  labelOf(id: string): string {
    return this.#labelOf.get(id) ?? id
  }

  /** Ids made while the scenario ran get their label here. */
  name(id: string, label: string): void {
    this.#labelOf.set(id, label)
  }

  /** Every id inside every text, and in keys, replaced by its label. */
  toLabels<T>(value: T): T {
    return mapTexts(value, (text) => text.replace(UUID, (id) => this.#labelOf.get(id) ?? id)) as T
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/g

/** A UUID that is the same for the same text. */
export function uuidOf(text: string): string {
  const word = (seed: number) => {
    let hash = seed
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, '0')
  }
  const [a, b, c, d] = [word(0x811c9dc5), word(0x1234567), word(0x89abcdef), word(0x5bd1e995)]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5, 8)}-8${c.slice(0, 3)}-${c.slice(4, 8)}${d}`
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [map(key), mapTexts(member, map)]))
}
