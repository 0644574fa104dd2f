/** What Drover answers to the questions that are put to the reference, by the same functions that its API uses. */
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { createJobspecParser } from '../../src/adapters/hcl-syntax/jobspec-parser.js'
import { findWrongType } from '../../src/api/filter/json-types.js'
import type { PlanAnnotations } from '../../src/domain/index.js'
import type { ApiObject } from '../../src/jobspec/decode/api-job.js'
import {
  annotateDiff,
  canonicalizeAsClient,
  canonicalizeJob,
  clientForm,
  diffJobs,
  readApiJob,
  validateJob,
  warningsText,
} from '../../src/jobspec/index.js'

const parser = createJobspecParser(new InProcessSyntaxReader())

export type Parsed = { readonly job: unknown } | { readonly mistakes: readonly string[] }

/** As `/v1/jobs/parse`; mistakes as `line,column-line,column: summary`. */
export async function parseText(text: string, isCanonical: boolean): Promise<Parsed> {
  const outcome = await parser.parse({ path: 'input.hcl', text })
  if (outcome.kind === 'job') return { job: isCanonical ? canonicalizeAsClient(outcome.job) : clientForm(outcome.job) }
  if (outcome.kind === 'mistakes') return { mistakes: outcome.mistakes.map(({ line, column, summary }) => `${line},${column}: ${summary}`) }
  throw new Error(outcome.reason)
}

export function validate(job: ApiObject): { readonly errors: readonly string[]; readonly warnings: string } {
  const { problems, warnings } = validateJob(canonicalizeJob(readApiJob(job)))
  return { errors: problems.map(({ text }) => text), warnings: warningsText(warnings) }
}

export function store(job: ApiObject): unknown {
  return canonicalizeJob(readApiJob(job))
}

export function diff(old: ApiObject, next: ApiObject, annotations: PlanAnnotations | null): unknown {
  const plain = diffJobs(canonicalizeJob(readApiJob(old)), canonicalizeJob(readApiJob(next)), { contextual: true })
  return annotations === null ? plain : annotateDiff(plain, annotations)
}

/** Whether the API refuses the body of such a job before it looks at what it says. */
export function hasWrongType(job: ApiObject): boolean {
  return findWrongType(job, 'Job') !== undefined
}
