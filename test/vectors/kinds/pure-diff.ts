import type { Job, PlanAnnotations } from '../../../src/domain/index.js'
import { annotateDiff, diffJobs, isSpecChanged } from '../../../src/jobspec/index.js'
import { compareJson, type Mismatch, PLACEHOLDERS } from '../compare.js'
import type { VectorKind } from '../kind.js'

interface DiffCase {
  readonly name: string
  readonly old: Job | null
  readonly new: Job | null
  readonly diff?: unknown
  readonly diff_contextual?: unknown
  readonly annotations?: PlanAnnotations | null
  readonly annotated?: unknown
  readonly error?: string
  readonly spec_changed?: boolean
  readonly order_varies?: boolean
}

function errorOf(one: DiffCase): string | undefined {
  try {
    diffJobs(one.old, one.new, { contextual: false })
    return undefined
  } catch (error) {
    return error instanceof RangeError ? error.message : String(error)
  }
}

function* compare(one: DiffCase): Iterable<readonly Mismatch[]> {
  const options = { placeholders: PLACEHOLDERS, unordered: one.order_varies ?? false }
  if (one.error !== undefined) return yield compareJson(one.error, errorOf(one), {}, '$.error')
  const contextual = diffJobs(one.old, one.new, { contextual: true })
  if (one.diff !== undefined) yield compareJson(one.diff, diffJobs(one.old, one.new, { contextual: false }), options, '$.diff')
  if (one.diff_contextual !== undefined) yield compareJson(one.diff_contextual, contextual, options, '$.diff_contextual')
  if (one.annotated !== undefined) {
    const annotated = one.annotations == null ? contextual : annotateDiff(contextual, one.annotations)
    yield compareJson(one.annotated, annotated, options, '$.annotated')
  }
  if (one.spec_changed !== undefined && one.old !== null && one.new !== null) {
    yield compareJson(one.spec_changed, isSpecChanged(one.old, one.new), {}, '$.spec_changed')
  }
}

export const pureDiff: VectorKind = {
  kind: 'pure/diff',
  *run(content) {
    for (const one of content as readonly DiffCase[]) yield { name: one.name, mismatches: [...compare(one)].flat() }
  },
}
