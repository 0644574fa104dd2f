/** Scaling policies of groups and tasks, and what scalers did. Source: Nomad API docs, "Scaling Policies" */
export interface ScalingPolicy {
  readonly ID: string
  readonly Type: string
  readonly Target: Readonly<Record<string, string>> | null
  readonly Policy: Readonly<Record<string, unknown>> | null
  readonly Min: number
  readonly Max: number
  readonly Enabled: boolean
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

export interface ScalingEvent {
  readonly Time: number
  readonly Count: number | null
  readonly PreviousCount: number
  readonly Message: string
  readonly Error: boolean
  readonly Meta: Readonly<Record<string, unknown>> | null
  readonly EvalID: string | null
  readonly CreateIndex: number
}
