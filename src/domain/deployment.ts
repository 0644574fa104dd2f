/** The roll-out of one job version. Source: Nomad API docs, "Deployments" */
import type { Nanoseconds } from './units.js'

export type DeploymentStatus =
  | 'initializing'
  | 'running'
  | 'paused'
  | 'failed'
  | 'successful'
  | 'cancelled'
  | 'pending'
  | 'blocked'
  | 'unblocking'

export interface Deployment {
  readonly ID: string
  readonly Namespace: string
  readonly JobID: string
  readonly JobVersion: number
  readonly JobModifyIndex: number
  readonly JobSpecModifyIndex: number
  readonly JobCreateIndex: number
  readonly IsMultiregion: boolean
  readonly TaskGroups: Readonly<Record<string, DeploymentState>>
  readonly Status: DeploymentStatus
  readonly StatusDescription: string
  readonly EvalPriority: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
  readonly CreateTime: Nanoseconds
  readonly ModifyTime: Nanoseconds
}

export interface DeploymentState {
  readonly AutoRevert: boolean
  readonly AutoPromote: boolean
  readonly ProgressDeadline: Nanoseconds
  /** RFC 3339; the zero time until something was placed. */
  readonly RequireProgressBy: string
  readonly Promoted: boolean
  readonly PlacedCanaries: readonly string[] | null
  readonly DesiredCanaries: number
  readonly DesiredTotal: number
  readonly PlacedAllocs: number
  readonly HealthyAllocs: number
  readonly UnhealthyAllocs: number
}

export interface DeploymentStatusUpdate {
  readonly DeploymentID: string
  readonly Status: DeploymentStatus
  readonly StatusDescription: string
}

const ACTIVE: ReadonlySet<DeploymentStatus> = new Set(['running', 'paused', 'blocked', 'unblocking', 'initializing', 'pending'])

export function isDeploymentActive(deployment: Pick<Deployment, 'Status'>): boolean {
  return ACTIVE.has(deployment.Status)
}
