/** Jobs made from periodic and parameterized ones: copies under an id of their own, which nothing of their parent's later life changes. */
import type { ActRequests, Job } from '../domain/index.js'
import { jobKey, type StateView } from '../state/index.js'

export function periodicChildId(parentId: string, launchMs: number): string {
  return `${parentId}/periodic-${Math.floor(launchMs / 1000)}`
}

/** @param uuid random; its first eight digits tell dispatches of one second apart */
export function dispatchChildId(parentId: string, prefix: string, nowMs: number, uuid: string): string {
  return `${parentId}/dispatch-${prefix === '' ? '' : `${prefix}-`}${Math.floor(nowMs / 1000)}-${uuid.slice(0, 8)}`
}

export function periodicChild(parent: Job, launchMs: number): Job {
  return { ...childOf(parent, periodicChildId(parent.ID, launchMs)), Periodic: null }
}

export function dispatchChild(parent: Job, id: string, request: ActRequests['job-dispatch']): Job {
  const meta = { ...parent.Meta, ...request.meta }
  return {
    ...childOf(parent, id),
    Dispatched: true,
    DispatchIdempotencyToken: request.token,
    Payload: request.payload === '' ? null : request.payload,
    Meta: Object.keys(meta).length === 0 ? null : meta,
    Priority: request.priority === 0 ? parent.Priority : request.priority,
  }
}

/** The first second from `fromMs` on that no child was launched at. */
export function freeLaunchMs(view: StateView, parent: Job, fromMs: number): number {
  const isTaken = (ms: number) => view.jobs.get(jobKey({ Namespace: parent.Namespace, ID: periodicChildId(parent.ID, ms) })) !== undefined
  let launchMs = Math.floor(fromMs / 1000) * 1000
  while (isTaken(launchMs)) launchMs += 1000
  return launchMs
}

function childOf(parent: Job, id: string): Job {
  return {
    ...parent,
    ID: id,
    Name: id,
    ParentID: parent.ID,
    Stop: false,
    Stable: false,
    Status: 'pending',
    StatusDescription: '',
    Version: 0,
    VersionTag: null,
    SubmitTime: 0,
    CreateIndex: 0,
    ModifyIndex: 0,
    JobModifyIndex: 0,
  }
}
