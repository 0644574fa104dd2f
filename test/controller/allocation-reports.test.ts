import { expect, test } from 'vitest'
import { reportEvaluations } from '../../src/controller/allocation-reports.js'
import type { Evaluation, ReschedulePolicy } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, evaluation, job, taskGroup, taskState } from '../fixtures.js'

const FAILED = {
  ID: 'a',
  ClientStatus: 'failed',
  ClientDescription: '',
  TaskStates: { main: taskState({ State: 'dead', Failed: true }) },
} as const

/** What follows when an allocation fails that names `followUp`. */
function triggersOf(followUp: Partial<Evaluation> | undefined, policy: Partial<ReschedulePolicy> = {}): readonly string[] {
  const state = new State()
  const [group] = job().TaskGroups
  const ReschedulePolicy = { ...group!.ReschedulePolicy!, ...policy }
  state.jobs.put(1, job({ ID: 'web', TaskGroups: [taskGroup({ ...group, ReschedulePolicy })] }))
  state.allocations.put(1, allocation({ ID: 'a', JobID: 'web', ClientStatus: 'running', FollowupEvalID: 'later' }))
  if (followUp !== undefined)
    state.evaluations.put(1, evaluation({ ID: 'later', JobID: 'web', TriggeredBy: 'alloc-reschedule', ...followUp }))
  return reportEvaluations(state, [FAILED], { fraction: () => 0, uuid: () => 'new' }, 0).map(({ TriggeredBy }) => TriggeredBy)
}

test('what fails is looked at by the evaluation that it waits for already', () => {
  expect(triggersOf({ Status: 'pending' })).toEqual([])
})

test('one that was called off, since the node came back, is not waited for', () => {
  expect(triggersOf({ Status: 'canceled' })).toEqual(['alloc-failure'])
  expect(triggersOf({ Status: 'complete' })).toEqual(['alloc-failure'])
  expect(triggersOf(undefined)).toEqual(['alloc-failure'])
})

test('what may not be replaced any more asks for nothing', () => {
  const HOUR = 3_600_000_000_000
  expect(triggersOf(undefined, { Attempts: 1, Interval: HOUR, Unlimited: false })).toEqual(['alloc-failure'])
  expect(triggersOf(undefined, { Attempts: 0, Interval: HOUR, Unlimited: false })).toEqual([])
})
