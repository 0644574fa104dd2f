/** A group of tasks that is placed as one. Source: Nomad API docs, "JSON Job Specification" */
import type { NetworkResource } from './resources.js'
import type { ScalingPolicy } from './scaling.js'
import type { Service } from './service.js'
import type { Task } from './task.js'
import type { Nanoseconds } from './units.js'

export interface TaskGroup {
  readonly Name: string
  readonly Count: number
  readonly Update: UpdateStrategy | null
  readonly Migrate: MigrateStrategy | null
  readonly Constraints: readonly Constraint[] | null
  readonly Scaling: ScalingPolicy | null
  readonly RestartPolicy: RestartPolicy | null
  readonly Tasks: readonly Task[]
  readonly EphemeralDisk: EphemeralDisk
  readonly Meta: Readonly<Record<string, string>> | null
  readonly ReschedulePolicy: ReschedulePolicy | null
  readonly Affinities: readonly Affinity[] | null
  readonly Spreads: readonly Spread[] | null
  readonly Networks: readonly NetworkResource[] | null
  readonly Consul: Consul | null
  readonly Services: readonly Service[] | null
  readonly Volumes: Readonly<Record<string, VolumeRequest>> | null
  readonly ShutdownDelay: Nanoseconds | null
  readonly StopAfterClientDisconnect: Nanoseconds | null
  readonly MaxClientDisconnect: Nanoseconds | null
  readonly PreventRescheduleOnLost: boolean
  readonly Disconnect: DisconnectStrategy | null
  readonly MaxRunDuration: Nanoseconds | null
}

export interface Constraint {
  readonly LTarget: string
  readonly RTarget: string
  readonly Operand: string
}

export interface Affinity {
  readonly LTarget: string
  readonly RTarget: string
  readonly Operand: string
  readonly Weight: number
}

export interface Spread {
  readonly Attribute: string
  readonly Weight: number
  readonly SpreadTarget: readonly { readonly Value: string; readonly Percent: number }[] | null
}

export interface UpdateStrategy {
  readonly Stagger: Nanoseconds
  readonly MaxParallel: number
  readonly HealthCheck: string
  readonly MinHealthyTime: Nanoseconds
  readonly HealthyDeadline: Nanoseconds
  readonly ProgressDeadline: Nanoseconds
  readonly AutoRevert: boolean
  readonly AutoPromote: boolean
  readonly Canary: number
}

export interface MigrateStrategy {
  readonly MaxParallel: number
  readonly HealthCheck: string
  readonly MinHealthyTime: Nanoseconds
  readonly HealthyDeadline: Nanoseconds
}

export interface ReschedulePolicy {
  readonly Attempts: number
  readonly Interval: Nanoseconds
  readonly Delay: Nanoseconds
  readonly DelayFunction: string
  readonly MaxDelay: Nanoseconds
  readonly Unlimited: boolean
}

export interface RestartPolicy {
  readonly Attempts: number
  readonly Interval: Nanoseconds
  readonly Delay: Nanoseconds
  readonly Mode: string
  readonly RenderTemplates: boolean
}

export interface EphemeralDisk {
  readonly Sticky: boolean
  readonly SizeMB: number
  readonly Migrate: boolean
}

export interface DisconnectStrategy {
  readonly LostAfter: Nanoseconds
  readonly StopOnClientAfter: Nanoseconds | null
  readonly Replace: boolean | null
  readonly Reconcile: string
}

export interface Consul {
  readonly Namespace: string
  readonly Cluster: string
  readonly Partition: string
}

export interface VolumeRequest {
  readonly Name: string
  readonly Type: string
  readonly Source: string
  readonly ReadOnly: boolean
  readonly AccessMode: string
  readonly AttachmentMode: string
  readonly MountOptions: { readonly FSType: string; readonly MountFlags: readonly string[] | null } | null
  readonly PerAlloc: boolean
  readonly Sticky: boolean
}
