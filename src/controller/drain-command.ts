/** The command that starts a drain, or changes the terms of one that goes on. */
import { MILLISECOND, type Nanoseconds, type Node, rfc3339, ZERO_TIME } from '../domain/index.js'
import type { CommandBody } from '../state/index.js'

export interface DrainTerms {
  /** 0: as long as it takes; negative: at once. */
  readonly deadline: Nanoseconds
  readonly ignoreSystemJobs: boolean
  readonly meta: Readonly<Record<string, string>> | null
}

export function drainCommand(node: Node, { deadline, ignoreSystemJobs, meta }: DrainTerms, nowMs: number): CommandBody {
  return {
    kind: 'node-drain',
    nodeId: node.ID,
    drain: {
      Deadline: deadline,
      IgnoreSystemJobs: ignoreSystemJobs,
      ForceDeadline: deadline > 0 ? rfc3339(nowMs + deadline / MILLISECOND) : ZERO_TIME,
      StartedAt: node.DrainStrategy?.StartedAt ?? rfc3339(nowMs),
    },
    eligibility: 'ineligible',
    evaluations: [],
    meta,
  }
}
