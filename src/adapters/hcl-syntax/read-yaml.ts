/** YAML 1.2 (core schema) as the same tree that JSON gives. Aliases are followed, within bounds; duplicate keys are refused. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, type YAMLParseError } from 'yaml'
import { type Fault, fault, type JsonMember, type JsonNode, type Limits, type Span, toMistakes } from '../../jobspec/index.js'
import type { SyntaxReading } from './syntax-reading.js'

export function readYaml(path: string, text: string, limits: Limits): SyntaxReading {
  const source = { path, text }
  const refuse = (faults: readonly Fault[]): SyntaxReading => ({ kind: 'mistakes', mistakes: toMistakes(faults, path) })
  const tooDeep = nestingFault(source, limits)
  if (tooDeep !== undefined) return refuse([tooDeep])
  const document = parseDocument(text, {
    version: '1.2',
    uniqueKeys: (a, b) => a === b || (isScalar(a) && isScalar(b) && a.value === b.value && !isMergeKey(a)),
    prettyErrors: false,
    keepSourceTokens: false,
    lineCounter: new LineCounter(),
  })
  if (document.errors.length > 0) {
    return refuse(
      document.errors.map((error) => fault(source, { start: error.pos[0], end: error.pos[1] }, 'Invalid YAML', describeError(error))),
    )
  }
  const reader = new YamlReader(source, limits, (node) => (isAlias(node) ? node.resolve(document) : undefined))
  const root = document.contents === null ? undefined : reader.read(document.contents, 0)
  if (reader.faults.length > 0) return refuse(reader.faults)
  return { kind: 'syntax', syntax: { kind: 'yaml', path, text, root: root ?? { kind: 'null', start: 0, end: 0 } } }
}

function describeError({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'One job a file: put what follows "---" into a file of its own.'
  return message.split('\n')[0] ?? message
}

/** `<<` as YAML 1.1 and most who write YAML have it; in quotes it is a key like any other. */
function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN'
}

/** The YAML reader recurses: what could exhaust the stack is refused by a look at indentation and brackets alone. */
function nestingFault(source: { path: string; text: string }, limits: Limits): Fault | undefined {
  let flow = 0
  let offset = 0
  for (const line of source.text.split('\n')) {
    const indent = /^[ -]*/.exec(line)?.[0].length ?? 0
    let deepest = flow
    for (const [bracket] of line.matchAll(/[[{\]}]/g)) {
      flow += bracket === '[' || bracket === '{' ? 1 : -1
      deepest = Math.max(deepest, flow)
    }
    if (indent > limits.nestingMax * 8 || deepest > limits.nestingMax) {
      return fault(
        source,
        { start: offset, end: offset + 1 },
        'Nesting too deep',
        `More than ${limits.nestingMax} levels are inside each other here.`,
      )
    }
    offset += line.length + 1
  }
  return undefined
}

class YamlReader {
  readonly faults: Fault[] = []
  private count = 0
  /** Characters of all texts so far. */
  private length = 0

  constructor(
    private readonly source: { path: string; text: string },
    private readonly limits: Limits,
    private readonly resolve: (node: Node) => Node | undefined,
  ) {}

  read(node: unknown, depth: number): JsonNode {
    const span = this.spanOf(node)
    const { yamlNodesMax, nestingMax, jobBytesMax } = this.limits
    if (++this.count > yamlNodesMax || depth > nestingMax || this.length > jobBytesMax) {
      if (this.faults.length === 0)
        this.fail(
          span,
          'Too much YAML',
          `A file may hold ${yamlNodesMax} values and ${jobBytesMax} characters, aliases unfolded, and ${nestingMax} levels.`,
        )
      return { kind: 'null', ...span }
    }
    if (isAlias(node)) return { ...this.read(this.resolve(node), depth + 1), ...span }
    if (isMap(node)) return this.readMap(node.items, span, depth)
    if (isSeq(node)) return { kind: 'array', items: node.items.map((item) => this.read(item, depth + 1)), ...span }
    if (isScalar(node)) return this.readScalar(node, span)
    return { kind: 'null', ...span }
  }

  private readMap(items: readonly { key: unknown; value: unknown }[], span: Span, depth: number): JsonNode {
    const members: JsonMember[] = []
    const merged: JsonMember[] = []
    for (const { key, value } of items) {
      const nameSpan = this.spanOf(key)
      if (isMergeKey(key)) {
        merged.push(...this.readMerged(value, nameSpan, depth))
        continue
      }
      if (!isScalar(key) || (typeof key.value !== 'string' && typeof key.value !== 'number' && typeof key.value !== 'boolean')) {
        this.fail(nameSpan, 'Invalid key', 'Keys must be plain texts.')
        continue
      }
      members.push({
        name: typeof key.value === 'string' ? key.value : (key.source ?? String(key.value)),
        nameSpan,
        value: this.read(value, depth + 1),
      })
    }
    // Own members win, and what is merged earlier wins over what is merged later.
    const names = new Set(members.map(({ name }) => name))
    const added = merged.filter(({ name }) => !names.has(name) && names.add(name))
    return { kind: 'object', members: [...members, ...added], ...span }
  }

  /** The members of a map, or of several in a list. */
  private readMerged(value: unknown, nameSpan: Span, depth: number): readonly JsonMember[] {
    const read = this.read(value, depth + 1)
    const maps = read.kind === 'array' ? read.items : [read]
    return maps.flatMap((map) => {
      if (map.kind === 'object') return map.members
      this.fail(nameSpan, 'Invalid merge', 'What "<<" merges is a map, or a list of maps.')
      return []
    })
  }

  private readScalar(node: Scalar, span: Span): JsonNode {
    const { value } = node
    if (typeof value === 'string') {
      this.length += value.length
      return { kind: 'string', value, ...span }
    }
    const written = node.source ?? String(value)
    if (typeof value === 'boolean') return { kind: 'bool', value, written, ...span }
    if (typeof value === 'number') {
      const text = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(written) ? written : String(value)
      if (Number.isFinite(value)) return { kind: 'number', text, written, ...span }
      this.fail(span, 'Invalid number', 'Infinity and NaN are not numbers that a job can hold.')
    }
    return { kind: 'null', ...span }
  }

  private spanOf(node: unknown): Span {
    const range =
      typeof node === 'object' && node !== null && 'range' in node
        ? (node as { range?: readonly [number, number, number] | null }).range
        : undefined
    return range == null ? { start: 0, end: 0 } : { start: range[0], end: range[1] }
  }

  private fail(span: Span, summary: string, detail: string): void {
    this.faults.push(fault(this.source, span, summary, detail))
  }
}
