/** Which evaluations that wait for a time are cancelled, and which are not. */
import { expect, test } from 'vitest'
import { WaitingEvaluations } from '../../src/controller/waiting-evaluations.js'
import { type Allocation, type Evaluation, type Job, rfc3339 } from '../../src/domain/index.js'
import { type CommandBody, State } from '../../src/state/index.js'
import { allocation, evaluation, job } from '../fixtures.js'

const IN_AN_HOUR = rfc3339(Date.UTC(2026, 0, 1, 1))

/** What is said of an evaluation that waits, of a job of this kind with this allocation. */
function fate(over: Partial<Evaluation>, row: Partial<Allocation>, of: Partial<Job> = {}): string | undefined {
  const state = new State()
  const proposed: CommandBody[] = []
  const waiting = new WaitingEvaluations(state, (bodies) => proposed.push(...bodies))
  state.jobs.put(1, job(of))
  state.allocations.put(1, allocation(row))
  state.evaluations.put(1, evaluation({ Status: 'pending', WaitUntil: IN_AN_HOUR, ...over }))
  waiting.reconcile()
  const [first] = proposed
  return first?.kind === 'evaluation-update' ? `${first.evaluations[0]!.Status}: ${first.evaluations[0]!.StatusDescription}` : undefined
}

test('of a stopped job none waits', () => {
  for (const TriggeredBy of ['max-disconnect-timeout', 'alloc-reschedule', 'failed-follow-up'] as const)
    expect(fate({ TriggeredBy }, { ClientStatus: 'unknown' }, { Stop: true })).toBe('canceled: job is stopped')
})

test('what is out of sight is waited for until it is back', () => {
  expect(fate({ TriggeredBy: 'max-disconnect-timeout' }, { ClientStatus: 'unknown' })).toBeUndefined()
  expect(fate({ TriggeredBy: 'max-disconnect-timeout' }, { ClientStatus: 'running' })).toBe('canceled: allocs reconnected')
})

test('what failed is waited for until it is replaced', () => {
  expect(fate({ TriggeredBy: 'alloc-reschedule' }, { ClientStatus: 'failed' })).toBeUndefined()
  expect(fate({ TriggeredBy: 'alloc-reschedule' }, { ClientStatus: 'failed', NextAllocation: 'next' })).toMatch(/^canceled/)
  expect(fate({ TriggeredBy: 'failed-follow-up' }, { ClientStatus: 'running' })).toBeUndefined()
})

test('an evaluation that waits for no time is none of its business', () => {
  expect(fate({ TriggeredBy: 'max-disconnect-timeout', WaitUntil: '' }, { ClientStatus: 'running' }, { Stop: true })).toBeUndefined()
})
