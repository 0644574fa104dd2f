/** One job and what belongs to it: `/v1/job/:id…` (Nomad API docs, "Jobs"). */
import { type Allocation, isTerminal, type Job, type ScalingEvent, sourceIdOf } from '../../domain/index.js'
import { diffJobs } from '../../jobspec/index.js'
import { ownerKey, type StateView } from '../../state/index.js'
import { contactHeaders, type ReadDeps, type Reading } from '../blocking.js'
import { encodeJson, encodeText, joinList, withMember } from '../encode.js'
import { type ApiError, badRequest, notFound, requestFailed } from '../errors.js'
import type { SourceTexts, WatchKey } from '../ports.js'
import { jsonAnswer } from '../request.js'
import type { Call, Route } from '../router.js'
import { allocationStubJson } from '../views/allocation-view.js'
import { deploymentJson } from '../views/deployment-view.js'
import { evaluationJson } from '../views/evaluation-view.js'
import { emptySummary, jobJson, latestDeployment } from '../views/job-view.js'
import { atLeastOne, jobKeyOf, reading, tableReading } from './reading.js'

const JOB_NOT_FOUND = notFound('job not found')
const NULL = encodeText('null')

export interface JobDeps extends ReadDeps {
  readonly sourceTexts: SourceTexts
}

export function jobRoutes(deps: JobDeps): readonly Route[] {
  const read = (suffix: string, query: (view: StateView, call: Call) => Reading): Route => ({
    pattern: `/v1/job/:id${suffix}`,
    methods: { GET: reading(deps, query) },
  })
  return [
    read('/versions', readVersions),
    read('/allocations', readAllocations),
    read('/evaluations', readEvaluations),
    read('/deployments', readDeployments),
    read('/deployment', readDeployment),
    read('/summary', readSummary),
    read('/services', readServices),
    read('/scale', readScale),
    read('/actions', readActions),
    { pattern: '/v1/job/:id/submission', methods: { GET: (call) => readSubmission(deps, call) } },
    read('', readJob),
  ]
}

/** Also what an unknown ending means: ids hold slashes. */
function readJob(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const job = view.jobs.get(key)
  return ofJob(view, key, job, job === undefined ? JOB_NOT_FOUND : jobJson.of(job))
}

function ofJob(view: StateView, key: string, job: Job | undefined, body: Uint8Array | ApiError): Reading {
  return { index: job?.ModifyIndex ?? view.jobs.index, watch: [{ table: 'jobs', key }], body, isOfStateOnly: true }
}

function readVersions(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const withDiffs = call.parameters.boolean('diffs')
  const job = view.jobs.get(key)
  const watch: readonly WatchKey[] = [{ table: 'jobVersions', group: ['job', key] }]
  if (job === undefined) return { index: view.jobVersions.index, watch, body: notFound('job versions not found') }
  const versions = view.jobVersions
    .by('job', key)
    .filter((version) => version.CreateIndex === job.CreateIndex)
    .sort((a, b) => b.Version - a.Version)
  const diffs = withDiffs ? computeDiffs(versions, call) : null
  const index = versions.reduce((newest, version) => Math.max(newest, version.ModifyIndex), 0)
  const rest = encodeJson({ Diffs: diffs, Index: index, LastContact: 0, KnownLeader: true, NextToken: '' })
  return { index, watch, body: withMember(rest, 'Versions', joinList(versions.map((version) => jobJson.of(version)))) }
}

/** Newest first: each version against the one before it, or all against the one that was asked for. */
function computeDiffs(versions: readonly Job[], call: Call): readonly unknown[] {
  const asked = call.parameters.integer('diff_version', (reason) => `Failed to parse value of "diff_version" as an integer: ${reason}`)
  if (asked === undefined) return versions.slice(0, -1).map((version, at) => diffJobs(versions[at + 1]!, version, { contextual: true }))
  const base = versions.find((version) => version.Version === asked)
  if (base === undefined) throw requestFailed(`version ${asked} not found`)
  return versions.filter((version) => version !== base).map((version) => diffJobs(base, version, { contextual: true }))
}

function readAllocations(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const allocations = ofIncarnation(view.allocations.by('job', key), view.jobs.get(key), call)
  const fragments = allocations.map((allocation) => allocationStubJson(view, allocation))
  return tableReading(view.allocations, fragments, [{ table: 'allocations', group: ['job', key] }])
}

/** Earlier jobs of the same id are left out unless `all` is asked for. */
function ofIncarnation<Row extends { readonly JobCreateIndex: number }>(
  rows: readonly Row[],
  job: Job | undefined,
  call: Call,
): readonly Row[] {
  if (job === undefined || call.parameters.lenientBoolean('all')) return rows
  return rows.filter((row) => row.JobCreateIndex === job.CreateIndex)
}

function readEvaluations(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const fragments = view.evaluations.by('job', key).map((evaluation) => evaluationJson.of(evaluation))
  return tableReading(view.evaluations, fragments, [{ table: 'evaluations', group: ['job', key] }])
}

function readDeployments(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const deployments = ofIncarnation(view.deployments.by('job', key), view.jobs.get(key), call)
  const fragments = deployments.map((deployment) => deploymentJson.of(deployment))
  return tableReading(view.deployments, fragments, [{ table: 'deployments', group: ['job', key] }])
}

