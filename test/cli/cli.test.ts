import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import {
  eventsCommand,
  type Io,
  type JobFileReading,
  type JobFiles,
  logsCommand,
  planCommand,
  renderCommand,
  runProgram,
  statusCommand,
  validateCommand,
  whyCommand,
} from '../../src/cli/index.js'
import { CommitPlanner } from '../../src/controller/commit-planner.js'
import { summarizeTree, WORK_TREE_HISTORY } from '../../src/controller/index.js'
import { FIRST_SOURCE } from '../../src/controller/sources/source-scope.js'
import type { Job, JobExplanation } from '../../src/domain/index.js'
import { filledWorld, LOG_LINE } from '../api/filled-world.js'
import { evaluation, job, jobSource, sourceStatus, uuid } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { captureIo } from './captured-io.js'

const SOUND: JobFileReading = { kind: 'job', path: 'jobs/web.nomad.hcl', namespace: 'default', id: 'web', job: job(), warnings: [] }
const WRONG: JobFileReading = {
  kind: 'mistakes',
  path: 'jobs/odd.nomad.hcl',
  mistakes: [{ path: 'jobs/odd.nomad.hcl', line: 3, column: 5, summary: 'no', detail: '', text: 'jobs/odd.nomad.hcl:3:5: no' }],
}

const EXPLANATION: JobExplanation = {
  namespace: 'default',
  job: 'web',
  version: 0,
  deployment: null,
  standing: { version: 0, commit: null, revertOf: null, setAside: null },
  groups: [
    {
      group: 'group',
      wanted: 2,
      running: 1,
      placements: [
        { code: 'new', group: 'group', allocation: { name: 'web.group[0]', id: 'a' }, facts: {}, text: 'web.group[0] is on n1: …' },
      ],
      stops: [],
      missing: [
        {
          code: 'no-room',
          group: 'group',
          allocation: null,
          facts: { nodes: [{ node: 'n1', verdict: 'exhausted', reason: 'memory' }] },
          text: '1 of group group has no node: of 1 node(s) 1 lack memory',
        },
      ],
    },
  ],
}

let explanation = EXPLANATION
/** Nothing of a plan but the difference matters here. */
const planner = {
  explain: async () => explanation,
  plan: async (next: Job) => {
    const parts = { Stops: [], Placements: [], Updates: [], Preemptions: [], Deployment: null, DeploymentUpdates: [], Annotations: null }
    return {
      result: { plan: { EvalID: '', Namespace: next.Namespace, JobID: next.ID, ...parts }, evaluation: evaluation(), created: [] },
      reasons: [],
      usage: { pool: next.NodePool, before: { cpuMhz: 0, memoryMb: 0 }, after: { cpuMhz: 500, memoryMb: 256 } },
      index: 1,
      job: next,
    }
  },
}
const world = filledWorld({
  planner,
  commitPlanner: {
    plan: (summary) => {
      const asked = { state: world.state, clock: systemClock, breathe: async () => {}, whenDurable: async () => {} }
      return new CommitPlanner(asked, new SeededRandom(1), () => ({ scope: FIRST_SOURCE, rewind: 'hold' })).plan(summary)
    },
  },
})
let address = ''
let readings: readonly JobFileReading[] = [SOUND]

