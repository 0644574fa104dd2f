/**
 * Jobs in request bodies: read, checked and compared. Pure but for the parser, and apart from everything else, because what it costs is up
 * to whoever sends the body: the server has it done elsewhere.
 */
import { assertNever, type Job, type Mistake, NAMESPACE_DEFAULT, NODE_POOL_DEFAULT, type PlanAnnotations } from '../domain/index.js'
import {
  annotateDiff,
  canonicalizeAsClient,
  canonicalizeJob,
  checkJob,
  clientForm,
  diffJobs,
  LIMITS,
  readApiJob,
  supportTexts,
  takeJobOrder,
  tooManyGroupsText,
} from '../jobspec/index.js'
import { type JsonObject, memberOf, readJsonBody } from './body.js'
import { encodeJson } from './encode.js'
import { ApiError, badRequest, requestFailed } from './errors.js'
import { findWrongType } from './filter/json-types.js'
import { NAMESPACE_ALL } from './parameters.js'
import type { JobspecParser } from './ports.js'

export type JobRequest =
  /** HCL to the job that its author wrote. */
  | { readonly kind: 'parse'; readonly body: Uint8Array }
  /** A job in the API's form to the one that would be stored, and what is wrong with it. `namespace`: the query's. */
  | { readonly kind: 'check'; readonly body: Uint8Array; readonly namespace: string; readonly isJobWanted: boolean }
  /** What would change. */
  | { readonly kind: 'diff'; readonly known: Job | null; readonly job: Job; readonly annotations: PlanAnnotations }

export type JobAnswer =
  | { readonly kind: 'json'; readonly json: Uint8Array }
  | { readonly kind: 'checked'; readonly check: JobCheck }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

export interface JobCheck {
  readonly place: Pick<Job, 'ID' | 'Namespace' | 'NodePool'>
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** Only where it was asked for, and nothing is wrong with it. */
  readonly job: Job | undefined
  readonly isDiffWanted: boolean
}

/** Jobs in request bodies, where reading them holds up nobody else. `aborted`: not read this time. */
export interface JobRequests {
  answer(request: JobRequest): Promise<JobAnswer | { readonly kind: 'aborted'; readonly reason: string }>
}

/** Names the text in messages, as Nomad's parser does. */
const PARSED_NAME = 'input.hcl'

/** Refusals are answers: they may come from another thread. */
export async function answerJobRequest(request: JobRequest, parser: JobspecParser): Promise<JobAnswer> {
  try {
    switch (request.kind) {
      case 'parse':
        return { kind: 'json', json: await parse(readJsonBody(request.body), parser) }
      case 'check':
        return { kind: 'checked', check: check(readJsonBody(request.body), request) }
      case 'diff':
        return {
          kind: 'json',
          json: encodeJson(annotateDiff(diffJobs(request.known, request.job, { contextual: true }), request.annotations)),
        }
      default:
        return assertNever(request)
    }
  } catch (error) {
    if (error instanceof ApiError) return { kind: 'refused', code: error.code, message: error.message }
    throw error
  }
}

async function parse(body: JsonObject, parser: JobspecParser): Promise<Uint8Array> {
  const text = memberOf(body, 'JobHCL')
  if (typeof text !== 'string' || text === '') throw badRequest('Job spec is empty')
  const variables = memberOf(body, 'Variables')
  const outcome = await parser.parse({
    path: PARSED_NAME,
    text,
    ...(typeof variables === 'string' && variables !== '' ? { variables } : {}),
  })
  if (outcome.kind === 'aborted') throw requestFailed(`the job could not be read: ${outcome.reason}`)
  if (outcome.kind === 'mistakes') throw badRequest(`Failed to parse job: ${outcome.mistakes.map(describeMistake).join('\n')}`)
  return encodeJson(memberOf(body, 'Canonicalize') === true ? canonicalizeAsClient(outcome.job) : clientForm(outcome.job))
}

function describeMistake({ path, line, column, end, summary, detail }: Mistake): string {
  if (line === 0) return `<nil>: ${summary}; ${detail}`
  const until = end === undefined ? '' : end.line === line ? `-${end.column}` : `-${end.line},${end.column}`
  return `${path}:${line},${column}${until}: ${summary}; ${detail}`
}

function check(body: JsonObject, { namespace, isJobWanted }: Extract<JobRequest, { kind: 'check' }>): JobCheck {
  const written = jobOfBody(body)
  const groups = memberOf(written, 'TaskGroups')
  if (Array.isArray(groups) && groups.length > LIMITS.groupCountMax) return tooMany(written, groups.length)
  const wrong = findWrongType(written, 'Job')
  if (wrong !== undefined)
    throw badRequest(`json: cannot unmarshal ${wrong.got} into Go struct field Job.Job.${wrong.path} of type ${wrong.wanted}`)
  const job = readJob(body, written, namespace)
  const { problems, warnings } = checkJob(job)
  return {
    place: { ID: job.ID, Namespace: job.Namespace, NodePool: job.NodePool },
    problems: problems.map(({ text }) => text),
    // Nomad's verdict stands; what nobody here would carry out is told beside it.
    warnings: [...warnings, ...supportTexts(job)],
    job: isJobWanted && problems.length === 0 ? job : undefined,
    isDiffWanted: memberOf(body, 'Diff') === true,
  }
}

/** Not looked at any further. */
function tooMany(written: JsonObject, count: number): JobCheck {
  const textOf = (name: string) => String(memberOf(written, name) ?? '')
  return {
    place: { ID: textOf('ID'), Namespace: textOf('Namespace') || NAMESPACE_DEFAULT, NodePool: textOf('NodePool') || NODE_POOL_DEFAULT },
    problems: [tooManyGroupsText(count, LIMITS.groupCountMax)],
    warnings: [],
    job: undefined,
    isDiffWanted: false,
  }
}

/** As it would be stored. Namespace: the query's, else the envelope's, else the job's own. */
function readJob(body: JsonObject, job: JsonObject, queried: string): Job {
  const written = readApiJob(job)
  const namespace = queried || memberOf(body, 'Namespace')
  const isNamed = typeof namespace === 'string' && namespace !== '' && namespace !== NAMESPACE_ALL
  // As a file's job is stored: what the meta says of order is kept beside it.
  return takeJobOrder(canonicalizeJob(isNamed ? { ...written, Namespace: namespace } : written)).job
}

/** The job of a request's envelope. @throws ApiError BAD_REQUEST */
function jobOfBody(body: JsonObject): JsonObject {
  const job = memberOf(body, 'Job')
  if (typeof job !== 'object' || job === null || Array.isArray(job)) throw badRequest('Job must be specified')
  return job as JsonObject
}
