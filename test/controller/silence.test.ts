import { expect, test } from 'vitest'
import { mayComeBack } from '../../src/controller/silence.js'
import { type Allocation, rfc3339, SECOND, type TaskGroup } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, FIXTURE_MS, job, taskGroup } from '../fixtures.js'

const RULES = { LostAfter: 30 * SECOND, StopOnClientAfter: null, Replace: true, Reconcile: '' }

function isAwaited(over: Partial<Allocation>, Disconnect: Partial<TaskGroup>['Disconnect'] = RULES): boolean {
  const state = new State()
  const stored = job({ TaskGroups: [taskGroup({ Disconnect: Disconnect ?? null })] })
  state.jobVersions.put(1, stored)
  const { CreateIndex: JobCreateIndex, Version: JobVersion } = stored
  state.allocations.put(1, { ...allocation({ JobCreateIndex, JobVersion, ClientStatus: 'running' }), ...over })
  return mayComeBack(state, allocation().NodeID, FIXTURE_MS)
}

const unknownSince = (ms: number): Partial<Allocation> => ({
  ClientStatus: 'unknown',
  AllocStates: [{ Field: 0, Value: 'unknown', Time: rfc3339(FIXTURE_MS - ms) }],
})

test.each<[string, Partial<Allocation>, Partial<TaskGroup>['Disconnect'], boolean]>([
  ['what runs and may be out of sight is awaited', {}, RULES, true],
  ['what may not is not', {}, null, false],
  ['what has not begun is not', { ClientStatus: 'pending' }, RULES, false],
  ['what was told to end is not', { DesiredStatus: 'stop' }, RULES, false],
  ['what is out of sight is awaited for as long as its job says', unknownSince(29_000), RULES, true],
  ['and no longer', unknownSince(30_000), RULES, false],
])('%s', (_, over, rules, expected) => {
  expect(isAwaited(over, rules)).toBe(expected)
})
