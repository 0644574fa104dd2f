import {
  invariant,
  isEvaluationTerminal,
  type Job,
  type LogIndex,
  namespacedKey,
  sourced,
  sourceIdOf,
  unixNanoseconds,
} from '../../domain/index.js'
import { hookRunKey, jobKey, jobVersionKey } from '../schema.js'
import { parentOf, shareParts } from '../shared-parts.js'
import type { State } from '../state.js'
import { putEvaluations, putJobEvaluations } from './evaluations.js'
import { ensureSummary, moveChild, refreshJobStatus, storeJob } from './job-status.js'
import type { CommandOf } from './kind.js'

/** The current version and five before it (Nomad API docs, "Jobs"). */
const VERSIONS_KEPT = 6

/** The proposer has decided the version: the known one when the specification did not change, else one more. */
export function registerJob(state: State, index: LogIndex, command: CommandOf<'job-register'>): void {
  const key = jobKey(command.job)
  const known = state.jobs.get(key)
  const isNewVersion = known === undefined || command.job.Version !== known.Version
  invariant(
    known === undefined || command.job.Version >= known.Version,
    `job ${command.job.ID} would go back from version ${known?.Version}`,
  )
  storeJob(state, index, {
    ...shareParts(command.job, parentOf(state, command.job)),
    Status: known?.Status ?? 'pending',
    Stable: isNewVersion ? false : known.Stable,
    SubmitTime: isNewVersion ? unixNanoseconds(state.atMs) : known.SubmitTime,
    CreateIndex: known?.CreateIndex ?? index,
    ModifyIndex: index,
    JobModifyIndex: isNewVersion ? index : known.JobModifyIndex,
  })
  ensureSummary(state, index, state.jobs.get(key)!)
  if (command.source !== null) {
    state.jobSources.put(index, command.source)
    state.waitingChanges.delete(index, key)
  }
  putVersionSource(state, index, command)
  trimVersions(state, index, key)
  putJobEvaluations(state, index, command.evaluations)
  refreshJobStatus(state, index, key)
}

/** Which commit the version comes from: the one that registers it, or that of the version which it repeats. */
function putVersionSource(state: State, index: LogIndex, { job, source, revertOf }: CommandOf<'job-register'>): void {
  const { Namespace: namespace, ID: jobId, Version: version } = job
  const createIndex = state.jobs.get(jobKey(job))!.CreateIndex
  const own = { namespace, jobId, createIndex, version }
  if (source !== null) {
    const from = sourced(sourceIdOf(source))
    return state.versionSources.put(index, { ...own, ...from, path: source.path, commit: source.commit, revertOf: null })
  }
  if (revertOf === undefined) return
  const repeated = state.versionSources.get(jobVersionKey(namespace, jobId, createIndex, revertOf))
  if (repeated !== undefined) state.versionSources.put(index, { ...repeated, version, revertOf })
}

/** I23 A time of a periodic job is launched at most once.  test/controller/periodic-dispatcher.test.ts */
export function launchPeriodic(state: State, index: LogIndex, command: CommandOf<'periodic-launch'>): void {
  const { namespace, jobId, launchMs, child, evaluations, atMs } = command
  const known = state.periodicLaunches.get(namespacedKey(namespace, jobId))
  state.periodicLaunches.put(index, { namespace, jobId, launchMs: Math.max(launchMs, known?.launchMs ?? 0) })
  if (child !== null) registerJob(state, index, { kind: 'job-register', job: child, source: null, evaluations, atMs })
}

/** Stops the job, as a version of its own; with `purge` it and all it left behind goes. */
export function deregisterJob(state: State, index: LogIndex, command: CommandOf<'job-deregister'>): void {
  const key = namespacedKey(command.namespace, command.jobId)
  const known = state.jobs.get(key)
  invariant(known !== undefined, `job ${command.jobId} was to be deregistered and is not there`)
  state.waitingChanges.delete(index, key)
  if (command.purge) {
    purgeJob(state, index, known)
  } else if (!known.Stop) {
    storeJob(state, index, {
      ...known,
      Stop: true,
      Stable: false,
      Version: known.Version + 1,
      SubmitTime: unixNanoseconds(state.atMs),
      ModifyIndex: index,
      JobModifyIndex: index,
    })
    state.jobSources.delete(index, key)
    trimVersions(state, index, key)
  }
  putJobEvaluations(state, index, command.evaluations)
  refreshJobStatus(state, index, key)
}

/** Allocations disappear at once: their agents no longer find them in their set and end them politely. */
export function purgeJob(state: State, index: LogIndex, job: Job): void {
  const key = jobKey(job)
  for (const allocation of state.allocations.by('job', key)) {
    for (const service of state.services.by('allocation', allocation.ID)) state.services.delete(index, service.ID)
    state.allocations.delete(index, allocation.ID)
  }
  for (const deployment of state.deployments.by('job', key)) state.deployments.delete(index, deployment.ID)
  for (const version of state.jobVersions.by('job', key)) deleteVersion(state, index, version)
  state.jobSummaries.delete(index, key)
  state.jobSources.delete(index, key)
  state.scalingEvents.delete(index, key)
  state.periodicLaunches.delete(index, key)
  for (const run of state.hookRuns.by('hook', key)) state.hookRuns.delete(index, hookRunKey(run))
  state.jobs.delete(index, key)
  if (job.ParentID !== '') moveChild(state, index, job, job.Status, 'dead')
  const open = state.evaluations.by('job', key).filter((evaluation) => !isEvaluationTerminal(evaluation))
  putEvaluations(
    state,
    index,
    open.map((evaluation) => ({ ...evaluation, Status: 'complete' })),
  )
}

/** Drops old versions, but never the newest stable one, nor one that has a name, nor one that an allocation still names. */
export function trimVersions(state: State, index: LogIndex, key: string): void {
  if (state.jobVersions.countBy('job', key) <= VERSIONS_KEPT) return
  const current = state.jobs.get(key)
  const versions = [...state.jobVersions.by('job', key)].sort((a, b) => b.CreateIndex - a.CreateIndex || b.Version - a.Version)
  const stable = versions.find((version) => version.Stable && version.CreateIndex === current?.CreateIndex)
  const named = new Set<string>()
  for (const allocation of state.allocations.valuesBy('job', key)) named.add(`${allocation.JobCreateIndex} ${allocation.JobVersion}`)
  for (const version of versions.slice(VERSIONS_KEPT)) {
    if (version !== stable && version.VersionTag === null && !named.has(`${version.CreateIndex} ${version.Version}`))
      deleteVersion(state, index, version)
  }
}

function deleteVersion(state: State, index: LogIndex, job: Job): void {
  const key = jobVersionKey(job.Namespace, job.ID, job.CreateIndex, job.Version)
  state.jobVersions.delete(index, key)
  state.versionSources.delete(index, key)
  state.versionTimes.delete(index, key)
}
