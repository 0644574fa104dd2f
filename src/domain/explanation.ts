/** Why things are as they are: each decision as a code and facts for programs, and as a sentence for people. */
import type { DeploymentStatus } from './deployment.js'
import type { Standing } from './source.js'

export type PlacementCode =
  | 'new'
  | 'canary'
  | 'replaces-failed'
  | 'replaces-lost'
  | 'replaces-migrated'
  | 'replaces-older-version'
  | 'replaces-disconnected'
  | 'replaces-ended'

export type StopCode =
  | 'job-stopped'
  | 'group-removed'
  | 'surplus'
  | 'canary-given-up'
  | 'node-down'
  | 'node-draining'
  | 'node-unsuitable'
  | 'failed-and-replaced'
  | 'older-version'
  | 'original-came-back'
  | 'preempted'
  | 'stopped'
  /** By itself. */
  | 'completed'

export type ShortfallCode = 'no-nodes' | 'no-suitable-node' | 'no-room'

export type WaitCode =
  | 'starting'
  | 'template-waits'
  | 'made-into-others'
  | 'replacement-paused'
  | 'evaluation-pending'
  | 'reschedule-later'
  | 'no-reschedule-left'
  | 'not-tried-again'
  | 'waits-for-room'
  | 'roll-out-in-progress'
  | 'roll-out-waits-for-promotion'
  | 'roll-out-paused'
  | 'roll-out-failed'

export type Fact = string | number | readonly NodeVerdict[] | readonly ScoredNode[] | Readonly<Record<string, number>>

export interface Reason {
  readonly code: PlacementCode | StopCode | ShortfallCode | WaitCode
  readonly group: string
  /** Allocation's name and id, where it is about one. */
  readonly allocation: { readonly name: string; readonly id: string } | null
  readonly facts: Readonly<Record<string, Fact>>
  /** One sentence, for people. */
  readonly text: string
}

export interface ScoredNode {
  readonly node: string
  readonly score: number
}

/** What stands against placing one more allocation of a group on a node now. */
export interface NodeVerdict {
  readonly node: string
  /** `open`: nothing does; `filtered`: the node is unsuitable; `exhausted`: it has too little free. */
  readonly verdict: 'open' | 'filtered' | 'exhausted'
  /** The constraint or the dimension; empty for `open`. */
  readonly reason: string
}

export interface GroupExplanation {
  readonly group: string
  readonly wanted: number
  readonly running: number
  /** Of what is there or is on its way. */
  readonly placements: readonly Reason[]
  /** Of what ended lately, newest first. */
  readonly stops: readonly Reason[]
  /** Of what is missing, and what it waits for. */
  readonly missing: readonly Reason[]
}

export interface JobExplanation {
  readonly namespace: string
  readonly job: string
  readonly version: number
  readonly deployment: { readonly id: string; readonly status: DeploymentStatus } | null
  /** Which commit runs, and whether the newest one was set aside. */
  readonly standing: Standing
  readonly groups: readonly GroupExplanation[]
}
