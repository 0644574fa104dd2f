import {
  canonicalizeJob,
  readApiJob,
  transitionProblem,
  validateJob,
  validationErrorText,
  warningsText,
} from '../../../src/jobspec/index.js'
import { compareJson } from '../compare.js'
import type { VectorKind } from '../kind.js'

interface Answer {
  readonly status: number
  readonly text?: string
  readonly ValidationErrors?: readonly string[] | null
  readonly Error?: string
  readonly Warnings?: string
}

interface ValidateCase {
  readonly name: string
  readonly category: string
  readonly job?: unknown
  /** Raw request texts are the HTTP API's to answer: `api/` runs them. */
  readonly body?: string
  readonly existing?: unknown
  readonly validate: Answer
  readonly register: Answer
}

/** Whether a namespace or pool exists is the state's to say, and so is the region. */
const NEEDS_STATE = /^job ".*" is in nonexistent node pool/

export const pureValidate: VectorKind = {
  kind: 'pure/validate',
  *run(content) {
    for (const one of content as readonly ValidateCase[]) {
      if (one.job === undefined) continue
      const job = canonicalizeJob(readApiJob(one.job))
      const { problems, warnings } = validateJob(job)
      const texts = problems.map(({ text }) => text)
      const expectedTexts = (one.validate.ValidationErrors ?? []).filter((text) => !NEEDS_STATE.test(text))
      const expectedError = expectedTexts.length < (one.validate.ValidationErrors ?? []).length ? '' : (one.validate.Error ?? '')
      const expected = { ValidationErrors: expectedTexts, Error: expectedError, Warnings: one.validate.Warnings ?? '', transition: '' }
      const got = {
        ValidationErrors: texts,
        Error: texts.length === 0 ? '' : validationErrorText(texts),
        Warnings: warningsText(warnings),
        transition: '',
      }
      if (one.existing !== undefined) {
        expected.transition = one.register.status === 200 ? '' : (one.register.text ?? '')
        got.transition = transitionProblem(canonicalizeJob(readApiJob(one.existing)), job) ?? ''
      }
      yield { name: one.name, mismatches: one.validate.text === undefined ? compareJson(expected, got) : [] }
    }
  },
}
