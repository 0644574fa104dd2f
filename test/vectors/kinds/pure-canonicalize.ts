import { canonicalizeBeforeServer, canonicalizeJob, readApiJob, validateJob, warningsText } from '../../../src/jobspec/index.js'
import { compareJson, PLACEHOLDERS } from '../compare.js'
import type { VectorKind } from '../kind.js'

interface CanonicalizeCase {
  readonly name: string
  readonly job: unknown
  readonly status: number
  readonly stored?: Readonly<Record<string, unknown>>
  readonly canonical?: unknown
  readonly warnings?: string
  readonly error?: string
}

/** The status is the state's to derive; tokens are blanked in every answer. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['SubmitTime', 'JobModifyIndex', 'Status', 'ConsulToken', 'VaultToken'])
/** Indexes are drawn by the server wherever they stand. */
const INDEXES: ReadonlySet<string> = new Set(['CreateIndex', 'ModifyIndex'])
const PORTS: ReadonlySet<string> = new Set(['ReservedPorts', 'DynamicPorts'])

function comparable(job: object): unknown {
  return strip(Object.fromEntries(Object.entries(job).filter(([name]) => !NOT_COMPARED.has(name))), '')
}

/** Ports are stored in full, and leave out what is zero on the wire. */
function strip(value: unknown, member: string): unknown {
  if (Array.isArray(value)) {
    const compared = value.filter((item) => !isConsulVersion(item))
    return compared.length === 0 && value.length > 0 ? null : compared.map((item) => strip(item, member))
  }
  if (typeof value !== 'object' || value === null) return value
  const isPort = PORTS.has(member)
  const kept = Object.entries(value).filter(
    ([name, inner]) => !INDEXES.has(name) && !(isPort && (inner === 0 || inner === '' || inner === false)),
  )
  return Object.fromEntries(kept.map(([name, inner]) => [name, strip(inner, name)]))
}

/** Implied by Nomad for each service of Consul's, here for its mesh only: test/jobspec/implied-constraints.test.ts. */
function isConsulVersion(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'LTarget' in item && item.LTarget === '${attr.consul.version}'
}

export const pureCanonicalize: VectorKind = {
  kind: 'pure/canonicalize',
  *run(content) {
    for (const one of content as readonly CanonicalizeCase[]) {
      const written = readApiJob(one.job)
      const options = { placeholders: PLACEHOLDERS }
      if (one.stored !== undefined) {
        const job = canonicalizeJob(written)
        const mismatches = compareJson(comparable(one.stored), comparable(job), options)
        const warnings = compareJson(one.warnings ?? '', warningsText(validateJob(job).warnings), {}, '$.warnings')
        yield { name: one.name, mismatches: [...mismatches, ...warnings] }
      } else if (one.canonical !== undefined) {
        yield {
          name: one.name,
          mismatches: compareJson(comparable(one.canonical as object), comparable(canonicalizeBeforeServer(written)), options),
        }
      }
    }
  },
}
