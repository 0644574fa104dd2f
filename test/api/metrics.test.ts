/** `/v1/metrics`: what there is and how the server does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Histogram, newOutcomeSeconds } from '../../src/domain/index.js'
import { allocation, commit, deployment, evaluation, job, jobSource, node, sourceStatus, uuid } from '../fixtures.js'
import { World } from './world.js'

interface Metrics {
  readonly Gauges: readonly { readonly Name: string; readonly Value: number; readonly Labels: Readonly<Record<string, string>> }[]
  readonly Counters: readonly { readonly Name: string; readonly Count: number; readonly Labels: Readonly<Record<string, string>> }[]
  readonly Samples: readonly { readonly Name: string; readonly Count: number; readonly Labels: Readonly<Record<string, string>> }[]
}

const metricsOf = async (world: World) => (await world.json('/v1/metrics')) as Metrics

/** Everything that can be told has something to tell. */
function busyWorld(): World {
  const seconds = newOutcomeSeconds()
  seconds.succeeded.add(0.02)
  const healthy = new Histogram([1])
  healthy.add(0.5)
  const looks = { seconds, ageMs: 1_000, signatures: { good: 2 } }
  const remote = {
    url: 'https://git.example/a',
    problem: null,
    fetchedAtMs: 1,
    ageMs: 5,
    fetches: 1,
    failuresInARow: 0,
    fetchMs: 4,
    nextInMs: 9,
  }
  const world = new World({
    sourceHealth: {
      sourceHealth: [{ id: 'default', ref: 'HEAD', overlay: null, problem: null, remote, fetchSeconds: seconds, limits: null, looks }],
    },
    webhooks: { receive: () => 'refused', counts: new Map([['default', { accepted: 3, refused: 0, 'too-many': 0 }]]) },
    busHealth: { awayMs: 0, droppedMessages: new Map([['replayed', 1]]) },
    schedulingHealth: {
      evaluationTimes: [
        { stage: 'wait', type: 'service', count: 2, sumMs: 6, leastMs: 1, mostMs: 5 },
        { stage: 'schedule', type: 'service', count: 2, sumMs: 3, leastMs: 1, mostMs: 2 },
      ],
      assignmentSeconds: healthy,
    },
    commitMemory: { tracedJobs: () => [], commitSeconds: { detected: healthy, planned: healthy, placed: healthy, healthy } },
  })
  world.register(job({ ID: 'web', Status: 'running' }))
  world.change((state, index) => {
    state.sources.put(index, sourceStatus({}))
    state.nodes.put(index, node({ ID: uuid(1) }))
    state.evaluations.put(index, evaluation({ ID: uuid(2), Status: 'complete' }))
    state.deployments.put(index, deployment({ ID: uuid(3), Status: 'successful' }))
    state.allocations.put(index, allocation({ ID: uuid(4), ClientStatus: 'running' }))
  })
  return world
}

test('jobs are counted by source, by what becomes of their differences and by health', async () => {
  const world = new World()
  const put = (ID: string, count: number, waits = false) => {
    const registered = world.register(job({ ID, Type: 'service', Status: 'running' }))
    world.change((state, index) => {
      if (ID !== 'by-hand') state.jobSources.put(index, jobSource({ namespace: 'default', jobId: ID, commit: commit({}) }))
      if (waits)
        state.deployments.put(index, deployment({ ID: uuid(index), JobID: ID, JobCreateIndex: registered.CreateIndex, Status: 'paused' }))
      const { Name: TaskGroup } = registered.TaskGroups[0]!
      for (let at = 0; at < count; at++) {
        const ofJob = { JobID: ID, JobVersion: registered.Version, JobCreateIndex: registered.CreateIndex, TaskGroup }
        state.allocations.put(index, allocation({ ...ofJob, ID: uuid(100 * index + at), ClientStatus: 'running', DesiredStatus: 'run' }))
      }
    })
  }
  const wanted = job({}).TaskGroups[0]!.Count
  put('one', wanted)
  put('two', wanted)
  put('short', 0)
  put('paused', 0, true)
  put('by-hand', wanted)

  const { Gauges } = await metricsOf(world)
  const counts = Gauges.filter(({ Name }) => Name === 'drover.jobs').map(({ Labels: { source, sync, health }, Value }) => [
    source,
    sync,
    health,
    Value,
  ])
  expect(counts).toEqual([
    ['', 'synced', 'healthy', 1],
    ['default', 'left', 'unhealthy', 1],
    ['default', 'synced', 'healthy', 2],
    ['default', 'synced', 'unhealthy', 1],
  ])
})

test('what only grows is a counter, and each label tells which server says so', async () => {
  const { Counters } = await metricsOf(busyWorld())
  expect(Counters).toEqual([
    {
      Name: 'drover.bus.dropped_messages',
      Count: 1,
      Sum: 1,
      Min: 1,
      Max: 1,
      Mean: 1,
      Labels: { host: 'alder', region: 'global', reason: 'replayed' },
    },
    expect.objectContaining({
      Name: 'drover.source.signatures',
      Count: 2,
      Labels: expect.objectContaining({ source: 'default', result: 'good' }),
    }),
    expect.objectContaining({ Name: 'drover.source.webhooks', Count: 3, Labels: expect.objectContaining({ result: 'accepted' }) }),
  ])
})

test('for Prometheus every metric has a help and a type, and its values follow', async () => {
  const { text, headers } = await busyWorld().get('/v1/metrics?format=prometheus')
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  const blocks = text.trimEnd().split('\n\n')
  for (const block of blocks) {
    const [help, type, ...values] = block.split('\n')
    const name = /^# HELP (\S+) [A-Z].*[^.]$/.exec(help!)?.[1]
    expect(type, block).toMatch(new RegExp(`^# TYPE ${name} (gauge|counter|summary|histogram)$`))
    for (const value of values) expect(value).toMatch(new RegExp(`^${name}(_bucket|_sum|_count)?\\{[^}]*\\} [-\\d.e+]+$`))
  }
  expect(text).toContain('drover_bus_dropped_messages_total{host="alder",region="global",reason="replayed"} 1\n')
  expect(text).toContain('nomad_nomad_broker_eval_waiting_milliseconds_sum{host="alder",region="global",type="service"} 6\n')
  expect(text).toContain('drover_assignment_ack_seconds_bucket{host="alder",region="global",le="+Inf"} 1\n')
})

test('a text in a label cannot end it', async () => {
  const world = new World({ busHealth: { awayMs: 0, droppedMessages: new Map([['a "b"\\\nc', 1]]) } })
  const { text } = await world.get('/v1/metrics?format=prometheus')
  expect(text).toContain('reason="a \\"b\\"\\\\\\nc"} 1\n')
})

test('docs/metrics.md tells of each metric and of no other', async () => {
  const { Gauges, Counters, Samples } = await metricsOf(busyWorld())
  const told = new Set(
    [...Gauges, ...Counters, ...Samples].map(({ Name }) =>
      Name.replace(/^(nomad\.nomad\.\w+)\.(running|complete|successful|ready)$/, '$1.STATUS'),
    ),
  )
  const rows = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)
  expect([...rows].sort()).toEqual([...told].sort())
})
