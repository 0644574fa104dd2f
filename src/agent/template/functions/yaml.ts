/** YAML, by the `yaml` package for the syntax and by Go's yaml.v2 for what scalars mean and how values are written. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, Scalar } from 'yaml'
import { type Bytes, fromText, toText } from '../bytes.js'
import { refuse } from '../failure.js'
import { ANY, keyOf, type MapEntry, mapValue, NIL, recordValue, sliceValue, stringValue, type Value } from '../values.js'
import { decodeBase64 } from './encoding.js'
import { anyArguments, bytesOf, type CallContext, type FunctionTable, ofType } from './signature.js'
import { resolveScalar } from './yaml-scalars.js'
import { writeYaml } from './yaml-writer.js'

const DEPTH_MAX = 200

function parseYaml(bytes: Bytes, context: CallContext): Value {
  const lines = new LineCounter()
  const [document] = parseAllDocuments(toText(bytes), {
    schema: 'failsafe',
    version: '1.1',
    uniqueKeys: false,
    lineCounter: lines,
    logLevel: 'silent',
  })
  if (document === undefined || !('contents' in document)) return recordValue([])
  const [problem] = document.errors
  if (problem !== undefined) return refuse(`yaml: ${problem.message.split('\n')[0]}`)
  return new Composer(context, (node) => node.anchor).compose(document.contents, 0)
}

/** Turns nodes into values; what an alias repeats is charged each time. */
class Composer {
  private readonly anchors = new Map<string, Node>()

  constructor(
    private readonly context: CallContext,
    private readonly anchorOf: (node: Node & { anchor?: string }) => string | undefined,
  ) {}

  compose(node: unknown, depth: number): Value {
    if (depth > DEPTH_MAX) return refuse(`yaml: nested more than ${DEPTH_MAX} deep`)
    this.context.produce(1)
    if (node === null || node === undefined) return NIL
    if (isAlias(node)) {
      const target = this.anchors.get(node.source)
      return target === undefined ? refuse(`yaml: unknown anchor '${node.source}' referenced`) : this.compose(target, depth + 1)
    }
    const anchor = this.anchorOf(node as Node)
    if (anchor !== undefined) this.anchors.set(anchor, node as Node)
    if (isSeq(node))
      return sliceValue(
        ANY,
        node.items.map((item) => this.compose(item, depth + 1)),
      )
    if (isMap(node)) return mapValue(ANY, ANY, this.members(node.items, depth))
    return isScalar(node) ? scalarValue(node) : refuse('yaml: a node of an unknown kind')
  }

  private members(items: readonly { readonly key: unknown; readonly value: unknown }[], depth: number): readonly MapEntry[] {
    const own: MapEntry[] = []
    const merged: MapEntry[] = []
    for (const { key, value } of items) {
      const isMerge = isScalar(key) && key.value === '<<' && key.type === Scalar.PLAIN
      if (isMerge) merged.push(...this.merged(value, depth))
      else own.push({ key: this.keyOf(key, depth), value: this.compose(value, depth + 1) })
    }
    const keys = new Set(own.map(({ key }) => keyOf(key)))
    return [...own, ...merged.filter(({ key }) => !keys.has(keyOf(key)))]
  }

  private keyOf(key: unknown, depth: number): Value {
    const value = this.compose(key, depth + 1)
    return value.kind === 'map' || value.kind === 'slice' ? refuse('yaml: invalid map key') : value
  }

  private merged(value: unknown, depth: number): readonly MapEntry[] {
    const source = this.compose(value, depth + 1)
    const sources = source.kind === 'slice' ? [...source.items].reverse() : [source]
    return sources.flatMap((one) =>
      one.kind === 'map' ? [...one.entries.values()] : refuse('yaml: map merge requires map or sequence of maps as the value'),
    )
  }
}

function scalarValue(node: Scalar): Value {
  const bytes = fromText(String(node.value ?? ''))
  const tag = node.tag?.replace('tag:yaml.org,2002:', '!!')
  if (tag === '!!binary') return stringValue(decodeBase64(bytes.replace(/\s/g, '')))
  if (tag === '!!str') return stringValue(bytes)
  const isPlain = node.type === Scalar.PLAIN || tag === '!!int' || tag === '!!float' || tag === '!!bool' || tag === '!!null'
  return isPlain && (tag === undefined || tag.startsWith('!!')) ? resolveScalar(bytes) : stringValue(bytes)
}

export const YAML_FUNCTIONS: FunctionTable = {
  parseYAML: ofType('string', 1, ([input], context) => (bytesOf(input) === '' ? recordValue([]) : parseYaml(bytesOf(input), context))),
  toYAML: anyArguments(1, ([value]) => stringValue(writeYaml(value ?? NIL).trim())),
}
