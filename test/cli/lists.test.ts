/** Lists, output forms, names, waiting: against the API of a filled world, without a process. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  allocationsCommand,
  completionCommand,
  deploymentsCommand,
  evaluationsCommand,
  fsCommand,
  historyCommand,
  type Io,
  inspectCommand,
  jobsCommand,
  logsCommand,
  namespacesCommand,
  nodesCommand,
  runProgram,
  servicesCommand,
  statusCommand,
  type Terminal,
  whyCommand,
} from '../../src/cli/index.js'
import { filledWorld, LOG_LINE } from '../api/filled-world.js'
import { allocation, sourceStatus, uuid } from '../fixtures.js'
import { captureIo } from './captured-io.js'

const world = filledWorld({})
let address = ''
beforeAll(async () => {
  address = await world.http.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => world.http.close())

const COMMANDS = [
  statusCommand,
  whyCommand,
  logsCommand,
  historyCommand,
  inspectCommand,
  fsCommand,
  jobsCommand,
  nodesCommand,
  allocationsCommand,
  evaluationsCommand,
  deploymentsCommand,
  servicesCommand,
  namespacesCommand,
]
const commands = [...COMMANDS, completionCommand(async () => COMMANDS)]

async function drover(args: readonly string[], given: { terminal?: Terminal; fetch?: Io['fetch'] } = {}) {
  const { io, said } = captureIo({ ...given, env: { DROVER_ADDR: address } })
  return { code: await runProgram(args, io, { version: '0.1.0', commands }), ...said }
}

describe('one of them', () => {
  test('a job that others are made from is shown with these', async () => {
    world.change((state, index) => {
      const at = { CreateIndex: index, ModifyIndex: index }
      state.jobSummaries.put(index, {
        JobID: 'sweep',
        Namespace: 'default',
        Summary: {},
        Children: { Pending: 0, Running: 0, Dead: 1 },
        ...at,
      })
    })
    const { code, out } = await drover(['status', 'sweep'])
    expect(code).toBe(0)
    expect(out).toMatch(/^launched at +@daily \(UTC\)$/m)
    expect(out).toMatch(/^children: 0 pending, 0 running, 1 dead\n.*\nsweep\/periodic-1 +dead/m)
    expect(out).not.toContain('WANTED')
  })

  test('a node that is being drained is shown with what is left on it, and why', async () => {
    world.change((state, index) => {
      const here = allocation({ ID: uuid(9, 0xb0), NodeID: uuid(2, 0xa0), ClientStatus: 'running', DesiredTransition: { Migrate: true } })
      state.allocations.put(index, { ...here, CreateIndex: index, ModifyIndex: index, AllocModifyIndex: index })
    })
    const { out } = await drover(['status', 'n2'])
    expect(out).toMatch(/^draining without a deadline: 1 allocation left$/m)
    expect(out).toMatch(/^000000b0 +\S+ +is to end, and its agent has not said yet that it has$/m)
  })
})

describe('a list', () => {
  test.each([
    ['jobs', /^web +service +running/m],
    ['nodes', /^000000a0 +n1 +default +ready +\d+ +\d+\/\d+ MHz/m],
    ['allocations', /^000000b0 +web\.\S+ +n1 +v\d+ +run +/m],
    ['allocs', /^ID +NAME/],
    ['evaluations', /job-register/],
    ['deployments', /^000000d0 +web +v0/m],
    ['namespaces', /^default +\d+/m],
  ])('of %s has a line for each', async (name, expected) => {
    const { code, out, err } = await drover([name])
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(expected)
  })

  test('tells when there is nothing, which is no mistake', async () => {
    expect(await drover(['jobs', 'nothing-like-it'])).toEqual({ code: 0, out: '', err: 'no jobs called nothing-like-it\n' })
  })

  test("is filtered by the API, and a filter that is none is told in the API's words", async () => {
    const all = JSON.parse((await drover(['allocations', '-o', 'json'])).out) as readonly unknown[]
    const some = JSON.parse(
      (await drover(['allocations', '-o', 'json', '--filter', 'ClientStatus == "running"'])).out,
    ) as readonly unknown[]
    expect(some.length).toBeGreaterThan(0)
    expect(some.length).toBeLessThan(all.length)
    expect((await drover(['allocations', '--filter', '=='])).code).toBe(1)
  })

  test('is sorted by a column, either way, and by none that is not there', async () => {
    const order = async (sort: string) => (await drover(['allocations', '-o', 'name', '--sort', sort])).out.trim().split('\n')
    expect(await order('-name')).not.toEqual(await order('name'))
    expect((await drover(['allocations', '--sort', 'colour'])).err).toMatch(/have no column colour; there are id, name/)
  })

  test('has more columns in the wide form, and other forms for programs', async () => {
    expect((await drover(['nodes', '--wide'])).out).toMatch(/DATACENTER/)
    expect((await drover(['nodes', '-o', 'name'])).out).toBe('n1\nn2\n')
    expect((await drover(['nodes', '-o', 'yaml'])).out).toMatch(/^- Address: /)
    expect((await drover(['nodes', '-o', 'xml'])).err).toMatch(/-o takes one of table, wide, name, json, yaml, not xml/)
  })

  test('fits the terminal that it is shown on, and is painted only where there are colours', async () => {
    const { out } = await drover(['allocations', '--wide'], { terminal: { columns: 88, hasColours: false } })
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(88)
    expect(out).not.toContain('\u001b')
    expect((await drover(['allocations'], { terminal: { columns: 200, hasColours: true } })).out).toContain('\u001b[32mrunning\u001b[39m')
  })
})

describe('names', () => {
  test('the beginning of a job id is enough everywhere', async () => {
    expect((await drover(['logs', 'we'])).out).toBe(LOG_LINE)
    expect((await drover(['history', 'we'])).code).toBe(0)
    expect(JSON.parse((await drover(['inspect', 'we'])).out)).toEqual(await world.json('/v1/job/web'))
  })

  test('a job whose file was never sound is told with the mistakes of its file', async () => {
    const mistake = { path: 'jobs/cron.nomad.hcl', line: 3, column: 5, summary: 'odd', detail: '', snippet: '' }
    world.change((state, index) => {
      state.sources.put(index, { ...sourceStatus(), modifyIndex: index })
      state.frozenFiles.put(index, { path: mistake.path, blob: 'b', namespace: null, jobId: null, mistakes: [mistake] })
    })
    for (const command of ['status', 'why'])
      expect(await drover([command, 'cron'])).toMatchObject({
        code: 1,
        err: 'drover: job cron has never run, since its file has mistakes:\n  jobs/cron.nomad.hcl:3:5: odd\n',
      })
  })

  test('what another namespace has is told', async () => {
    expect((await drover(['status', '-n', 'nowhere', 'web'])).err).toContain('another namespace has job web: look there with -n NAMESPACE')
  })
})

describe('history, files, waiting', () => {
  test('history tells the commit of each version', async () => {
    expect((await drover(['history', 'web'])).out).toMatch(/^VERSION +AGE +STABLE +COMMIT\nv0 +/)
  })

  test('a roll-out that went well ends waiting with 0', async () => {
    world.change((state, index) => {
      const [deployment] = state.deployments.all()
      state.deployments.put(index, { ...deployment!, Status: 'successful', ModifyIndex: index })
    })
    expect(await drover(['status', 'web', '--wait'])).toMatchObject({ code: 0, err: expect.stringContaining('successful') as string })
  })

  test('one that failed ends it with 2, and one that goes on with 3 when the time is over', async () => {
    const put = (Status: 'failed' | 'running') =>
      world.change((state, index) => {
        const [deployment] = state.deployments.all()
        state.deployments.put(index, { ...deployment!, Status, ModifyIndex: index })
      })
    put('failed')
    expect((await drover(['status', 'web', '--wait'])).code).toBe(2)
    put('running')
    expect((await drover(['status', 'web', '--wait', '--timeout', '1ms'])).code).toBe(3)
  })

  test('only the last lines of a log are printed where so many are asked for', async () => {
    expect((await drover(['logs', uuid(2, 0xb0), '--tail', '1'])).out).toBe(LOG_LINE)
    expect((await drover(['logs', uuid(2, 0xb0), '--tail', 'x'])).err).toContain('--tail takes a number of lines')
  })
})

describe('trouble', () => {
  test('a server that does not answer in time is told, with the way to wait longer', async () => {
    const never: Io['fetch'] = (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))))
    const { code, err } = await drover(['jobs', '--request-timeout', '20ms'], { fetch: never })
    expect(code).toBe(1)
    expect(err).toMatch(/has not answered within 0\.02 s .*; try again, or give it longer with --request-timeout\n$/)
  })

  test('what answers and is no Drover server is told', async () => {
    const { err } = await drover(['jobs'], { fetch: async () => new Response('', { status: 404 }) })
    expect(err).toMatch(/^drover: what answers at .* is no Drover server/)
  })

  test('programs get mistakes in their own form', async () => {
    const { code, err } = await drover(['status', 'nothing-like-it', '--json'])
    expect([code, JSON.parse(err)]).toEqual([
      1,
      { error: { message: expect.stringContaining('nothing is called') as string, exitCode: 1 } },
    ])
  })
})

test.each(['bash', 'zsh', 'fish'])('the script for %s knows every command', async (shell) => {
  const { code, out } = await drover(['completion', shell])
  expect(code).toBe(0)
  for (const { name } of COMMANDS) expect(out).toContain(name)
})
