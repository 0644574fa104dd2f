/** What only computes: `/v1/jobs/parse`, `/v1/validate/job`, `/v1/job/:id/plan` (`reference/http-api.md` A.1). */
import type { Job, Mistake } from '../../domain/index.js'
import { jobKey } from '../../state/index.js'
import type { ReadDeps } from '../blocking.js'
import { type JsonObject, memberOf, readJsonBody } from '../body.js'
import { encodeJson } from '../encode.js'
import { badRequest, requestFailed } from '../errors.js'
import type { JobDiffer, JobspecParser, Planner } from '../ports.js'
import { jsonAnswer } from '../request.js'
import type { Call, Handler, Route } from '../router.js'

export interface JobspecDeps extends ReadDeps {
  readonly parser: JobspecParser
  readonly planner: Planner
  readonly diff: JobDiffer
}

/** Names the text in messages, as Nomad's parser does. */
const PARSED_NAME = 'input.hcl'
const ZERO_TIME = '0001-01-01T00:00:00Z'

export function jobspecRoutes(deps: JobspecDeps): readonly Route[] {
  const both = (handler: Handler) => ({ PUT: handler, POST: handler })
  return [
    { pattern: '/v1/jobs/parse', methods: both((call) => parseJob(deps, call)) },
    { pattern: '/v1/validate/job', methods: both((call) => validateJob(deps, call)) },
    { pattern: '/v1/job/:id/plan', methods: both((call) => planJob(deps, call)) },
  ]
}

async function parseJob({ parser }: JobspecDeps, call: Call) {
  const body = readJsonBody(call)
  const text = memberOf(body, 'JobHCL')
  if (typeof text !== 'string' || text === '') throw badRequest('Job spec is empty')
  const variables = memberOf(body, 'Variables')
  const outcome = await parser.parse({
    path: PARSED_NAME,
    text,
    ...(typeof variables === 'string' && variables !== '' ? { variables } : {}),
  })
  if (outcome.kind === 'mistakes') throw badRequest(`Failed to parse job: ${outcome.mistakes.map(describeMistake).join('\n')}`)
  return jsonAnswer(encodeJson(outcome.job))
}

function describeMistake({ path, line, column, summary, detail }: Mistake): string {
  return `${line === 0 ? '<nil>' : `${path}:${line},${column}`}: ${summary}; ${detail}`
}

/** The job of a request's envelope. @throws ApiError BAD_REQUEST */
function jobOfBody(body: JsonObject): JsonObject {
  const job = memberOf(body, 'Job')
  if (typeof job !== 'object' || job === null || Array.isArray(job)) throw badRequest('Job must be specified')
  return job as JsonObject
}

/** Namespace: the query's, else the envelope's, else the job's own. */
function readJob(parser: JobspecParser, call: Call, body: JsonObject): ReturnType<JobspecParser['parse']> {
  const job = jobOfBody(body)
  const namespace = call.parameters.get('namespace') || memberOf(body, 'Namespace')
  const chosen = typeof namespace === 'string' && namespace !== '' && namespace !== '*' ? { ...job, Namespace: namespace } : job
  return parser.parse({ path: 'job.json', text: JSON.stringify(chosen) })
}

async function validateJob({ parser }: JobspecDeps, call: Call) {
  const outcome = await readJob(parser, call, readJsonBody(call))
  const errors = outcome.kind === 'mistakes' ? outcome.mistakes.map(({ summary, detail }) => detail || summary) : []
  const validation = {
    DriverConfigValidated: true,
    ValidationErrors: errors.length === 0 ? null : errors,
    Error: formatErrors(errors),
    Warnings: formatWarnings(outcome.kind === 'job' ? outcome.warnings : []),
  }
  return jsonAnswer(encodeJson(validation))
}

async function planJob({ reader, parser, planner, diff }: JobspecDeps, call: Call) {
  const body = readJsonBody(call)
  const id = memberOf(jobOfBody(body), 'ID')
  if (typeof id !== 'string' || id === '') throw badRequest('Job must have a valid ID')
  if (id !== call.id) throw badRequest('Job ID does not match')
  const outcome = await readJob(parser, call, body)
  if (outcome.kind === 'mistakes') throw requestFailed(formatErrors(outcome.mistakes.map(({ summary, detail }) => detail || summary)))
  const { job, warnings } = outcome
  const { result, index } = await planner.plan(job)
  const { known } = await reader.read((view) => ({ index: 0, known: view.jobs.get(jobKey(job)) }))
  const annotations = result.plan.Annotations ?? { DesiredTGUpdates: {}, PreemptedAllocs: null }
  const plan = {
    Annotations: annotations,
    FailedTGAllocs: result.evaluation.FailedTGAllocs ?? null,
    JobModifyIndex: index,
    CreatedEvals: result.created.length === 0 ? null : result.created,
    Diff: memberOf(body, 'Diff') === true ? diff(known ?? null, nextVersionOf(job, known), annotations) : null,
    NextPeriodicLaunch: ZERO_TIME,
    Warnings: formatWarnings(warnings),
    Index: index,
  }
  return jsonAnswer(encodeJson(plan), { 'X-Nomad-Index': String(index) })
}

/** A stopped job that is planned would run again. */
function nextVersionOf(job: Job, known: Job | undefined): Job {
  return known === undefined ? job : { ...job, CreateIndex: known.CreateIndex, Stop: job.Stop }
}

/** `N errors occurred:`, one a line; empty when there are none. */
export function formatErrors(errors: readonly string[]): string {
  if (errors.length === 0) return ''
  const lines = errors.map((error) => `\t* ${error}`)
  return `${errors.length} error${errors.length === 1 ? '' : 's'} occurred:\n${lines.join('\n')}\n\n`
}

function formatWarnings(warnings: readonly string[]): string {
  if (warnings.length === 0) return ''
  return `${warnings.length} warning${warnings.length === 1 ? '' : 's'}:\n\n${warnings.map((warning) => `* ${warning}`).join('\n')}`
}
