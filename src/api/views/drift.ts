/**
 * Everything that differs from the repository: versions that were set aside, changes that wait or are held, files with mistakes, what finds no
 * room, roll-outs that somebody paused, hosts that somebody drained. Read off the tables; who acted is in the audit trail.
 */
import {
  compareText,
  type Drift,
  type Job,
  MILLISECOND,
  type Node,
  namespacedKey,
  placeText,
  readHostStatement,
  type SourceStatus,
  type ToldWait,
} from '../../domain/index.js'
import { listSetAside, type StateView, sourcedKey } from '../../state/index.js'
import { fieldsOf } from './blame.js'

/** Of one job; the rest is counted. */
const FIELDS_MAX = 50
const OPERATOR = 'an operator, by trailer or over the API'

/** Tables that it is read off. */
export const DRIFT_TABLES = [
  'jobs',
  'jobSources',
  'jobVersions',
  'versionSources',
  'waitingChanges',
  'namespaceOrders',
  'frozenFiles',
  'sources',
  'deployments',
  'evaluations',
  'allocations',
  'nodes',
  'hostOrders',
  'scalingEvents',
] as const

/** In the order of what it is about. */
export function computeDrift(view: StateView, waiting: readonly ToldWait[]): readonly Drift[] {
  return [
    ...view.sources.all().flatMap((source) => heldBy(view, source)),
    ...frozenFiles(view),
    ...waiting.flatMap((change) => waitingChange(view, change)),
    ...setAsideVersions(view),
    ...scaledGroups(view),
    ...pausedRollOuts(view),
    ...unplaced(view),
    ...[...view.nodes.values()].flatMap((node) => movedHost(view, node)),
  ].sort((a, b) => compareText(nameOf(a), nameOf(b)))
}

function driftName({ subject }: Drift): string {
  switch (subject.kind) {
    case 'job':
      return `job ${subject.namespace}/${subject.jobId}`
    case 'host':
      return `host ${subject.name}`
    case 'file':
      return `file ${subject.path}`
    default:
      return `source ${subject.id}`
  }
}

function nameOf(drift: Drift): string {
  return `${driftName(drift)} ${drift.field}`
}

function ofJob({ namespace, jobId }: { readonly namespace: string; readonly jobId: string }): Drift['subject'] {
  return { kind: 'job', namespace, jobId }
}

/** A commit that changes nothing yet, or removals of one that did the rest. */
function heldBy(view: StateView, { id, commit, held }: SourceStatus): readonly Drift[] {
  if (held === null) return []
  const common = {
    owner: 'git',
    actor: `commit ${held.commit.slice(0, 12)}`,
    sinceMs: view.commitTraces.get(sourcedKey(id, held.commit))?.detectedMs ?? null,
    policy: 'waits',
    next: held.remedy,
  } as const
  if (held.jobs.length > 0) return held.jobs.map((job) => ({ subject: ofJob(job), field: '', wanted: null, actual: 'runs', ...common }))
  const actual = commit === null ? null : `commit ${commit.id.slice(0, 12)}`
  return [{ subject: { kind: 'source', id }, field: 'commit', wanted: `commit ${held.commit.slice(0, 12)}`, actual, ...common }]
}

function frozenFiles(view: StateView): readonly Drift[] {
  return view.frozenFiles.all().map(({ path, namespace, jobId, mistakes }): Drift => {
    const source = namespace === null || jobId === null ? undefined : view.jobSources.get(namespacedKey(namespace, jobId))
    const [first] = mistakes
    return {
      subject: namespace === null || jobId === null ? { kind: 'file', path } : ofJob({ namespace, jobId }),
      field: '',
      wanted: path,
      actual: source === undefined ? null : `as of commit ${source.commit.id.slice(0, 12)}`,
      owner: 'git',
      actor: 'mistakes of the file',
      sinceMs: null,
      policy: 'left',
      next: `it stays until the file is mended: ${first === undefined ? path : `${placeText(first)}: ${first.summary}`}`,
    }
  })
}

function waitingChange(view: StateView, { namespace, jobId, change, commit, sinceMs, reasons }: ToldWait): readonly Drift[] {
  const common = {
    subject: ofJob({ namespace, jobId }),
    owner: 'git',
    actor: `commit ${commit.slice(0, 12)}`,
    sinceMs,
    policy: 'waits',
    next: reasons.length === 0 ? 'it is carried out next' : `it waits: ${reasons.map(({ text }) => text).join('; ')}`,
  } as const
  const key = namespacedKey(namespace, jobId)
  const [live, wanted] = [view.jobs.get(key), view.waitingChanges.get(key)?.job]
  if (change === 'removed') return [{ field: '', wanted: null, actual: 'runs', ...common }]
  if (change === 'new' || live === undefined || !wanted) return [{ field: '', wanted: 'runs', actual: null, ...common }]
  return fieldDrifts(wanted, live).map((field) => ({ ...field, ...common }))
}

/** A newer version has failed, and an older one took its place. */
function setAsideVersions(view: StateView): readonly Drift[] {
  return listSetAside(view).flatMap(({ job, setAside: { version, reason } }) => {
    const wanted = view.findJobVersion(job.Namespace, job.ID, job.CreateIndex, version)
    const common = {
      subject: ofJob({ namespace: job.Namespace, jobId: job.ID }),
      owner: 'git',
      actor: `the roll-out of version ${version} failed${reason === '' ? '' : `: ${reason}`}`,
      sinceMs: msOf(job.SubmitTime),
      policy: 'left',
      next: 'it stays until the file says something new: a version that has failed is not tried again',
    } as const
    const fields = wanted === undefined ? [] : fieldDrifts(wanted, job)
    if (fields.length === 0) return [{ field: '', wanted: `version ${version}`, actual: `version ${job.Version}`, ...common }]
    return fields.map((field) => ({ ...field, ...common }))
  })
}

