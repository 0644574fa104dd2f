/**
 * One instance of a task group, placed on a node. A stored allocation names its job's version (`JobVersion`,
 * `JobCreateIndex`) and the API attaches the `Job`. Members the wire omits at zero are optional here.
 * Source: Nomad API docs, "Allocations"
 */
import type { AllocatedResources, DNSConfig, Resources } from './resources.js'
import type { ServiceRegistration } from './service.js'
import type { TaskState } from './task-state.js'
import type { Nanoseconds } from './units.js'

export type DesiredStatus = 'run' | 'stop' | 'evict'
export type ClientStatus = 'pending' | 'running' | 'complete' | 'failed' | 'lost' | 'unknown'

export interface Allocation {
  readonly ID: string
  readonly Namespace: string
  readonly EvalID: string
  readonly Name: string
  readonly NodeID: string
  readonly NodeName: string
  readonly JobID: string
  /** Which incarnation of the job id this belongs to: the job's CreateIndex. Internal, not on the wire. */
  readonly JobCreateIndex: number
  /** Internal; the wire carries the whole job instead. */
  readonly JobVersion: number
  readonly TaskGroup: string
  readonly AllocatedResources: AllocatedResources
  readonly Metrics?: AllocMetric
  readonly DesiredStatus: DesiredStatus
  readonly DesiredDescription?: string
  readonly DesiredTransition?: DesiredTransition
  readonly ClientStatus: ClientStatus
  readonly ClientDescription?: string
  readonly TaskStates?: Readonly<Record<string, TaskState>>
  readonly AllocStates?: readonly AllocState[]
  readonly PreviousAllocation?: string
  readonly NextAllocation?: string
  readonly DeploymentID?: string
  readonly DeploymentStatus?: AllocDeploymentStatus
  readonly RescheduleTracker?: RescheduleTracker
  readonly NetworkStatus?: AllocNetworkStatus
  readonly FollowupEvalID?: string
  readonly PreemptedAllocations?: readonly string[]
  readonly PreemptedByAllocation?: string
  readonly CreateIndex: number
  readonly ModifyIndex: number
  /** Last change made by the server rather than by the client. */
  readonly AllocModifyIndex: number
  readonly CreateTime: Nanoseconds
  readonly ModifyTime: Nanoseconds
}

export interface DesiredTransition {
  readonly Migrate?: boolean | null
  readonly Reschedule?: boolean | null
  readonly ForceReschedule?: boolean | null
  readonly NoShutdownDelay?: boolean | null
  readonly MigrateDisablePlacement?: boolean | null
}

export interface AllocDeploymentStatus {
  readonly Healthy: boolean | null
  readonly Timestamp: string
  readonly Canary: boolean
  readonly ModifyIndex: number
}

export interface RescheduleTracker {
  readonly Events: readonly RescheduleEvent[] | null
  /** `ok` or `no placement` */
  readonly LastReschedule?: string
}

export interface RescheduleEvent {
  readonly RescheduleTime: Nanoseconds
  readonly PrevAllocID: string
  readonly PrevNodeID: string
  readonly Delay: Nanoseconds
}

export interface AllocNetworkStatus {
  readonly InterfaceName: string
  readonly Address: string
  readonly AddressIPv6?: string
  readonly DNS: DNSConfig | null
}

/** `Field` 0 is the client status, the only one recorded. */
export interface AllocState {
  readonly Field: number
  readonly Value: string
  readonly Time: string
}

/** Why nodes were or were not chosen for one placement. */
export interface AllocMetric {
  readonly NodesEvaluated: number
  readonly NodesFiltered: number
  readonly NodesInPool: number
  readonly NodePool: string
  readonly NodesAvailable: Readonly<Record<string, number>> | null
  readonly ClassFiltered: Readonly<Record<string, number>> | null
  readonly ConstraintFiltered: Readonly<Record<string, number>> | null
  readonly NodesExhausted: number
  readonly ClassExhausted: Readonly<Record<string, number>> | null
  readonly DimensionExhausted: Readonly<Record<string, number>> | null
  readonly QuotaExhausted: readonly string[] | null
  readonly ResourcesExhausted: Readonly<Record<string, Partial<Resources>>> | null
  readonly Scores: Readonly<Record<string, number>> | null
  readonly ScoreMetaData: readonly NodeScoreMeta[] | null
  readonly AllocationTime: Nanoseconds
  readonly CoalescedFailures: number
}

export interface NodeScoreMeta {
  readonly NodeID: string
  readonly Scores: Readonly<Record<string, number>>
  readonly NormScore: number
}

/** What an agent says of one allocation. */
export interface AllocationReport {
  readonly ID: string
  readonly ClientStatus: ClientStatus
  readonly ClientDescription: string
  readonly TaskStates: Readonly<Record<string, TaskState>>
  readonly DeploymentStatus?: Pick<AllocDeploymentStatus, 'Healthy' | 'Timestamp'>
  readonly NetworkStatus?: AllocNetworkStatus
  /** All that it offers now; what is not in here any more is deregistered. */
  readonly Services?: readonly ServiceRegistration[]
}

/** The client says that it has ended (or that the node is gone): it holds nothing any more. */
export function isClientTerminal(allocation: Pick<Allocation, 'ClientStatus'>): boolean {
  return allocation.ClientStatus === 'complete' || allocation.ClientStatus === 'failed' || allocation.ClientStatus === 'lost'
}

/** The server no longer wants it to run. */
export function isServerTerminal(allocation: Pick<Allocation, 'DesiredStatus'>): boolean {
  return allocation.DesiredStatus === 'stop' || allocation.DesiredStatus === 'evict'
}

/** Placed to try a version; also once that was promoted. */
export function isCanary(allocation: Pick<Allocation, 'DeploymentStatus'>): boolean {
  return allocation.DeploymentStatus?.Canary === true
}

/** Ended, or told to end (Nomad API docs, "Allocations"). */
export function isTerminal(allocation: Pick<Allocation, 'ClientStatus' | 'DesiredStatus'>): boolean {
  return isServerTerminal(allocation) || isClientTerminal(allocation)
}
