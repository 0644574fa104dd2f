/** Lists of jobs: `/v1/jobs`, `/v1/jobs/statuses` (Nomad API docs, "Jobs"). */
import { type Job, namespacedKey } from '../../domain/index.js'
import { jobKey, type StateView } from '../../state/index.js'
import { answerRead, type ReadDeps, type Reading } from '../blocking.js'
import { readJsonBody } from '../body.js'
import { encodeJson, joinList } from '../encode.js'
import { badRequest } from '../errors.js'
import { byChange, byName, computePage } from '../pages.js'
import type { Call, Route } from '../router.js'
import { jobStatus, jobStubJson, summaryOf } from '../views/job-view.js'
import { inNamespace, reading } from './reading.js'

const BY_NAME = byName<Job>((job) => job.ID, true)
const BY_CHANGE = byChange<Job>()

export function jobsRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/jobs', methods: { GET: reading(deps, (view, call) => listJobs(view, call, () => true)) } },
    {
      pattern: '/v1/jobs/statuses',
      methods: {
        GET: reading(deps, statusQuery(null)),
        POST: (call) => answerRead(deps, call, statusQuery(readJobNames(call))),
      },
    },
  ]
}

/** `isWanted` narrows the list further, as to the jobs of one node pool. */
export function listJobs(view: StateView, call: Call, isWanted: (job: Job) => boolean): Reading {
  const isHere = inNamespace(call)
  const prefix = call.parameters.text('prefix')
  const withMeta = call.parameters.boolean('meta')
  const jobs = view.jobs.all().filter((job) => isHere(job) && job.ID.startsWith(prefix) && isWanted(job))
  const page = computePage(jobs, call.parameters, { order: BY_NAME, filterable: 'Job' })
  return {
    index: Math.max(view.jobs.index, view.jobSummaries.index),
    watch: [{ table: 'jobs' }, { table: 'jobSummaries' }],
    body: joinList(page.rows.map((job) => jobStubJson(job, summaryOf(view, job), withMeta))),
    nextToken: page.nextToken,
    isOfStateOnly: true,
  }
}

interface JobNames {
  readonly keys: readonly string[]
  readonly includeChildren: boolean
}

/**
 * Without a body all jobs are meant.
 * @throws ApiError BAD_REQUEST
 */
function readJobNames(call: Call): JobNames | null {
  if (call.request.body.length === 0) return null
  const body = readJsonBody(call.request.body) as {
    readonly jobs?: readonly { readonly id?: string; readonly namespace?: string }[]
    readonly include_children?: boolean
  }
  if (body.jobs === undefined || body.jobs.length === 0) throw badRequest('no jobs in request')
  const keys = body.jobs.map(({ id = '', namespace = 'default' }) => namespacedKey(namespace, id))
  return { keys, includeChildren: body.include_children === true }
}

/**
 * The index is the newest of anything on the page. When a job enters or leaves the page while the client waits, the
 * page's own index may not have grown: then the table's index is told.
 */
function statusQuery(names: JobNames | null): (view: StateView, call: Call) => Reading {
  let keysAtFirst: string | undefined
  return (view, call) => {
    const jobs = names === null ? listedJobs(view, call) : namedJobs(view, names)
    const page = computePage(jobs, call.parameters, { order: BY_CHANGE, filterable: 'Job', isFilterFailure: true })
    const keys = page.rows.map(jobKey)
    const statuses = page.rows.map((job, at) => jobStatus(view, job, keys[at]!))
    const newest = statuses.reduce((index, status) => Math.max(index, status.index), 0)
    const listed = keys.join()
    keysAtFirst ??= listed
    return {
      index: listed === keysAtFirst && keys.length > 0 ? newest : Math.max(newest, view.jobs.index),
      watch: [{ table: 'jobs' }, { table: 'allocations' }, { table: 'deployments' }],
      body: joinList(statuses.map(({ status }) => encodeJson(status))),
      nextToken: page.nextToken,
    }
  }
}

function listedJobs(view: StateView, call: Call): readonly Job[] {
  const isHere = inNamespace(call)
  const withChildren = call.parameters.boolean('include_children')
  return view.jobs.all().filter((job) => isHere(job) && (withChildren || job.ParentID === ''))
}

function namedJobs(view: StateView, { keys, includeChildren }: JobNames): readonly Job[] {
  const jobs = keys.flatMap((key) => view.jobs.get(key) ?? [])
  return includeChildren ? [...jobs, ...keys.flatMap((key) => view.jobs.by('parent', key))] : jobs
}
