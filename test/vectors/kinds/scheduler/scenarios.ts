/** The recorded scenarios: a cluster state and one evaluation → what is decided. */
import type { Mismatch } from '../../compare.js'
import type { CaseResult, VectorKind } from '../../kind.js'
import { type Answer, describeAnswer } from './answer.js'
import { compareExpectation, type Tolerances } from './expectation.js'
import { Labels } from './labels.js'
import { type PlannerStep, playScenario } from './run.js'
import { completeEvaluation, loadWorld, type RecordedWorld } from './world.js'

interface Scenario extends RecordedWorld {
  readonly name: string
  readonly planner?: readonly PlannerStep[]
  readonly expect: Answer
  readonly compare?: Tolerances
}

/** Mappings of labels to ids, and with them seeds of the choice among equals: no answer may depend on them. */
const SALTS = [1, 2, 3]

const NAMES = [
  'placement',
  'stop',
  'update',
  'deployment',
  'canary',
  'node',
  'disconnect',
  'reconnect',
  'rescheduling',
  'batch',
  'system',
  'sysbatch',
  'feasibility',
  'resources',
  'ranking',
  'preemption',
  'blocked',
  'mixed',
]

export const SCENARIO_KINDS: readonly VectorKind[] = NAMES.map((name) => ({
  kind: `scheduler/${name}`,
  *run(content) {
    for (const scenario of (content as { readonly cases: readonly Scenario[] }).cases) yield runScenario(scenario)
  },
}))

function runScenario(scenario: Scenario): CaseResult {
  for (const salt of SALTS) {
    const mismatches = mismatchesOf(scenario, salt)
    if (mismatches.length > 0) return { name: scenario.name, mismatches }
  }
  return { name: scenario.name, mismatches: [] }
}

function mismatchesOf(scenario: Scenario, salt: number): readonly Mismatch[] {
  const labels = new Labels(labelsOf(scenario), salt)
  const { name: _, planner, expect, compare, ...world } = scenario
  const recorded = labels.toIds(world) as RecordedWorld
  const evaluation = completeEvaluation(recorded.evaluation)
  try {
    const state = loadWorld(recorded)
    const played = playScenario(state, evaluation, labels.toIds(planner ?? []), salt)
    const answer = describeAnswer(state, labels, Date.parse(scenario.now), played)
    const isSystem = evaluation.Type === 'system' || evaluation.Type === 'sysbatch'
    return compareExpectation(expect, answer, compare ?? {}, isSystem)
  } catch (error) {
    return [
      { path: '$', expected: 'an answer', got: error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error) },
    ]
  }
}

function labelsOf({ nodes, allocations, deployments = [], evaluation }: Scenario): readonly string[] {
  return [...nodes, ...allocations, ...deployments, evaluation].map((row) => row.ID!)
}
