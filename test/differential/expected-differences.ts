/** Where Drover answers otherwise on purpose: each with its reason, and all of them in `docs/differences.md`. */
import type { Mismatch } from '../vectors/compare.js'
import type { Case, Question } from './questions.js'

interface ExpectedDifference {
  readonly reason: string
  readonly holds: (question: Question, one: Case, mismatch: Mismatch) => boolean
}

/** Sentences of releases after the one that Drover is held to. */
const NEWER = /must have at least one main task|unsupported attribute|is missing a closing brace/

const EXPECTED: readonly ExpectedDifference[] = [
  {
    reason: 'rules that Nomad has only since 2.0.6',
    holds: (question, _, { expected }) => question === 'validate' && typeof expected === 'string' && NEWER.test(expected),
  },
]

export function isExpected(question: Question, one: Case, mismatch: Mismatch): boolean {
  return EXPECTED.some(({ holds }) => holds(question, one, mismatch))
}
