/** What is remembered of commits, as it is asked for. */
import { expect, test } from 'vitest'
import { Histogram } from '../../src/domain/index.js'
import { commit } from '../fixtures.js'
import { World } from './world.js'

const ID = 'c0ffee00'.repeat(5)
const trace = {
  commit: commit({ id: ID }),
  detectedMs: 1,
  verifiedMs: null,
  parsedMs: 2,
  appliedMs: 3,
  registered: 1,
  waiting: 0,
  removed: 0,
  frozen: 0,
}

test('a commit is traced by its id or the beginning of it', async () => {
  const world = new World()
  world.change((state, index) => state.commitTraces.put(index, trace))
  for (const name of [ID, 'c0ff', 'C0FFEE00'])
    expect(await world.json(`/drover/v1/trace/${name}`)).toEqual({ trace: { ...trace, source: 'default' }, held: null, jobs: [] })
  for (const name of ['c0f', 'beef0000', '*']) expect((await world.get(`/drover/v1/trace/${name}`)).status).toBe(404)
})

test('the beginning of two commits names neither', async () => {
  const world = new World()
  for (const id of [ID, `c0ffee01${ID.slice(8)}`])
    world.change((state, index) => state.commitTraces.put(index, { ...trace, commit: commit({ id }) }))
  const answer = await world.get('/drover/v1/trace/c0ffee')
  expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('the beginning of 2 commits')])
})

test('how long commits take is told to Prometheus as histograms, and as samples to others', async () => {
  const seconds = new Histogram([1, 10])
  for (const value of [0.5, 4]) seconds.add(value)
  const world = new World({ commitMemory: { tracedJobs: () => [], commitSeconds: { healthy: seconds, placed: new Histogram([1]) } } })
  const { text: body } = await world.get('/v1/metrics?format=prometheus')
  const lines = body.split('\n').filter((line) => line.includes('commit_to_healthy'))
  const labels = /\{host="[^"]*",region="[^"]*"(?:,le="[^"]*")?\}/
  expect(lines.map((line) => line.replace(labels, (found) => (/le="[^"]*"/.exec(found) ?? [''])[0]))).toEqual([
    '# HELP drover_commit_to_healthy_seconds From the time of a commit until its jobs are healthy',
    '# TYPE drover_commit_to_healthy_seconds histogram',
    'drover_commit_to_healthy_seconds_bucketle="1" 1',
    'drover_commit_to_healthy_seconds_bucketle="10" 2',
    'drover_commit_to_healthy_seconds_bucketle="+Inf" 2',
    'drover_commit_to_healthy_seconds_sum 4.5',
    'drover_commit_to_healthy_seconds_count 2',
  ])
  const { Samples } = (await world.json('/v1/metrics')) as { Samples: readonly object[] }
  expect(Samples).toEqual([
    expect.objectContaining({ Name: 'drover.commit.to_healthy_seconds', Count: 2, Sum: 4.5, Min: 0.5, Max: 4, Mean: 2.25 }),
  ])
})
