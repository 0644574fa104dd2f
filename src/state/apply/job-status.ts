/**
 * What is derived of a job from its allocations, evaluations and deployments: its status and its summary
 * (Nomad API docs, "Jobs"). Kept with the rows, so that reading costs nothing.
 *
 * I17 The counters equal a recount from scratch and are never negative.  test/checkers.ts
 */
import {
  type Allocation,
  type ChildrenCounts,
  type ClientStatus,
  isDeploymentActive,
  isEvaluationTerminal,
  isTemplateJob,
  isTerminal,
  type Job,
  type JobStatus,
  type JobSummary,
  type LogIndex,
  namespacedKey,
  type TaskGroupSummary,
} from '../../domain/index.js'
import { jobKey, ownerKey } from '../schema.js'
import type { State } from '../state.js'

/** One row, put. */
export interface AllocationChange {
  readonly before: Allocation | undefined
  readonly after: Allocation
}

const EMPTY: TaskGroupSummary = Object.freeze({ Queued: 0, Complete: 0, Failed: 0, Running: 0, Starting: 0, Lost: 0, Unknown: 0 })

const COUNTER: Readonly<Record<ClientStatus, keyof TaskGroupSummary>> = {
  pending: 'Starting',
  running: 'Running',
  complete: 'Complete',
  failed: 'Failed',
  lost: 'Lost',
  unknown: 'Unknown',
}

/** Looks at the job again after anything of it changed; stores it anew only when its status moved. */
export function refreshJobStatus(state: State, index: LogIndex, key: string): void {
  const job = state.jobs.get(key)
  if (job === undefined) return
  const status = computeJobStatus(state, job, key)
  if (status === job.Status) return
  storeJob(state, index, { ...job, Status: status, ModifyIndex: index })
}

/** The current row and its version row are one object, so both always say the same. */
export function storeJob(state: State, index: LogIndex, job: Job): void {
  const before = state.jobs.get(jobKey(job))
  state.jobs.put(index, job)
  state.jobVersions.put(index, job)
  if (job.ParentID !== '') moveChild(state, index, job, before?.Status, job.Status)
}

function computeJobStatus(state: State, job: Job, key: string): JobStatus {
  if (job.Type === 'system' || isTemplateJob(job)) return job.Stop ? 'dead' : 'running'
  for (const deployment of state.deployments.valuesBy('job', key)) {
    if (deployment.JobCreateIndex === job.CreateIndex && isDeploymentActive(deployment)) return 'running'
  }
  let hasHistory = false
  for (const allocation of state.allocations.valuesBy('job', key)) {
    hasHistory = true
    if (!isTerminal(allocation)) return 'running'
  }
  for (const evaluation of state.evaluations.valuesBy('job', key)) {
    hasHistory = true
    if (!isEvaluationTerminal(evaluation)) return 'pending'
  }
  return hasHistory || job.Stop ? 'dead' : 'pending'
}

/** Groups that a job once had stay in its summary. */
export function ensureSummary(state: State, index: LogIndex, job: Job): void {
  const key = jobKey(job)
  const known = state.jobSummaries.get(key)
  const missing = job.TaskGroups.filter((group) => known?.Summary[group.Name] === undefined)
  if (known !== undefined && missing.length === 0) return
  const summary: JobSummary = known ?? {
    JobID: job.ID,
    Namespace: job.Namespace,
    Summary: {},
    Children: NO_CHILDREN,
    CreateIndex: index,
    ModifyIndex: index,
  }
  const added = Object.fromEntries(missing.map((group) => [group.Name, EMPTY]))
  state.jobSummaries.put(index, { ...summary, Summary: { ...summary.Summary, ...added }, ModifyIndex: index })
}

/** What the last evaluation could not place, group by group. */
export function setQueued(state: State, index: LogIndex, key: string, queued: Readonly<Record<string, number>>): void {
  const summary = state.jobSummaries.get(key)
  if (summary === undefined) return
  const changed: Record<string, TaskGroupSummary> = {}
  for (const [name, count] of Object.entries(queued)) {
    const group = summary.Summary[name]
    if (group !== undefined && group.Queued !== count) changed[name] = { ...group, Queued: count }
  }
  if (Object.keys(changed).length === 0) return
  state.jobSummaries.put(index, { ...summary, Summary: { ...summary.Summary, ...changed }, ModifyIndex: index })
}

