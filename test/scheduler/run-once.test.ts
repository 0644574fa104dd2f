/** Batch work that has been done is not done again: not after it was collected, and not by a server that was restored from a snapshot. */
import { expect, test } from 'vitest'
import { findGarbage } from '../../src/controller/garbage.js'
import { createScheduler } from '../../src/scheduler/index.js'
import { cutState, decodeSnapshot, encodeCut, jobKey, type State } from '../../src/state/index.js'
import { evaluation, job } from '../fixtures.js'
import { group, Story } from './story.js'

const AT_ONCE = { evaluationMs: 0, batchEvaluationMs: 0, jobMs: 0, deploymentMs: 0, nodeMs: 0 }

function done(): Story {
  const story = new Story().nodes(2).register({ Type: 'batch', TaskGroups: [group(2, { Update: null })] })
  story.evaluate()
  return story.report(story.wanted(), 'complete')
}

/** How much would be placed if somebody asked now. */
function placedBy(state: State): number {
  let ids = 0
  const asked = evaluation({ JobID: job().ID, Type: 'batch', Status: 'pending' })
  return createScheduler(state).schedule(asked, { nowMs: state.atMs, newId: () => `id-${ids++}` }).plan.Placements.length
}

function collect(story: Story): Story {
  for (const found of [...findGarbage(story.state, story.state.atMs + 1, AT_ONCE)])
    if (found !== undefined) story.do({ kind: 'garbage-collect', ...found })
  return story
}

function restored(state: State): State {
  return decodeSnapshot(Buffer.concat([...encodeCut(cutState(state))]))
}

test('what was done stays done when everything that may go has gone', () => {
  const story = collect(done())
  expect(story.state.jobs.get(jobKey(job()))?.Status).toBe('dead')
  expect(placedBy(story.state)).toBe(0)
})

test('a server that is restored from a snapshot does not do it again', () => {
  const again = restored(collect(done()).state)
  expect(again.allocations.count).toBe(2)
  expect(placedBy(again)).toBe(0)
})

test('a file that was touched and says the same does not either, and one that asks for something else does', () => {
  const story = collect(done())
  const same = story.state.jobs.get(jobKey(job()))!
  story.do({ kind: 'job-register', job: same, source: null, evaluations: [] })
  expect(placedBy(story.state)).toBe(0)
  story.do({ kind: 'job-register', job: { ...same, Version: same.Version + 1 }, source: null, evaluations: [] })
  expect(placedBy(story.state)).toBe(2)
})
