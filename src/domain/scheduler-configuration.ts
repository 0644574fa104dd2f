/** How the cluster schedules. Source: Nomad API docs, "Operator"; `balanced` is Drover's own. */
export type SchedulerAlgorithm = 'balanced' | 'binpack' | 'spread'

export interface SchedulerConfiguration {
  readonly SchedulerAlgorithm: SchedulerAlgorithm
  readonly PreemptionConfig: {
    readonly SystemSchedulerEnabled: boolean
    readonly SysBatchSchedulerEnabled: boolean
    readonly BatchSchedulerEnabled: boolean
    readonly ServiceSchedulerEnabled: boolean
  }
  readonly MemoryOversubscriptionEnabled: boolean
  readonly RejectJobRegistration: boolean
  readonly PauseEvalBroker: boolean
  /** Our own, and not shown as the scheduler's: after how long a host that is not declared any more runs nothing. Absent: the default. */
  readonly stopAfterUndeclaredMs?: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

export const SCHEDULER_CONFIGURATION_DEFAULT: SchedulerConfiguration = Object.freeze({
  SchedulerAlgorithm: 'balanced',
  PreemptionConfig: Object.freeze({
    SystemSchedulerEnabled: true,
    SysBatchSchedulerEnabled: false,
    BatchSchedulerEnabled: false,
    ServiceSchedulerEnabled: false,
  }),
  MemoryOversubscriptionEnabled: false,
  RejectJobRegistration: false,
  PauseEvalBroker: false,
  CreateIndex: 1,
  ModifyIndex: 1,
})

export const STOP_AFTER_UNDECLARED_MS_DEFAULT = 600_000
