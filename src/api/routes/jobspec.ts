/** What only computes: `/v1/jobs/parse`, `/v1/validate/job`, `/v1/job/:id/plan` (`reference/http-api.md` A.1), and why a job runs as it does. */
import { type Job, type Mistake, ZERO_TIME } from '../../domain/index.js'
import {
  annotateDiff,
  canonicalizeBeforeServer,
  canonicalizeJob,
  checkJob,
  clientForm,
  diffJobs,
  poolProblems,
  readApiJob,
  validationErrorText,
  warningsText,
} from '../../jobspec/index.js'
import { jobKey, type StateView } from '../../state/index.js'
import type { ReadDeps } from '../blocking.js'
import { type JsonObject, memberOf, readJsonBody } from '../body.js'
import { encodeJson } from '../encode.js'
import { badRequest, notFound, requestFailed } from '../errors.js'
import { findWrongType } from '../filter/json-types.js'
import { NAMESPACE_ALL } from '../parameters.js'
import type { JobspecParser, Planner } from '../ports.js'
import { jsonAnswer } from '../request.js'
import type { Call, Handler, Route } from '../router.js'
import { allocationStubView } from '../views/allocation-view.js'

export interface JobspecDeps extends ReadDeps {
  readonly parser: JobspecParser
  readonly planner: Planner
}

/** Names the text in messages, as Nomad's parser does. */
const PARSED_NAME = 'input.hcl'

export function jobspecRoutes(deps: JobspecDeps): readonly Route[] {
  const both = (handler: Handler) => ({ PUT: handler, POST: handler })
  return [
    { pattern: '/v1/jobs/parse', methods: both((call) => parseJob(deps, call)) },
    { pattern: '/v1/validate/job', methods: both((call) => validate(deps, call)) },
    { pattern: '/v1/job/:id/plan', methods: both((call) => planJob(deps, call)) },
    { pattern: '/drover/v1/why/:id', methods: { GET: (call) => explainJob(deps, call) } },
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
  if (outcome.kind === 'aborted') throw requestFailed(`the job could not be read: ${outcome.reason}`)
  if (outcome.kind === 'mistakes') throw badRequest(`Failed to parse job: ${outcome.mistakes.map(describeMistake).join('\n')}`)
  return jsonAnswer(encodeJson(memberOf(body, 'Canonicalize') === true ? canonicalizeBeforeServer(outcome.job) : clientForm(outcome.job)))
}

function describeMistake({ path, line, column, summary, detail }: Mistake): string {
  return `${line === 0 ? '<nil>' : `${path}:${line},${column}`}: ${summary}; ${detail}`
}

/** The job of a request's envelope. @throws ApiError BAD_REQUEST */
function jobOfBody(body: JsonObject): JsonObject {
  const job = memberOf(body, 'Job')
  if (typeof job !== 'object' || job === null || Array.isArray(job)) throw badRequest('Job must be specified')
  const wrong = findWrongType(job, 'Job')
  if (wrong !== undefined)
    throw badRequest(`json: cannot unmarshal ${wrong.got} into Go struct field Job.Job.${wrong.path} of type ${wrong.wanted}`)
  return job as JsonObject
}

/** As it would be stored. Namespace: the query's, else the envelope's, else the job's own. */
function readJob(call: Call, body: JsonObject): Job {
  const written = readApiJob(jobOfBody(body))
  const namespace = call.parameters.get('namespace') || memberOf(body, 'Namespace')
  const isNamed = typeof namespace === 'string' && namespace !== '' && namespace !== NAMESPACE_ALL
  return canonicalizeJob(isNamed ? { ...written, Namespace: namespace } : written)
}

/** What registering the job would refuse, one text a problem, with what depends on the cluster. */
async function findProblems(
  { reader }: JobspecDeps,
  job: Job,
): Promise<{ readonly problems: readonly string[]; readonly warnings: readonly string[] }> {
  const { problems, warnings } = checkJob(job)
  const { missing } = await reader.read((view) => ({ index: 0, missing: missingPlaces(view, job) }))
  return { problems: [...missing, ...problems.map(({ text }) => text)], warnings }
}

function missingPlaces(view: StateView, job: Job): readonly string[] {
  const texts: string[] = []
  if (view.namespaces.get(job.Namespace) === undefined) texts.push(`job "${job.ID}" is in nonexistent namespace "${job.Namespace}"`)
  const pools = { has: (name: string) => view.nodePools.get(name) !== undefined }
  return [...texts, ...poolProblems(job, pools).map(({ text }) => text)]
}

async function validate(deps: JobspecDeps, call: Call) {
  const { problems, warnings } = await findProblems(deps, readJob(call, readJsonBody(call)))
  const validation = {
    DriverConfigValidated: true,
    ValidationErrors: problems.length === 0 ? null : problems,
    Error: problems.length === 0 ? '' : validationErrorText(problems),
    Warnings: warningsText(warnings),
  }
  return jsonAnswer(encodeJson(validation))
}

async function planJob(deps: JobspecDeps, call: Call) {
  const body = readJsonBody(call)
  const id = memberOf(jobOfBody(body), 'ID')
  if (typeof id !== 'string' || id === '') throw badRequest('Job must have a valid ID')
  if (id !== call.id) throw badRequest('Job ID does not match')
  const job = readJob(call, body)
  const { problems, warnings } = await findProblems(deps, job)
  if (problems.length > 0) throw requestFailed(validationErrorText(problems))
  const isExplained = call.parameters.boolean('reasons')
  const { result, reasons, index } = await deps.planner.plan(job, isExplained)
  const annotations = result.plan.Annotations ?? { DesiredTGUpdates: {}, PreemptedAllocs: null }
  const { known, preempted } = await deps.reader.read((view) => ({
    index: 0,
    known: view.jobs.get(jobKey(job)),
    preempted: annotations.PreemptedAllocs?.map((row) => allocationStubView(view, row)) ?? null,
  }))
  const plan = {
    Annotations: { ...annotations, PreemptedAllocs: preempted },
    FailedTGAllocs: result.evaluation.FailedTGAllocs ?? null,
    JobModifyIndex: index,
    CreatedEvals: result.created.length === 0 ? null : result.created,
    Diff: memberOf(body, 'Diff') === true ? annotateDiff(diffJobs(known ?? null, job, { contextual: true }), annotations) : null,
    NextPeriodicLaunch: ZERO_TIME,
    Warnings: warningsText(warnings),
    Index: index,
    ...(isExplained ? { Reasons: reasons } : {}),
  }
  return jsonAnswer(encodeJson(plan), { 'X-Nomad-Index': String(index) })
}

/** `:id` is `namespace/job`; a namespace has no slashes, an ID may. */
async function explainJob({ planner }: JobspecDeps, call: Call) {
  const at = call.id.indexOf('/')
  const explanation = at < 0 ? undefined : await planner.explain(call.id.slice(0, at), call.id.slice(at + 1))
  if (explanation === undefined) throw notFound('job not found')
  return jsonAnswer(encodeJson(explanation))
}