/** Moves allocations from the counters they were under to those they belong to now. */
export function recountAllocations(state: State, index: LogIndex, changes: readonly AllocationChange[]): void {
  const counted = new Map<string, JobSummary>()
  for (const change of changes) {
    const key = ownerKey(change.after)
    const { TaskGroup } = change.after
    const summary = counted.get(key) ?? state.jobSummaries.get(key)
    const group = summary?.Summary[TaskGroup]
    if (summary === undefined || group === undefined) continue
    const after = recounted(group, change)
    if (after !== group) counted.set(key, { ...summary, Summary: { ...summary.Summary, [TaskGroup]: after } })
  }
  for (const summary of counted.values()) state.jobSummaries.put(index, { ...summary, ModifyIndex: index })
}

function recounted(group: TaskGroupSummary, { before, after }: AllocationChange): TaskGroupSummary {
  if (before?.ClientStatus === after.ClientStatus) return group
  // A row that appears already running or ended was counted by whoever saw it first.
  if (before === undefined && after.ClientStatus !== 'pending') return group
  const to = COUNTER[after.ClientStatus]
  const counts = { ...group, [to]: group[to] + 1 }
  if (before === undefined) return { ...counts, Queued: Math.max(0, counts.Queued - 1) }
  const from = COUNTER[before.ClientStatus]
  // What completed or failed keeps its place in the history of the group.
  return from === 'Complete' || from === 'Failed' ? counts : { ...counts, [from]: Math.max(0, counts[from] - 1) }
}

const CHILD_COUNTER: Readonly<Record<JobStatus, keyof ChildrenCounts>> = { pending: 'Pending', running: 'Running', dead: 'Dead' }
const NO_CHILDREN: ChildrenCounts = Object.freeze({ Pending: 0, Running: 0, Dead: 0 })

/** Counts a child of a periodic or parameterized job under what it is now. What was collected stays counted as dead. */
export function moveChild(state: State, index: LogIndex, child: Job, from: JobStatus | undefined, to: JobStatus): void {
  if (from === to) return
  const summary = state.jobSummaries.get(namespacedKey(child.Namespace, child.ParentID))
  if (summary === undefined) return
  const counts = { ...(summary.Children ?? NO_CHILDREN) }
  if (from !== undefined) counts[CHILD_COUNTER[from]] = Math.max(0, counts[CHILD_COUNTER[from]] - 1)
  counts[CHILD_COUNTER[to]]++
  state.jobSummaries.put(index, { ...summary, Children: counts, ModifyIndex: index })
}

/** As Nomad counts them anew: nothing is queued, templates have no groups, and only they have children. */
export function reconcileSummaries(state: State, index: LogIndex): void {
  for (const job of state.jobs.all()) {
    const known = state.jobSummaries.get(jobKey(job))
    const counted = isTemplateJob(job) ? countedTemplate(state, job) : countedJob(state, job)
    const summary = { JobID: job.ID, Namespace: job.Namespace, CreateIndex: known?.CreateIndex ?? job.CreateIndex, ...counted }
    state.jobSummaries.put(index, { ...summary, ModifyIndex: index })
  }
}

type Counted = Pick<JobSummary, 'Summary' | 'Children'>

function countedTemplate(state: State, job: Job): Counted {
  const counts = { ...NO_CHILDREN }
  for (const child of state.jobs.valuesBy('parent', jobKey(job))) counts[CHILD_COUNTER[child.Status]]++
  return { Summary: {}, Children: counts }
}

function countedJob(state: State, job: Job): Counted {
  const groups: Record<string, TaskGroupSummary> = Object.fromEntries(job.TaskGroups.map((group) => [group.Name, EMPTY]))
  for (const { TaskGroup, ClientStatus } of state.allocations.valuesBy('job', jobKey(job))) {
    const group = groups[TaskGroup] ?? EMPTY
    groups[TaskGroup] = { ...group, [COUNTER[ClientStatus]]: group[COUNTER[ClientStatus]] + 1 }
  }
  return { Summary: groups, Children: null }
}
