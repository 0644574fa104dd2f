/** Holds what the event stream told against what it told of the reference. */
import { isDeepStrictEqual } from 'node:util'
import type { Mismatch } from '../vectors/compare.js'
import { type Recording, withoutRepeats } from './recording.js'

export type Row = readonly [desired: string, client: string, health: string]

/** Status of an allocation → what may come after it. */
const AFTER: Readonly<Record<string, readonly string[]>> = {
  pending: ['running', 'complete', 'failed', 'lost', 'unknown'],
  running: ['complete', 'failed', 'lost', 'unknown', 'pending'],
  unknown: ['running', 'complete', 'failed', 'lost', 'pending'],
  complete: [],
  failed: [],
  lost: [],
}
const ENDED = new Set(['complete', 'failed', 'lost'])

/** All recorded rows must be there in their order; more may be between them. */
export function compareRows(path: string, expected: readonly unknown[], got: readonly unknown[]): readonly Mismatch[] {
  return findRows(expected, got, () => false) ? [] : [{ path, expected, got }]
}

/**
 * What came between the recorded rows must be possible. The reference hears its hosts five times a second, one after the other: what one of
 * them said just before something else was decided, or just before an end, may have been heard in another order.
 * @param isOfDeployment the health of what was stopped before anything was known of it is an accident of the reference elsewhere
 */
export function compareAllocationRows(
  path: string,
  expected: readonly Row[],
  got: readonly Row[],
  isOfDeployment: boolean,
): readonly Mismatch[] {
  const isPossible = got.every(([, client], at) => at === 0 || client === got[at - 1]![1] || AFTER[got[at - 1]![1]]!.includes(client))
  const known = isOfDeployment ? expected : expected.map(withoutHealthOfStopped)
  const own = isOfDeployment ? got : got.map(withoutHealthOfStopped)
  return isPossible && findRows(known, own, mayBeMissing) ? [] : [{ path, expected, got }]
}

function withoutHealthOfStopped([desired, client, health]: Row): Row {
  return [desired, client, desired === 'stop' ? '' : health]
}

/** It was told to stop before it was heard to run, or was heard to run just before its end. */
function mayBeMissing(row: unknown, next: unknown): boolean {
  const [[desired, client], after] = [row as Row, next as Row | undefined]
  if (desired === 'stop') return client === 'pending' && after !== undefined
  return (client === 'running' || client === 'pending') && after !== undefined && after[0] === 'run' && ENDED.has(after[1])
}

function findRows(expected: readonly unknown[], got: readonly unknown[], mayBeMissing: (row: unknown, next: unknown) => boolean): boolean {
  let from = 0
  for (const [at, row] of expected.entries()) {
    const found = got.findIndex((own, index) => index >= from && isDeepStrictEqual(own, row))
    if (found >= 0) from = found + 1
    else if (!mayBeMissing(row, expected[at + 1])) return false
  }
  return true
}

/**
 * @param keyOf the id here of what the record calls by a name
 */
export function compareStream(
  recording: Recording,
  expected: Readonly<Record<string, readonly string[]>>,
  keyOf: (topic: string, name: string) => string | undefined,
): readonly Mismatch[] {
  return Object.entries(expected).flatMap(([object, types]) => {
    const [topic = '', ...words] = object.split(' ')
    const key = keyOf(topic, words.join(' '))
    if (key === undefined) return [{ path: `/stream/${object}`, expected: types, got: 'no such object' }]
    return compareRows(`/stream/${object}`, typesHere(topic, types), recording.typesOf(topic, key))
  })
}

/** Where Drover writes once what the reference writes twice, or in another way (docs/differences.md). */
function typesHere(topic: string, types: readonly string[]): readonly string[] {
  switch (topic) {
    case 'Node':
      // A host joins ready, in one write, and what it runs says nothing of it.
      return types.filter(
        (type, at) => at === 0 || !(type === 'AllocationUpdated' || type === 'NodeRegistration' || isFirstReady(types, at)),
      )
    case 'Evaluation':
      // Who looks after roll-outs asks for an evaluation, and touches no allocation; what ends a roll-out is no plan.
      // One that a node causes is written with what became of the node.
      return isOfRollOut(types) ? types.slice(-1) : types.slice(types[0] === 'EvaluationUpdated' ? 1 : 0)
    case 'Job':
      // A job goes back as it is registered.
      return withoutRepeats(types.map((type) => (type === 'DeploymentStatusUpdate' ? 'JobRegistered' : type)))
    default:
      return types
  }
}

function isOfRollOut([how]: readonly string[]): boolean {
  return how === 'DeploymentPromotion' || how === 'DeploymentStatusUpdate' || how === 'AllocationUpdateDesiredStatus'
}

function isFirstReady(types: readonly string[], at: number): boolean {
  return types[at] === 'NodeStreamEvent' && types[at - 1] === 'NodeRegistration'
}
