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
