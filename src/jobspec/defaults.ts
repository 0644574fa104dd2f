/** Defaults that a job gets when it is registered, by type of job. Source: Nomad API docs, "JSON Job Specification". */
import { HOUR, MINUTE, SECOND } from '../domain/index.js'
import type { ApiObject } from './decode/api-job.js'

export const UPDATE_DEFAULT: ApiObject = {
  Stagger: 30 * SECOND,
  MaxParallel: 1,
  HealthCheck: 'checks',
  MinHealthyTime: 10 * SECOND,
  HealthyDeadline: 5 * MINUTE,
  ProgressDeadline: 10 * MINUTE,
  AutoRevert: false,
  AutoPromote: false,
  Canary: 0,
}

export const MIGRATE_DEFAULT: ApiObject = {
  MaxParallel: 1,
  HealthCheck: 'checks',
  MinHealthyTime: 10 * SECOND,
  HealthyDeadline: 5 * MINUTE,
}

export const RESCHEDULE_DEFAULTS: Readonly<Record<string, ApiObject>> = {
  service: { Attempts: 0, Interval: 0, Delay: 30 * SECOND, DelayFunction: 'exponential', MaxDelay: HOUR, Unlimited: true },
  batch: { Attempts: 1, Interval: 24 * HOUR, Delay: 5 * SECOND, DelayFunction: 'constant', MaxDelay: 0, Unlimited: false },
}

const RESTART_LASTING: ApiObject = { Attempts: 2, Interval: 30 * MINUTE, Delay: 15 * SECOND, Mode: 'fail', RenderTemplates: false }
const RESTART_BATCH: ApiObject = { Attempts: 3, Interval: 24 * HOUR, Delay: 15 * SECOND, Mode: 'fail', RenderTemplates: false }

export const RESTART_DEFAULTS: Readonly<Record<string, ApiObject>> = {
  service: RESTART_LASTING,
  system: RESTART_LASTING,
  batch: RESTART_BATCH,
  sysbatch: RESTART_BATCH,
}

export const EPHEMERAL_DISK_DEFAULT: ApiObject = { Sticky: false, SizeMB: 300, Migrate: false }
export const LOGS_DEFAULT: ApiObject = { MaxFiles: 10, MaxFileSizeMB: 10, Disabled: false }
export const PERIODIC_DEFAULT: ApiObject = { Enabled: true, SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }
export const TEMPLATE_DEFAULT: ApiObject = { ChangeMode: 'restart', Splay: 5 * SECOND, Perms: '0644', LeftDelim: '{{', RightDelim: '}}' }
export const CHANGE_SCRIPT_DEFAULT: ApiObject = { Args: [], Timeout: 5 * SECOND, FailOnError: false, RunOnFirstRender: false }
export const CSI_PLUGIN_DEFAULT = { MountDir: '/csi', StagePublishBaseDir: '/local/csi', HealthTimeout: 30 * SECOND } as const
export const KILL_TIMEOUT_DEFAULT = 5 * SECOND
export const CPU_DEFAULT = 100
export const MEMORY_DEFAULT = 300
export const WEIGHT_DEFAULT = 50
export const DEFAULT_IDENTITY: ApiObject = { Name: 'default', Audience: ['nomadproject.io'] }
