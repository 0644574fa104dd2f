/** What is written down of one allocation, what its machine is told, and what it asks for. */
import { type Allocation, findTaskGroup, type Job, OrchestratorError, type TaskGroup } from '../domain/index.js'
import type { CheckResult, HealthRules } from './health.js'
import type { TaskAction, TaskInput, TaskRecord } from './task-record.js'

/** What is written to disk of one allocation. */
export interface AllocationRecord {
  readonly allocation: Allocation
  readonly job: Job
  /** Which cluster placed it: only that one's silence about it means that it is to end. */
  readonly clusterId: string
  readonly want: 'run' | 'stop'
  /** Its share of the node is taken: it may start, and holds the share until it has ended. */
  readonly isAdmitted: boolean
  readonly tasks: Readonly<Record<string, TaskRecord>>
  readonly health: HealthRecord | null
  /** When all processes had ended, wall ms; null while it lives. */
  readonly endedMs: number | null
  /** It has run longer than it may, and is ended for that. */
  readonly isOverdue?: true
}

export interface HealthRecord {
  /** What the verdict is for: a changed deployment asks anew. */
  readonly deploymentId: string
  readonly isHealthy: boolean
  readonly timestamp: string
}

export type AllocationInput =
  | {
      readonly kind: 'desired'
      readonly allocation: Allocation
      readonly job: Job
      readonly clusterId: string
      readonly want: 'run' | 'stop'
    }
  /** The server's set does not hold it any more. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'admit' }
  | { readonly kind: 'server-heard' }
  /** It was out of sight of the server for so long that this was noted. */
  | { readonly kind: 'reconnected' }
  | { readonly kind: 'task'; readonly task: string; readonly input: TaskInput }
  | { readonly kind: 'restart'; readonly task: string | null; readonly allTasks: boolean }
  | { readonly kind: 'signal'; readonly task: string | null; readonly signal: string }
  /** What its checks say now, by check. */
  | { readonly kind: 'checks'; readonly checks: Readonly<Record<string, CheckResult>> }
  | { readonly kind: 'timer'; readonly timer: AllocationTimer; readonly serial: number }
  /** First input of a new life of the agent. */
  | { readonly kind: 'restore' }
  /** The agent goes and takes its processes with it; they start again when it is back. */
  | { readonly kind: 'rest' }

export type AllocationTimer = 'health' | 'shutdown-delay' | 'max-run'

export type AllocationAction =
  | { readonly kind: 'task'; readonly task: string; readonly action: TaskAction }
  | { readonly kind: 'timer'; readonly timer: AllocationTimer; readonly serial: number; readonly delayMs: number }

export interface AllocationLimits {
  readonly killTimeoutMsMax: number
}

/** @throws OrchestratorError UNKNOWN_GROUP when the job has no such group: the server's set contradicts itself */
export function findGroup({ allocation, job }: { readonly allocation: Allocation; readonly job: Job }): TaskGroup {
  const group = findTaskGroup(job, allocation.TaskGroup)
  if (group !== undefined) return group
  throw new OrchestratorError('UNKNOWN_GROUP', `job ${job.ID} has no group ${allocation.TaskGroup} for allocation ${allocation.ID}`, {
    allocationId: allocation.ID,
    jobId: job.ID,
  })
}

/** As it is written down: of the job, which many allocations have in common, the group that is run here. */
export function asWritten(record: AllocationRecord): AllocationRecord {
  return { ...record, job: { ...record.job, TaskGroups: [findGroup(record)] } }
}

/** Undefined when nobody asks for the health of this allocation, or it is known already. */
export function healthRulesOf({ allocation, job, health, isAdmitted }: AllocationRecord, group: TaskGroup): HealthRules | undefined {
  if (!isAdmitted || health !== null || (job.Type !== 'service' && job.Type !== 'system')) return undefined
  const known = allocation.DeploymentStatus?.Healthy
  if (known !== undefined && known !== null) return undefined
  const isDeployed = allocation.DeploymentID !== undefined && allocation.DeploymentID !== ''
  const asked = isDeployed ? group.Update : group.Migrate
  if (asked === null || asked === undefined || asked.HealthCheck === 'manual') return undefined
  return {
    tasks: group.Tasks,
    services: group.Services,
    healthCheck: asked.HealthCheck,
    minHealthyTime: asked.MinHealthyTime,
    healthyDeadline: asked.HealthyDeadline,
  }
}