function readDeployment(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const job = view.jobs.get(key)
  const latest = job === undefined ? undefined : latestDeployment(view, job, key)
  const body = latest === undefined ? NULL : deploymentJson.of(latest)
  return { index: view.deployments.index, watch: [{ table: 'deployments', group: ['job', key] }], body }
}

function readSummary(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const job = view.jobs.get(key)
  const summary = view.jobSummaries.get(key) ?? (job === undefined ? undefined : emptySummary(job))
  const body = summary === undefined ? JOB_NOT_FOUND : encodeJson(summary)
  return { index: summary?.ModifyIndex ?? view.jobSummaries.index, watch: [{ table: 'jobSummaries', key }], body, isOfStateOnly: true }
}

function readServices(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const watch: readonly WatchKey[] = [
    { table: 'services', group: ['job', key] },
    { table: 'jobs', key },
  ]
  if (view.jobs.get(key) === undefined) return { index: 0, covers: view.jobs.index, watch, body: JOB_NOT_FOUND }
  return { index: atLeastOne(view.services.index), watch, body: encodeJson(view.services.by('job', key)) }
}

/** The file that made the version, as its author wrote it; known of the newest version of a job from the repository. */
async function readSubmission(deps: JobDeps, call: Call) {
  const { parameters } = call
  if (!/^\d+$/.test(parameters.text('version'))) throw badRequest('Unable to parse job submission version parameter')
  const version = Number(parameters.text('version'))
  const key = jobKeyOf(call)
  const { index, job, source } = await deps.reader.read((view) => {
    const source = view.jobSources.get(key)
    return { index: view.jobVersions.index, job: view.jobs.get(key), source: source?.version === version ? source : undefined }
  })
  const headers = contactHeaders(deps.reader, index)
  const blob = source?.inputs[0]?.blob
  const text = blob === undefined ? undefined : await deps.sourceTexts.read(sourceIdOf(source!), blob)
  if (job === undefined || source === undefined || text === undefined) throw notFound('job source not found').with(headers)
  const submission = {
    Source: text,
    Format: source.inputs[0]?.path.endsWith('.json') === true ? 'json' : 'hcl2',
    VariableFlags: null,
    Variables: '',
    Namespace: job.Namespace,
    JobID: job.ID,
    Version: version,
    JobModifyIndex: job.JobModifyIndex,
  }
  return jsonAnswer(encodeJson(submission), headers)
}

function readActions(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const job = view.jobs.get(key)
  const actions = (job?.TaskGroups ?? []).flatMap((group) =>
    group.Tasks.flatMap((task) =>
      (task.Actions ?? []).map(({ Name, Command, Args }) => ({
        Name,
        Command,
        Args: Args ?? [],
        TaskName: task.Name,
        TaskGroupName: group.Name,
      })),
    ),
  )
  return ofJob(view, key, job, encodeJson(actions))
}

/** Counts what runs now; canaries and what has ended do not count. */
function readScale(view: StateView, call: Call): Reading {
  const key = jobKeyOf(call)
  const job = view.jobs.get(key)
  const watch: readonly WatchKey[] = [
    { table: 'jobs', key },
    { table: 'scalingEvents', key },
    { table: 'allocations', group: ['job', key] },
  ]
  if (job === undefined) return { index: view.index, watch, body: JOB_NOT_FOUND }
  const events = view.scalingEvents.get(ownerKey({ Namespace: job.Namespace, JobID: job.ID }))
  const counted = view.allocations
    .by('job', key)
    .filter((allocation) => !isTerminal(allocation) && allocation.DeploymentStatus?.Canary !== true)
  const groups = job.TaskGroups.map((group) => {
    const allocations = counted.filter((allocation) => allocation.TaskGroup === group.Name)
    return [group.Name, { Desired: group.Count, ...countGroup(allocations), Events: eventsOf(events?.Groups[group.Name]) }] as const
  })
  const body = {
    JobID: job.ID,
    Namespace: job.Namespace,
    JobCreateIndex: job.CreateIndex,
    JobModifyIndex: job.ModifyIndex,
    JobStopped: job.Stop,
    TaskGroups: Object.fromEntries(groups),
  }
  const index = counted.reduce(
    (newest, { ModifyIndex }) => Math.max(newest, ModifyIndex),
    Math.max(job.ModifyIndex, events?.ModifyIndex ?? 0),
  )
  return { index, watch, body: encodeJson(body) }
}

function countGroup(allocations: readonly Allocation[]): Readonly<Record<'Placed' | 'Running' | 'Healthy' | 'Unhealthy', number>> {
  const count = (isCounted: (allocation: Allocation) => boolean) => allocations.filter(isCounted).length
  return {
    Placed: allocations.length,
    Running: count((allocation) => allocation.ClientStatus === 'running'),
    Healthy: count((allocation) => allocation.DeploymentStatus?.Healthy === true),
    Unhealthy: count((allocation) => allocation.DeploymentStatus?.Healthy === false),
  }
}

function eventsOf(events: readonly ScalingEvent[] | undefined): readonly ScalingEvent[] | null {
  return events === undefined || events.length === 0 ? null : events
}