beforeAll(async () => {
  address = await world.http.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => world.http.close())

async function drover(
  args: readonly string[],
  env: Io['env'] = { DROVER_ADDR: address },
  /** Ctrl-C once this was printed. */
  until?: RegExp,
): Promise<{ code: number; out: string; err: string }> {
  const files: JobFiles = {
    read: async () => readings,
    readDeclarations: async () => [],
    findStrays: async () => [],
    knows: async () => true,
    summarize: async ({ paths }) => ({
      readings,
      otherMistakes: [],
      summary: summarizeTree(readings, null, WORK_TREE_HISTORY, paths.length === 0),
    }),
  }
  const load = async () => files
  const stop = new AbortController()
  const { io, said } = captureIo({ env, signal: stop.signal }, (all) => {
    if (until?.test(all) === true) stop.abort()
  })
  const commands = [statusCommand, logsCommand, eventsCommand, validateCommand(load), renderCommand(load), planCommand(load), whyCommand]
  const code = await runProgram(args, io, { version: '0.1.0', commands })
  return { code, ...said }
}

describe('why', () => {
  test('tells what is missing, node by node, and what is there', async () => {
    const { code, out } = await drover(['why', 'web'])
    expect([code, out]).toEqual([
      0,
      [
        'group group: 1 of 2 run',
        '  missing',
        '    1 of group group has no node: of 1 node(s) 1 lack memory',
        '      n1 lacks memory',
        '  there',
        '    web.group[0] is on n1: …',
        '',
      ].join('\n'),
    ])
  })

  test('of a driver that hosts lack it tells what they say of it', async () => {
    const [group] = EXPLANATION.groups
    const facts = { nodes: [{ node: 'n1', verdict: 'filtered', reason: 'missing drivers' }] as const }
    const missing = [{ ...group!.missing[0]!, facts, text: '1 of group group has no node' }]
    explanation = { ...EXPLANATION, groups: [{ ...group!, missing, placements: [] }] }
    const [node] = [...world.state.nodes.values()]
    world.change((state, index) => state.nodes.put(index, { ...node!, Drivers: {} }))
    const { out } = await drover(['why', 'web'])
    world.change((state, index) => state.nodes.put(index, node!))
    explanation = EXPLANATION
    expect(out).toContain(`      n1 fails missing drivers\n    mock on ${node!.Name}: this agent has no such driver\n`)
  })

  test('--json prints codes and facts', async () => {
    expect(JSON.parse((await drover(['why', 'web', '--json'])).out)).toEqual({ ...EXPLANATION, waiting: null })
  })

  test('what a change waits for stands before all that, also of a job that is not there yet', async () => {
    const order = { dependsOn: [], bundle: '', suspend: { untilMs: Date.UTC(2099, 0, 1), reason: 'freeze' }, hooks: [] }
    for (const jobId of ['web', 'new'])
      world.change((state, index) => {
        const source = jobSource({ namespace: 'default', jobId, path: `jobs/${jobId}.nomad.hcl`, order })
        const change = { namespace: 'default', jobId, bundle: '', job: job({ ID: jobId }), source, commit: 'c0ffee00', sinceMs: Date.now() }
        state.waitingChanges.put(index, change)
      })
    const waits = /^web stays as it is: what commit c0ffee00 wants waits since \ds: suspended until 2099-01-01T00:00:00Z: freeze\n/
    expect((await drover(['why', 'web'])).out).toMatch(waits)
    expect((await drover(['status'])).err).toMatch(/^new is not there yet: .*\nweb stays as it is: /m)
    expect((await drover(['status', 'web'])).out).toMatch(/waits +stays as it is: what commit c0ffee00 wants/)
    expect((await drover(['why', 'new'])).err).toMatch(/^drover: job new is not there yet: what commit c0ffee00 wants waits/)
    world.change((state, index) => {
      for (const key of [...state.waitingChanges.keys()]) state.waitingChanges.delete(index, key)
    })
  })

  test('a job that is not there is one sentence and exit code 1', async () => {
    const { code, err } = await drover(['why', 'nothing-like-it'])
    expect(code).toBe(1)
    expect(err).toMatch(/^drover: no job is called nothing-like-it in namespace default; .*\n$/)
  })
})

describe('status', () => {
  test('lists every job with its type, status and commit', async () => {
    const { code, out } = await drover(['status'])
    expect(code).toBe(0)
    expect(out).toMatch(/^ID +TYPE +STATUS +RUNNING +AGE +COMMIT\n/)
    expect(out).toMatch(/^web +service +running +1\/1 +\S+ +01234567 web: first version$/m)
  })

  test('a file with a mistake is told with its place on standard error', async () => {
    const mistake = { path: 'jobs/web.nomad.hcl', line: 3, column: 5, summary: 'odd', detail: '', snippet: '' }
    const frozen = [{ path: 'jobs/web.nomad.hcl', blob: 'b', namespace: 'default', jobId: 'web', mistakes: [mistake] }]
    world.change((state, index) => {
      state.sources.put(index, { ...sourceStatus(), modifyIndex: index })
      for (const file of frozen) state.frozenFiles.put(index, file)
    })
    const { err } = await drover(['status'])
    expect(err).toContain('jobs/web.nomad.hcl:3:5: odd (job web stays as it was)')
  })

  test.each([
    ['a job', 'web', /^job +web$/m],
    ['an allocation by the beginning of its id', uuid(2, 0xb0), /^allocation +000000b0/m],
    ['a node by its name', 'n1', /^node +000000a0/m],
    ['an evaluation', uuid(1, 0xc0), /^triggered by +job-register$/m],
    ['a deployment', uuid(1, 0xd0), /^deployment +000000d0/m],
  ])('shows %s', async (_, id, expected) => {
    const { code, out, err } = await drover(['status', id])
    expect(err).not.toContain('drover:')
    expect(out).toMatch(expected)
    expect(code).toBe(0)
  })

  test('--json prints what the API answered and nothing else', async () => {
    const { out } = await drover(['status', 'web', '--json'])
    expect(JSON.parse(out)).toEqual(await world.json('/v1/job/web'))
  })

  test('an unknown id is one sentence and exit code 1', async () => {
    const { code, out, err } = await drover(['status', 'nothing-like-it'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/^drover: nothing is called nothing-like-it in namespace default;.*\n$/)
  })

  test('an ambiguous beginning lists what it could be', async () => {
    const { code, err } = await drover(['status', '000000b0'])
    expect(code).toBe(1)
    expect(err).toContain('is the beginning of 6 ids')
  })
})

describe('where to ask', () => {
  test.each(['ftp://a', 'http://', 'http://[::1'])('an address that is no http or https URL is refused: %s', async (given) => {
    const { code, err } = await drover(['status', '--address', given])
    expect([code, err]).toEqual([1, `drover: the address "${given}" is no http or https URL, such as http://127.0.0.1:4646\n`])
  })

  test("Nomad's address is used when Drover's is absent, and the option wins over both", async () => {
    expect((await drover(['status'], { NOMAD_ADDR: address })).code).toBe(0)
    expect((await drover(['status', '--address', address], { DROVER_ADDR: 'http://127.0.0.1:1' })).code).toBe(0)
  })

  test('a server that does not answer is told with its address and what to do', async () => {
    const { code, err } = await drover(['status'], { DROVER_ADDR: '127.0.0.1:1' })
    expect(code).toBe(1)
    expect(err).toMatch(/^drover: no server answers at http:\/\/127\.0\.0\.1:1 \(.+\); start one with "drover dev"/)
  })

  test('a namespace without the job does not have it', async () => {
    expect((await drover(['status', 'web'], { DROVER_ADDR: address, NOMAD_NAMESPACE: 'other' })).code).toBe(1)
  })
})

describe('logs', () => {
  test.each([['web'], [uuid(2, 0xb0)], ['000000b0-0000-4000-8000-000000000002']])('prints the output of %s', async (name) => {
    expect(await drover(['logs', name])).toEqual({ code: 0, out: LOG_LINE, err: '' })
  })

  test('a task that the allocation has not is refused by name', async () => {
    const { code, err } = await drover(['logs', 'web', 'nope'])
    expect(code).toBe(1)
    expect(err).toContain('unknown task name "nope"')
  })
})

describe('events', () => {
  test('what happened is printed until Ctrl-C', async () => {
    const { code, out } = await drover(['events', '--topic', 'Job:web', '--topic', 'Node'], undefined, /JobRegistered +default\/web\n/)
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+ +Job +JobRegistered +default\/web$/m)
    expect(out).not.toContain('courier')
  })
})

const CAPACITY = 'pool default, 1 host: cpu 300 -> 800 of 4000 MHz (20%), memory 900 -> 1156 of 8192 MiB (14%)\n'

describe('job files', () => {
  test('validate is content with sound files', async () => {
    readings = [SOUND]
    expect(await drover(['validate'])).toEqual({ code: 0, out: '', err: '1 file sound\n' })
  })

  test('validate tells every mistake with its place and exits with 1', async () => {
    readings = [SOUND, WRONG]
    const { code, err } = await drover(['validate'])
    expect([code, err]).toEqual([1, 'jobs/odd.nomad.hcl:3:5: no\n1 mistake in 1 of 2 files\n'])
  })

  test('render prints the stored form', async () => {
    readings = [SOUND]
    expect(JSON.parse((await drover(['render', 'jobs/web.nomad.hcl'])).out)).toEqual(job())
  })

  test.each([
    ['an unchanged job', { ...SOUND, job: world.state.jobs.get('default\u0000web')! }, 0, ''],
    [
      'a changed job',
      { ...SOUND, job: { ...world.state.jobs.get('default\u0000web')!, Priority: 70 } },
      1,
      `~ web  changed  (jobs/web.nomad.hcl)\n    ~ Priority: "50" -> "70"\n${CAPACITY}`,
    ],
    [
      'a new job',
      { ...SOUND, id: 'new', path: 'jobs/new.nomad.hcl', job: job({ ID: 'new' }) },
      1,
      `+ new  new  (jobs/new.nomad.hcl)\n${CAPACITY}`,
    ],
  ])('plan of %s tells it by text and exit code', async (_, reading, code, out) => {
    readings = [reading]
    expect(await drover(['plan', 'jobs/web.nomad.hcl'])).toMatchObject({ code, out })
  })

  test('plan of the whole tree tells which jobs would go', async () => {
    readings = []
    expect(await drover(['plan'])).toMatchObject({
      code: 1,
      out: '- web  removed  (jobs/web.nomad.hcl)\npool default, 1 host: cpu 300 -> 0 of 4000 MHz (0%), memory 900 -> 0 of 8192 MiB (0%)\n',
    })
  })

  test('plan tells what else would happen beside a file with mistakes, and exits as for one that cannot tell', async () => {
    readings = [WRONG, { ...SOUND, id: 'new', path: 'jobs/new.nomad.hcl', job: job({ ID: 'new' }) }]
    const { code, out, err } = await drover(['plan'])
    expect(code).toBe(255)
    expect(out).toBe(`+ new  new  (jobs/new.nomad.hcl)\n! jobs/odd.nomad.hcl  has mistakes\n${CAPACITY}`)
    expect(err).toContain('jobs/odd.nomad.hcl:3:5: no')
    // The file could be the job's under a new name.
    expect(err).toContain('held (unreadable-files) web')
  })

  test('plan cannot tell anything without a server', async () => {
    readings = [SOUND]
    expect((await drover(['plan'], { DROVER_ADDR: '127.0.0.1:1' })).code).toBe(255)
  })
})

describe('the program', () => {
  test.each([
    [['status', '--colour'], 'unknown option'],
    [['fly'], 'unknown command'],
    [['logs'], 'missing required argument'],
  ])('%j is one sentence and exit code 1', async (args, expected) => {
    const { code, out, err } = await drover(args)
    expect([code, out]).toEqual([1, ''])
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).toContain(expected)
  })

  test('every command lists its exit codes', async () => {
    for (const name of ['status', 'logs', 'events', 'validate', 'render', 'plan']) {
      const { code, out } = await drover([name, '--help'])
      expect(code).toBe(0)
      expect(out).toMatch(/Exit codes:\n +0 +/)
    }
  })
})
