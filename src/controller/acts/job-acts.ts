/** Dispatching, forcing, evaluating and stopping jobs. Texts are Nomad's (Nomad API docs, "Jobs"). */
import { type ActRequests, isTemplateJob, isTimed, type Job, namespacedKey, PAYLOAD_BYTES_MAX } from '../../domain/index.js'
import { dispatchTokenKey, jobKey, type StateView } from '../../state/index.js'
import { dispatchChild, dispatchChildId, freeLaunchMs, periodicChild } from '../child-jobs.js'
import { newEvaluation } from '../new-evaluation.js'
import { type Act, decided, refused } from './act.js'

const PRIORITY_MAX = 100

export const dispatchJob: Act<'job-dispatch'> = (view, request, { random, nowMs }) => {
  const parent = view.jobs.get(namespacedKey(request.namespace, request.jobId))
  if (parent === undefined) return refused('parameterized job not found', 'missing')
  const problem = dispatchProblem(parent, request)
  if (problem !== undefined) return refused(problem)
  const earlier = findDispatched(view, parent, request.token)
  if (earlier !== undefined) return decided([], { childId: earlier.ID, evaluationId: '', childCreateIndex: earlier.CreateIndex })
  const child = dispatchChild(parent, dispatchChildId(parent.ID, request.idPrefix, nowMs, random.uuid()), request)
  // A child that is periodic itself is launched at its times.
  const evaluations = isTemplateJob(child) ? [] : [newEvaluation(random.uuid(), child, 'job-register')]
  const childCreateIndex = view.index + 1
  return decided([{ kind: 'job-register', job: child, source: null, evaluations }], {
    childId: child.ID,
    evaluationId: evaluations[0]?.ID ?? '',
    childCreateIndex,
  })
}

function dispatchProblem(parent: Job, { payload, meta, idPrefix, priority }: ActRequests['job-dispatch']): string | undefined {
  const rules = parent.Dispatched ? null : parent.ParameterizedJob
  if (rules === null) return `Specified job "${parent.ID}" is not a parameterized job`
  if (parent.Stop) return `Specified job "${parent.ID}" is stopped`
  const sizeBytes = base64Bytes(payload)
  if (rules.Payload === 'required' && sizeBytes === 0) return 'Payload is not provided but required by parameterized job'
  if (rules.Payload === 'forbidden' && sizeBytes > 0) return 'Payload provided but forbidden by parameterized job'
  if (sizeBytes > PAYLOAD_BYTES_MAX) return `Payload exceeds maximum size; ${sizeBytes} > ${PAYLOAD_BYTES_MAX}`
  const required = rules.MetaRequired ?? []
  const permitted = new Set([...required, ...(rules.MetaOptional ?? [])])
  const unpermitted = Object.keys(meta).filter((key) => !permitted.has(key))
  if (unpermitted.length > 0) return `Dispatch request included unpermitted metadata keys: [${unpermitted.sort().join(' ')}]`
  const missing = required.filter((key) => meta[key] === undefined)
  if (missing.length > 0) return `Dispatch did not provide required meta keys: [${missing.join(' ')}]`
  if (hasControlCharacter(idPrefix)) return 'an id prefix may not hold control characters'
  if (priority !== 0 && (priority < 1 || priority > PRIORITY_MAX)) return `dispatch job priority must be between [1, ${PRIORITY_MAX}]`
  return undefined
}

function base64Bytes(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4)
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}

function findDispatched(view: StateView, parent: Job, token: string): Job | undefined {
  if (token === '') return undefined
  return view.jobs.by('dispatchToken', dispatchTokenKey({ Namespace: parent.Namespace, ParentID: parent.ID }, token))[0]
}

export const forceJob: Act<'job-force'> = (view, { namespace, jobId }, { random, nowMs }) => {
  const parent = view.jobs.get(namespacedKey(namespace, jobId))
  if (parent === undefined) return refused('job not found')
  if (parent.Periodic === null) return refused("can't force launch non-periodic job")
  if (!isTimed(parent)) return refused(`force launch for job "${jobId}" failed: can't force run non-tracked job "${jobId}" (${namespace})`)
  const launchMs = freeLaunchMs(view, parent, nowMs)
  const child = periodicChild(parent, launchMs)
  const evaluation = newEvaluation(random.uuid(), child, 'periodic-job')
  return decided([{ kind: 'periodic-launch', namespace, jobId, launchMs: nowMs, child, evaluations: [evaluation] }], {
    evaluationId: evaluation.ID,
  })
}

export const evaluateJob: Act<'job-evaluate'> = (view, { namespace, jobId, forceReschedule }, { random }) => {
  const job = view.jobs.get(namespacedKey(namespace, jobId))
  if (job === undefined) return refused('job not found')
  if (job.Periodic !== null) return refused("can't evaluate periodic job")
  if (isTemplateJob(job)) return refused("can't evaluate parameterized job")
  const evaluation = newEvaluation(random.uuid(), job, 'job-register')
  const transitions = forceReschedule ? forcedTransitions(view, job) : {}
  const isForcing = Object.keys(transitions).length > 0
  return decided(
    [
      isForcing
        ? { kind: 'allocation-transition', transitions, evaluations: [evaluation] }
        : { kind: 'evaluation-update', evaluations: [evaluation] },
    ],
    { evaluationId: evaluation.ID },
  )
}

/** What failed and was not replaced, whatever its policy says. */
function forcedTransitions(view: StateView, job: Job): Record<string, { ForceReschedule: true }> {
  const failed = view.allocations
    .by('job', jobKey(job))
    .filter(({ ClientStatus, NextAllocation }) => ClientStatus === 'failed' && NextAllocation === undefined)
  return Object.fromEntries(failed.map(({ ID }) => [ID, { ForceReschedule: true as const }]))
}

export const stopChild: Act<'child-stop'> = (view, { namespace, jobId, purge }, { random }) => {
  const job = view.jobs.get(namespacedKey(namespace, jobId))
  if (job === undefined) return decided([], { evaluationId: '' })
  if (job.ParentID === '') {
    const path = view.jobSources.get(jobKey(job))?.path ?? 'its file'
    return refused(`job ${jobId} is defined in the repository, in ${path}; delete that file and commit`, 'desired')
  }
  const evaluations = isTemplateJob(job) ? [] : [newEvaluation(random.uuid(), job, 'job-deregister')]
  return decided([{ kind: 'job-deregister', namespace, jobId, purge, evaluations }], { evaluationId: evaluations[0]?.ID ?? '' })
}
