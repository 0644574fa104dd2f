/** `pure/nodeclass` and `pure/network`: computed classes, and ports on one node (`data/pure/README.md`). */
import { type Allocation, isClientTerminal, type NetworkResource, type Node } from '../../../../src/domain/index.js'
import { type Condition, computeNodeClass, escapesClass, PortIndex, readPortRanges } from '../../../../src/scheduler/index.js'
import { compareJson, type Mismatch } from '../../compare.js'
import type { VectorKind } from '../../kind.js'
import { completeAllocation, completeNode } from './world.js'

interface ClassCase {
  readonly name: string
  readonly a?: Partial<Node>
  readonly b?: Partial<Node>
  readonly equal?: boolean
  readonly constraints?: readonly Condition[]
  readonly escaped?: readonly Condition[] | null
}

const nodeClass: VectorKind = {
  kind: 'pure/nodeclass',
  *run(content) {
    for (const record of content as readonly ClassCase[]) yield { name: record.name, mismatches: compareClass(record) }
  },
}

function compareClass({ a, b, equal, constraints = [], escaped = null }: ClassCase): readonly Mismatch[] {
  if (a === undefined || b === undefined) return compareJson(escaped ?? [], constraints.filter(escapesClass))
  const [first, second] = [computeNodeClass(completeNode(a)), computeNodeClass(completeNode(b))]
  return compareJson({ equal, isShaped: true }, { equal: first === second, isShaped: /^v1:\d+$/.test(first) })
}

interface NetworkCase {
  readonly name: string
  readonly node: Partial<Node>
  readonly allocs: readonly Partial<Allocation>[]
  readonly ask: NetworkResource
  readonly ports?: readonly RecordedPort[] | readonly number[] | null
  readonly error?: string
  readonly set_node_error?: string
  readonly existing_collision?: string
  readonly portranges?: string
}

interface RecordedPort {
  readonly host_ip: string
  readonly label: string
  /** null: drawn at random. */
  readonly value: number | null
  readonly to: number | string
  readonly seen_values?: readonly number[]
}

const network: VectorKind = {
  kind: 'pure/network',
  *run(content) {
    for (const record of content as readonly NetworkCase[]) yield { name: record.name, mismatches: compareNetwork(record) }
  },
}

/** Where to begin looking for a dynamic port: whatever the start is, the rule is the same. */
const STARTS = [0, 0.3, 0.6, 0.9]

function compareNetwork(record: NetworkCase): readonly Mismatch[] {
  if (record.portranges !== undefined) return compareRanges(record)
  const living = record.allocs.map(completeAllocation).filter((allocation) => !isClientTerminal(allocation))
  return STARTS.flatMap((startAt) => {
    const index = PortIndex.of(completeNode(record.node), living)
    if (record.set_node_error !== undefined) return compareJson(record.set_node_error, index.malformed)
    if (record.existing_collision !== undefined) return compareJson(record.existing_collision, index.collision)
    const offer = index.assign(record.ask, startAt)
    if (offer.kind === 'refused') return compareJson(record.error, offer.reason)
    const expected = (record.ports ?? []) as readonly RecordedPort[]
    if (record.error !== undefined) return compareJson(record.error, offer)
    return expected.flatMap((port, at) => comparePort(port, offer.ports[at], `$.ports[${at}]`))
  })
}

function comparePort(
  expected: RecordedPort,
  got: { readonly Label: string; readonly Value: number; readonly To: number; readonly HostIP: string } | undefined,
  path: string,
): readonly Mismatch[] {
  if (got === undefined) return [{ path, expected, got }]
  const value = expected.value ?? got.Value
  const isSeen = expected.seen_values === undefined || expected.seen_values.includes(got.Value)
  return compareJson(
    { label: expected.label, host_ip: expected.host_ip, value, to: typeof expected.to === 'string' ? value : expected.to, isSeen: true },
    { label: got.Label, host_ip: got.HostIP, value: got.Value, to: got.To, isSeen },
    {},
    path,
  )
}

function compareRanges({ portranges, ports, error }: NetworkCase): readonly Mismatch[] {
  const read = readPortRanges(portranges!)
  return read.kind === 'malformed' ? compareJson(error, read.reason) : compareJson(ports ?? [], read.ports)
}

export const PURE_KINDS: readonly VectorKind[] = [nodeClass, network]
