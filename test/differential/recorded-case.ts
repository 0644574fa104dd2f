import type { ApiObject } from '../../src/jobspec/decode/api-job.js'
import type { Question } from './questions.js'
import type { Reply } from './reference.js'

/** One question with what a Nomad answered, request by request. */
export interface RecordedCase {
  readonly name: string
  readonly question: Question
  readonly job: ApiObject
  readonly next: ApiObject
  readonly replies: readonly Reply[]
}
