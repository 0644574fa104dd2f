/** Services as a job declares them, and as running allocations register them. Source: Nomad API docs, "Services" */

import type { WorkloadIdentity } from './task.js'
import type { Nanoseconds } from './units.js'

export interface Service {
  readonly Name: string
  readonly TaskName: string
  readonly PortLabel: string
  readonly AddressMode: string
  readonly Address: string
  readonly EnableTagOverride: boolean
  readonly Tags: readonly string[] | null
  readonly CanaryTags: readonly string[] | null
  readonly Checks: readonly ServiceCheck[] | null
  readonly Connect: ConsulConnect | null
  readonly Meta: Readonly<Record<string, string>> | null
  readonly CanaryMeta: Readonly<Record<string, string>> | null
  readonly TaggedAddresses: Readonly<Record<string, string>> | null
  readonly Namespace: string
  readonly OnUpdate: string
  readonly Provider: string
  readonly Cluster: string
  readonly Identity: WorkloadIdentity | null
  readonly Weights: { readonly Passing: number; readonly Warning: number } | null
  readonly Kind: string
}

export interface ServiceCheck {
  readonly Name: string
  readonly Type: string
  readonly Command: string
  readonly Args: readonly string[] | null
  readonly Path: string
  readonly Protocol: string
  readonly PortLabel: string
  readonly Expose: boolean
  readonly AddressMode: string
  readonly Interval: Nanoseconds
  readonly Timeout: Nanoseconds
  readonly InitialStatus: string
  readonly TLSSkipVerify: boolean
  readonly TLSServerName: string
  readonly Method: string
  readonly Header: Readonly<Record<string, readonly string[]>> | null
  readonly CheckRestart: CheckRestart | null
  readonly GRPCService: string
  readonly GRPCUseTLS: boolean
  readonly TaskName: string
  readonly SuccessBeforePassing: number
  readonly FailuresBeforeCritical: number
  readonly FailuresBeforeWarning: number
  readonly Body: string
  readonly OnUpdate: string
  readonly Notes: string
}

export interface CheckRestart {
  readonly Limit: number
  readonly Grace: Nanoseconds
  readonly IgnoreWarnings: boolean
}

/** Consul's mesh; Drover parses, stores and diffs it and runs none of it, so its inner form is kept as data. */
export interface ConsulConnect {
  readonly Native: boolean
  readonly SidecarService: Readonly<Record<string, unknown>> | null
  readonly SidecarTask: Readonly<Record<string, unknown>> | null
  readonly Gateway: Readonly<Record<string, unknown>> | null
}

/** One running instance of a service with provider `nomad`. */
export interface ServiceRegistration {
  readonly ID: string
  readonly ServiceName: string
  readonly Namespace: string
  readonly NodeID: string
  readonly Datacenter: string
  readonly JobID: string
  readonly AllocID: string
  readonly Tags: readonly string[] | null
  readonly Address: string
  readonly Port: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
}
