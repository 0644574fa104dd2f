/** What only computes: `/v1/jobs/parse`, `/v1/validate/job`, `/v1/job/:id/plan` (Nomad API docs, "Jobs"), and why a job runs as it does. */
import { invariant } from '../../domain/index.js'
import { poolProblems, validationErrorText, warningsText } from '../../jobspec/index.js'
import type { StateView } from '../../state/index.js'
import type { ReadDeps } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { badRequest, notFound, requestFailed } from '../errors.js'
import { askAboutJob, askForJson, type JobPlanDeps, planOfJob } from '../job-plan.js'
import type { JobCheck } from '../job-requests.js'
import { jsonAnswer } from '../request.js'
import type { Call, Handler, Route } from '../router.js'

export interface JobspecDeps extends ReadDeps, JobPlanDeps {}

export function jobspecRoutes(deps: JobspecDeps): readonly Route[] {
  const both = (handler: Handler) => ({ PUT: handler, POST: handler })
  return [
    { pattern: '/v1/jobs/parse', takesJobs: true, methods: both((call) => parseJob(deps, call)) },
    { pattern: '/v1/validate/job', takesJobs: true, methods: both((call) => validate(deps, call)) },
    { pattern: '/v1/job/:id/plan', takesJobs: true, methods: both((call) => planJob(deps, call)) },
    { pattern: '/drover/v1/why/:id', methods: { GET: (call) => explainJob(deps, call) } },
  ]
}

async function parseJob(deps: JobspecDeps, call: Call) {
  return jsonAnswer(await askForJson(deps, { kind: 'parse', body: call.request.body }))
}

async function checkJob(deps: JobspecDeps, call: Call, isJobWanted: boolean): Promise<JobCheck> {
  const namespace = call.parameters.get('namespace') ?? ''
  const answer = await askAboutJob(deps, { kind: 'check', body: call.request.body, namespace, isJobWanted })
  invariant(answer.kind === 'checked', 'a check is answered with what was found')
  return answer.check
}

/** What registering the job would refuse, one text a problem, with what depends on the cluster. */
async function findProblems({ reader }: JobspecDeps, { place, problems }: JobCheck): Promise<readonly string[]> {
  const { missing } = await reader.read((view) => ({ index: 0, missing: missingPlaces(view, place) }))
  return [...missing, ...problems]
}

function missingPlaces(view: StateView, place: JobCheck['place']): readonly string[] {
  const texts: string[] = []
  if (view.namespaces.get(place.Namespace) === undefined) texts.push(`job "${place.ID}" is in nonexistent namespace "${place.Namespace}"`)
  const pools = { has: (name: string) => view.nodePools.get(name) !== undefined }
  return [...texts, ...poolProblems(place, pools).map(({ text }) => text)]
}

async function validate(deps: JobspecDeps, call: Call) {
  const check = await checkJob(deps, call, false)
  const problems = await findProblems(deps, check)
  const validation = {
    DriverConfigValidated: true,
    ValidationErrors: problems.length === 0 ? null : problems,
    Error: problems.length === 0 ? '' : validationErrorText(problems),
    Warnings: warningsText(check.warnings),
  }
  return jsonAnswer(encodeJson(validation))
}

async function planJob(deps: JobspecDeps, call: Call) {
  const check = await checkJob(deps, call, true)
  if (check.place.ID === '') throw badRequest('Job must have a valid ID')
  if (check.place.ID !== call.id) throw badRequest('Job ID does not match')
  // A commit makes the namespace and the pool of its folders, so to a plan of one they are there.
  const isInCommit = call.parameters.boolean('in_commit')
  const problems = isInCommit ? check.problems : await findProblems(deps, check)
  const { job, warnings, isDiffWanted } = check
  if (problems.length > 0 || job === undefined) throw requestFailed(validationErrorText(problems))
  const isExplained = call.parameters.boolean('reasons')
  const { json, index } = await planOfJob(deps, { job, warnings, isDiffWanted, isExplained, isUsageWanted: isInCommit })
  return jsonAnswer(json, { 'X-Nomad-Index': String(index) })
}

/** `:id` is `namespace/job`; a namespace has no slashes, an ID may. */
async function explainJob({ planner }: JobspecDeps, call: Call) {
  const at = call.id.indexOf('/')
  const explanation = at < 0 ? undefined : await planner.explain(call.id.slice(0, at), call.id.slice(at + 1))
  if (explanation === undefined) throw notFound('job not found')
  return jsonAnswer(encodeJson(explanation))
}
