import { evaluateText } from '../../../src/jobspec/index.js'
import type { VectorKind } from '../kind.js'

interface Outcome {
  readonly json?: string
  readonly error?: boolean
}

interface FunctionCase {
  readonly expr: string
  readonly both?: Outcome
  readonly 'nomad2.0.5'?: Outcome
}

const NO_FILES = { has: () => false, list: () => [] }

export const hclFunctions: VectorKind = {
  kind: 'hcl/functions',
  *run(content) {
    for (const one of content as readonly FunctionCase[]) {
      const expected = one.both ?? one['nomad2.0.5'] ?? {}
      const outcome = evaluateText(one.expr, NO_FILES)
      const got: Outcome = outcome.kind === 'value' ? { json: outcome.json } : { error: true }
      const isSame = expected.error === true ? got.error === true : got.json === expected.json
      yield { name: one.expr, mismatches: isSame ? [] : [{ path: '$', expected, got }] }
    }
  },
}
