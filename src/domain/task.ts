/** One task of a group: what is run, with what, and how it is stopped. Source: Nomad API docs, "JSON Job Specification" */
import type { Resources } from './resources.js'
import type { ScalingPolicy } from './scaling.js'
import type { Service } from './service.js'
import type { Affinity, Constraint, Consul, RestartPolicy } from './task-group.js'
import type { Nanoseconds } from './units.js'

export interface Task {
  readonly Name: string
  readonly Driver: string
  readonly User: string
  readonly Config: Readonly<Record<string, unknown>> | null
  readonly Env: Readonly<Record<string, string>> | null
  readonly Services: readonly Service[] | null
  readonly Vault: Vault | null
  readonly Templates: readonly Template[] | null
  readonly Constraints: readonly Constraint[] | null
  readonly Affinities: readonly Affinity[] | null
  readonly Resources: Resources
  readonly RestartPolicy: RestartPolicy
  readonly DispatchPayload: { readonly File: string } | null
  readonly Lifecycle: TaskLifecycle | null
  readonly Meta: Readonly<Record<string, string>> | null
  readonly KillTimeout: Nanoseconds
  readonly LogConfig: LogConfig
  readonly Artifacts: readonly TaskArtifact[] | null
  readonly Leader: boolean
  readonly ShutdownDelay: Nanoseconds
  readonly VolumeMounts: readonly VolumeMount[] | null
  readonly ScalingPolicies: readonly ScalingPolicy[] | null
  readonly KillSignal: string
  readonly Kind: string
  readonly CSIPluginConfig: CsiPlugin | null
  readonly Identity: WorkloadIdentity | null
  readonly Identities: readonly WorkloadIdentity[] | null
  readonly Consul: Consul | null
  readonly Actions: readonly Action[] | null
  readonly Schedule: { readonly Cron: { readonly Start: string; readonly End: string; readonly Timezone: string } | null } | null
  readonly Secrets: readonly Secret[] | null
}

export interface TaskLifecycle {
  readonly Hook: string
  readonly Sidecar: boolean
}

export interface LogConfig {
  readonly MaxFiles: number
  readonly MaxFileSizeMB: number
  readonly Disabled: boolean
}

export interface Action {
  readonly Name: string
  readonly Command: string
  readonly Args: readonly string[] | null
}

/** A task that is a storage plugin. */
export interface CsiPlugin {
  readonly ID: string
  readonly Type: string
  readonly MountDir: string
  readonly StagePublishBaseDir: string
  readonly HealthTimeout: Nanoseconds
}

export interface Secret {
  readonly Name: string
  readonly Provider: string
  readonly Path: string
  readonly Config: Readonly<Record<string, unknown>> | null
  readonly Env: Readonly<Record<string, string>> | null
}

export interface Template {
  readonly SourcePath: string
  readonly DestPath: string
  readonly EmbeddedTmpl: string
  readonly ChangeMode: string
  readonly ChangeSignal: string
  readonly ChangeScript: ChangeScript | null
  readonly Splay: Nanoseconds
  readonly Perms: string
  readonly Uid: number | null
  readonly Gid: number | null
  readonly LeftDelim: string
  readonly RightDelim: string
  readonly Envvars: boolean
  readonly VaultGrace: Nanoseconds
  readonly Wait: { readonly Min: Nanoseconds | null; readonly Max: Nanoseconds | null } | null
  readonly ErrMissingKey: boolean
  readonly Once: boolean
}

export interface ChangeScript {
  readonly Command: string
  readonly Args: readonly string[] | null
  readonly Timeout: Nanoseconds
  readonly FailOnError: boolean
  readonly RunOnFirstRender: boolean
}

export interface TaskArtifact {
  readonly GetterSource: string
  readonly GetterOptions: Readonly<Record<string, string>> | null
  readonly GetterHeaders: Readonly<Record<string, string>> | null
  readonly GetterMode: string
  readonly RelativeDest: string
  readonly GetterInsecure: boolean
  readonly Chown: boolean
}

export interface Vault {
  readonly Namespace: string
  readonly Env: boolean
  readonly ChangeMode: string
  readonly ChangeSignal: string
  readonly DisableFile: boolean
  readonly Role: string
  readonly Cluster: string
  readonly AllowTokenExpiration: boolean
  readonly Policies?: readonly string[] | null
}

export interface WorkloadIdentity {
  readonly Name: string
  readonly Audience: readonly string[] | null
  readonly ChangeMode: string
  readonly ChangeSignal: string
  readonly Env: boolean
  readonly File: boolean
  readonly Filepath: string
  readonly ServiceName: string
  readonly TTL: Nanoseconds
  readonly ExtraClaims: Readonly<Record<string, string>> | readonly string[] | null
}

export interface VolumeMount {
  readonly Volume: string
  readonly Destination: string
  readonly ReadOnly: boolean
  readonly PropagationMode: string
  readonly SELinuxLabel: string
}