/** Counts that a scaler has moved away from what the file begins with. */
function scaledGroups(view: StateView): readonly Drift[] {
  return view.jobSources.all().flatMap(({ namespace, jobId, counts = {} }) => {
    const key = namespacedKey(namespace, jobId)
    const job = view.jobs.get(key)
    if (job === undefined || job.Stop) return []
    return job.TaskGroups.flatMap(({ Name, Count, Scaling }): readonly Drift[] => {
      const asked = counts[Name]
      if (asked === undefined || asked === Count) return []
      const event = view.scalingEvents.get(key)?.Groups[Name]?.find((each) => each.Count !== null)
      return [
        {
          subject: ofJob({ namespace, jobId }),
          field: `TaskGroups[${Name}].Count`,
          wanted: String(asked),
          actual: String(Count),
          owner: 'scaler',
          actor: event?.Message ? `a scaler: ${event.Message}` : 'a scaler',
          sinceMs: event === undefined ? null : msOf(event.Time),
          policy: 'left',
          next: `it stays until the scaler moves it again, between ${Scaling?.Min ?? 0} and ${Scaling?.Max ?? 0}`,
        },
      ]
    })
  })
}

function pausedRollOuts(view: StateView): readonly Drift[] {
  return [...view.deployments.values()].flatMap((deployment): readonly Drift[] => {
    const job = view.jobs.get(namespacedKey(deployment.Namespace, deployment.JobID))
    if (deployment.Status !== 'paused' || job?.Version !== deployment.JobVersion) return []
    return [
      {
        subject: ofJob({ namespace: deployment.Namespace, jobId: deployment.JobID }),
        field: 'roll-out',
        wanted: `version ${deployment.JobVersion} everywhere`,
        actual: 'paused',
        owner: 'operator',
        actor: OPERATOR,
        sinceMs: msOf(deployment.ModifyTime),
        policy: 'left',
        next: `it stays until somebody resumes it: Drover-Resume: ${deployment.JobID}`,
      },
    ]
  })
}

/** Fewer run than the file says, since nothing has room for them. */
function unplaced(view: StateView): readonly Drift[] {
  return [...view.evaluations.values()].flatMap((evaluation): readonly Drift[] => {
    if (evaluation.Status !== 'blocked') return []
    const job = view.jobs.get(namespacedKey(evaluation.Namespace, evaluation.JobID))
    if (job === undefined || job.Stop) return []
    return job.TaskGroups.flatMap(({ Name, Count }) => {
      const missing = evaluation.FailedTGAllocs?.[Name]
      if (missing === undefined) return []
      const queued = missing.CoalescedFailures + 1
      return [
        {
          subject: ofJob({ namespace: job.Namespace, jobId: job.ID }),
          field: `TaskGroups[${Name}].Count`,
          wanted: String(Count),
          actual: String(Math.max(0, Count - queued)),
          owner: 'git',
          actor: 'no host has room, or fits',
          sinceMs: msOf(evaluation.CreateTime),
          policy: 'healed',
          next: `it is placed as soon as there is room; drover why ${job.ID} says what is missing`,
        },
      ]
    })
  })
}

/** What is said of a host's work at run time stands until its file says something new. */
function movedHost(view: StateView, node: Node): readonly Drift[] {
  const statement = view.hostOrders.get(node.ID)?.statement
  if (statement === undefined) return []
  const subject: Drift['subject'] = { kind: 'host', nodeId: node.ID, name: node.Name }
  const file = readHostStatement(statement)
  if (file === undefined)
    return [
      {
        subject,
        field: '',
        wanted: null,
        actual: node.Status,
        owner: 'git',
        actor: 'its file is gone',
        sinceMs: node.DrainStrategy === null ? null : Date.parse(node.DrainStrategy.StartedAt),
        policy: 'healed',
        next: 'it is emptied, and forgotten when it runs nothing any more',
      },
    ]
  const common = {
    subject,
    owner: 'operator',
    actor: OPERATOR,
    sinceMs: newestEventMs(node),
    policy: 'left',
    next: 'it stays until the file of the host says something new of its work, or somebody takes it back',
  } as const
  if (node.DrainStrategy !== null) return file.drain === null ? [{ field: 'drain', wanted: 'no', actual: 'drained', ...common }] : []
  const [wanted, actual] = [file.isEligible && file.drain === null ? 'eligible' : 'ineligible', node.SchedulingEligibility]
  return wanted === actual ? [] : [{ field: 'eligible', wanted, actual, ...common }]
}

function newestEventMs({ Events }: Node): number | null {
  const newest = (Events ?? []).at(-1)
  return newest === undefined ? null : Date.parse(newest.Timestamp)
}

function fieldDrifts(wanted: Job, live: Job): readonly Pick<Drift, 'field' | 'wanted' | 'actual'>[] {
  const [asked, actual] = [fieldsOf(wanted), fieldsOf(live)]
  const paths = [...new Set([...asked.keys(), ...actual.keys()])].filter((path) => asked.get(path) !== actual.get(path)).sort(compareText)
  const told = paths.slice(0, FIELDS_MAX).map((field) => ({ field, wanted: textOf(asked.get(field)), actual: textOf(actual.get(field)) }))
  const more = paths.length - told.length
  return more === 0 ? told : [...told, { field: `(${more} more fields)`, wanted: null, actual: null }]
}

function textOf(value: string | number | boolean | undefined): string | null {
  return value === undefined ? null : String(value)
}

function msOf(nanoseconds: number): number {
  return Math.round(nanoseconds / MILLISECOND)
}
