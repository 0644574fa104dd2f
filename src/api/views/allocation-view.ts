/**
 * How allocations look on the wire: the stored row without its internal members, with the job version it runs and with the
 * combined resources that clients before 2.0 need (Nomad API docs, "Allocations").
 */
import { type AllocatedResources, type Allocation, type Job, NO_RESOURCES } from '../../domain/index.js'
import { jobOfAllocation, type StateView } from '../../state/index.js'
import { encodeJson, FragmentCache, PairFragmentCache, withMember } from '../encode.js'
import { jobJson } from './job-view.js'

/** What a filter sees: also the members that clients before 2.0 need, and the job. */
export function allocationView(view: StateView, allocation: Allocation): object {
  return { ...wholeAllocation(allocation), Job: jobOfAllocation(view, allocation) }
}

/** Without its job, as events carry it. */
export function wholeAllocation(allocation: Allocation): Readonly<Record<string, unknown>> {
  const { JobCreateIndex: _, JobVersion: __, DesiredTransition: transition, ...row } = allocation
  const wanted = transition === undefined ? {} : { DesiredTransition: { ...NO_TRANSITION, ...transition } }
  return { SigningKeyID: '', ...row, ...wanted, ...legacyResources(allocation.AllocatedResources) }
}

const NO_TRANSITION = { Migrate: null, Reschedule: null, ForceReschedule: null, NoShutdownDelay: null, MigrateDisablePlacement: null }

const wholeJson = new FragmentCache<Allocation>(wholeAllocation)
const NULL = encodeJson(null)

export function allocationJson(view: StateView, allocation: Allocation): Uint8Array {
  const job = jobOfAllocation(view, allocation)
  return withMember(wholeJson.of(allocation), 'Job', job === undefined ? NULL : jobJson.of(job))
}

function legacyResources(allocated: AllocatedResources | undefined): Readonly<Record<string, unknown>> {
  if (allocated === undefined) return {}
  const { Tasks, Shared } = allocated
  const tasks = Object.entries(Tasks).map(([name, task]) => {
    const resources = {
      ...NO_RESOURCES,
      CPU: task.Cpu.CpuShares,
      MemoryMB: task.Memory.MemoryMB,
      MemoryMaxMB: task.Memory.MemoryMaxMB,
      Networks: task.Networks,
    }
    return [name, resources] as const
  })
  const sum = (member: 'CPU' | 'MemoryMB' | 'MemoryMaxMB') => tasks.reduce((total, [, task]) => total + task[member], 0)
  return {
    Resources: {
      ...NO_RESOURCES,
      CPU: sum('CPU'),
      MemoryMB: sum('MemoryMB'),
      MemoryMaxMB: sum('MemoryMaxMB'),
      DiskMB: Shared.DiskMB,
      Networks: Shared.Networks,
    },
    SharedResources: { ...NO_RESOURCES, DiskMB: Shared.DiskMB, Networks: Shared.Networks },
    TaskResources: Object.fromEntries(tasks),
  }
}

export interface StubFields {
  readonly resources: boolean
  readonly taskStates: boolean
}

function allocationStub(allocation: Allocation, job: Job | undefined, fields: StubFields): Readonly<Record<string, unknown>> {
  return {
    ID: allocation.ID,
    EvalID: allocation.EvalID,
    Name: allocation.Name,
    Namespace: allocation.Namespace,
    NodeID: allocation.NodeID,
    NodeName: allocation.NodeName,
    JobID: allocation.JobID,
    JobType: job?.Type ?? '',
    JobVersion: allocation.JobVersion,
    TaskGroup: allocation.TaskGroup,
    AllocatedResources: fields.resources ? allocation.AllocatedResources : null,
    DesiredStatus: allocation.DesiredStatus,
    DesiredDescription: allocation.DesiredDescription ?? '',
    DesiredTransition: { ...NO_TRANSITION, ...allocation.DesiredTransition },
    ClientStatus: allocation.ClientStatus,
    ClientDescription: allocation.ClientDescription ?? '',
    TaskStates: fields.taskStates ? (allocation.TaskStates ?? null) : null,
    DeploymentStatus: allocation.DeploymentStatus ?? null,
    FollowupEvalID: allocation.FollowupEvalID ?? '',
    NextAllocation: allocation.NextAllocation ?? '',
    RescheduleTracker: allocation.RescheduleTracker ?? null,
    PreemptedAllocations: allocation.PreemptedAllocations ?? null,
    PreemptedByAllocation: allocation.PreemptedByAllocation ?? '',
    CreateIndex: allocation.CreateIndex,
    ModifyIndex: allocation.ModifyIndex,
    CreateTime: allocation.CreateTime,
    ModifyTime: allocation.ModifyTime,
  }
}

/** One cache per combination of fields, in the order `resources`, `task_states`. */
const stubs = [false, true].map((resources) =>
  [false, true].map(
    (taskStates) => new PairFragmentCache<Allocation, Job>((allocation, job) => allocationStub(allocation, job, { resources, taskStates })),
  ),
)

export const STUB_FIELDS_DEFAULT: StubFields = { resources: false, taskStates: true }

export function allocationStubJson(view: StateView, allocation: Allocation, fields: StubFields = STUB_FIELDS_DEFAULT): Uint8Array {
  return stubs[Number(fields.resources)]![Number(fields.taskStates)]!.of(allocation, jobOfAllocation(view, allocation))
}

export function allocationStubView(view: StateView, allocation: Allocation): Readonly<Record<string, unknown>> {
  return allocationStub(allocation, jobOfAllocation(view, allocation), STUB_FIELDS_DEFAULT)
}
