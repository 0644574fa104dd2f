/**
 * Takes known names out of files that only say what is: hosts, pools, the cluster. Only literal values; whatever is wrong is remembered
 * with its place, all of it.
 */
import { formatDuration, MILLISECOND, readDuration } from '../../domain/index.js'
import { type Expression, type Fault, fault, type HclAttribute, type HclBlock, type HclBody, type HclSyntax } from '../../jobspec/index.js'

export type Attributes = ReadonlyMap<string, HclAttribute>
export type Body = { readonly attributes: Attributes; readonly blocks: readonly HclBlock[] }

export class DeclarationFields {
  readonly faults: Fault[] = []
  readonly #source: HclSyntax

  constructor(source: HclSyntax) {
    this.#source = source
  }

  /** `attributes` null: any name is an attribute of its own, as in `meta`. */
  body(body: HclBody, attributes: readonly string[] | null, blocks: readonly string[]): Body {
    const found = new Map<string, HclAttribute>()
    const nested: HclBlock[] = []
    for (const item of body.items) {
      const name = item.kind === 'attribute' ? item.name : item.type
      const known = item.kind === 'attribute' ? (attributes ?? [name]) : blocks
      if (!known.includes(name)) {
        this.refuse(
          item,
          `Unsupported ${item.kind === 'attribute' ? 'argument' : 'block type'}`,
          `"${name}" is not known here; known are: ${[...(attributes ?? []), ...blocks].join(', ')}.`,
        )
      } else if (item.kind === 'attribute') found.set(name, item)
      else nested.push(item)
    }
    return { attributes: found, blocks: nested }
  }

  /** The only block of its type; undefined where there is none. */
  block(body: Body, type: string, attributes: readonly string[] | null, blocks: readonly string[] = []): Body | undefined {
    const [first, second] = body.blocks.filter((block) => block.type === type)
    if (second !== undefined) this.refuse(second, 'Duplicate block', `Only one "${type}" block is allowed.`)
    return first === undefined ? undefined : this.body(first.body, attributes, blocks)
  }

  /** A block in which any name may be given a text. */
  texts(body: Body, type: string): Readonly<Record<string, string>> | undefined {
    const attributes = this.block(body, type, null)?.attributes
    return attributes && Object.fromEntries([...attributes.keys()].map((name) => [name, this.text(attributes, name) ?? '']))
  }

  text(attributes: Attributes, name: string): string | undefined {
    const value = this.#literal(attributes, name)
    return value === undefined ? undefined : String(value)
  }

  /** A list of texts. */
  list(attributes: Attributes, name: string): readonly string[] | undefined {
    const attribute = attributes.get(name)
    if (attribute === undefined) return undefined
    const items = attribute.value.kind === 'tuple' ? attribute.value.items.map(literalOf) : undefined
    if (items?.every((item): item is string => typeof item === 'string') === true) return items
    this.refuse(attribute.value, 'Incorrect value', `"${name}" must be a list of texts, written out, as in ["docker"].`)
    return undefined
  }

  choice<Choice extends string>(attributes: Attributes, name: string, known: readonly Choice[]): Choice | undefined {
    return this.#expect(attributes, name, `one of ${known.map((choice) => `"${choice}"`).join(', ')}`, (value): value is Choice =>
      (known as readonly unknown[]).includes(value),
    )
  }

  number(attributes: Attributes, name: string): number | undefined {
    return this.#expect(
      attributes,
      name,
      'a whole number, not negative',
      (value): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0,
    )
  }

  bool(attributes: Attributes, name: string): boolean | undefined {
    return this.#expect(attributes, name, 'true or false', (value): value is boolean => typeof value === 'boolean')
  }

  /** @param leastMs what would be too short to mean anything */
  durationMs(attributes: Attributes, name: string, leastMs = 0): number | undefined {
    const text = this.text(attributes, name)
    if (text === undefined) return undefined
    const reading = readDuration(text)
    if (reading.kind === 'duration' && reading.nanoseconds >= leastMs * MILLISECOND) return reading.nanoseconds / MILLISECOND
    const least = leastMs === 0 ? 'time' : `time of at least ${formatDuration(leastMs * MILLISECOND)}`
    this.refuse(attributes.get(name)!.value, 'Incorrect duration', `${JSON.stringify(text)} is no ${least}. Write "10m".`)
    return undefined
  }

  refuse(at: { readonly start: number; readonly end: number }, summary: string, detail: string): void {
    this.faults.push(fault(this.#source, at, summary, detail))
  }

  #expect<Value extends Literal>(
    attributes: Attributes,
    name: string,
    expected: string,
    isValue: (value: Literal) => value is Value,
  ): Value | undefined {
    const value = this.#literal(attributes, name)
    if (value === undefined || isValue(value)) return value
    this.refuse(attributes.get(name)!.value, 'Incorrect value', `"${name}" must be ${expected}.`)
    return undefined
  }

  #literal(attributes: Attributes, name: string): Literal | undefined {
    const attribute = attributes.get(name)
    if (attribute === undefined) return undefined
    const value = literalOf(attribute.value)
    if (value === undefined)
      this.refuse(attribute.value, 'Not a plain value', `"${name}" must be written out: declarations compute nothing.`)
    return value ?? undefined
  }
}

type Literal = string | number | boolean

/** Null: written as such, which is the same as not at all. Undefined: to be computed. */
function literalOf(expression: Expression): Literal | null | undefined {
  switch (expression.kind) {
    case 'string':
    case 'bool':
      return expression.value
    case 'number':
      return Number(expression.text)
    case 'null':
      return null
    case 'unary': {
      const operand = literalOf(expression.operand)
      return expression.operator === '-' && typeof operand === 'number' ? -operand : undefined
    }
    case 'template': {
      const parts = expression.parts.map(literalOf)
      return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined
    }
    default:
      return undefined
  }
}
