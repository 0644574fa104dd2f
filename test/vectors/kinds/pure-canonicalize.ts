import { canonicalizeBeforeServer, canonicalizeJob, readApiJob, validateJob } from '../../../src/jobspec/index.js'
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

/** Members that differ from registration to registration, and the status, which is the state's to derive. */
const NOT_COMPARED = ['SubmitTime', 'CreateIndex', 'ModifyIndex', 'JobModifyIndex', 'Status', 'ConsulToken', 'VaultToken']

function comparable(job: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(job).filter(([name]) => !NOT_COMPARED.includes(name)))
}

/** The `Warnings` text of an answer. */
function warningsText(warnings: readonly string[]): string {
  if (warnings.length === 0) return ''
  return `${warnings.length} warning${warnings.length === 1 ? '' : 's'}:\n\n${warnings.map((warning) => `* ${warning}`).join('\n')}`
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
