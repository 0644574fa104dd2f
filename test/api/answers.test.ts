import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { OrchestratorError } from '../../src/domain/index.js'
import { allocation, job, jobSource, node, task, taskGroup, uuid } from '../fixtures.js'
import { filledWorld, LOG_LINE } from './filled-world.js'
import { World } from './world.js'

describe('jobs', () => {
  test('a job is answered as it is stored', async () => {
    const world = new World()
    const web = world.register(job())
    expect(await world.json('/v1/job/web')).toEqual(web)
  })

  test('an id with slashes is found raw and encoded', async () => {
    const world = new World()
    world.register(job({ ID: 'sweep/periodic-1' }))
    expect(await world.json('/v1/job/sweep/periodic-1')).toEqual(await world.json('/v1/job/sweep%2Fperiodic-1'))
    expect((await world.get('/v1/job/sweep/periodic-1/summary')).status).toBe(200)
  })

  test('a list shows the new summary of a job that did not change itself', async () => {
    const world = new World()
    world.register(job())
    const group = { Queued: 0, Complete: 0, Failed: 0, Running: 0, Starting: 0, Lost: 0, Unknown: 0 }
    const put = (Running: number) =>
      world.change((state, index) =>
        state.jobSummaries.put(index, {
          JobID: 'web',
          Namespace: 'default',
          Summary: { group: { ...group, Running } },
          Children: null,
          CreateIndex: 1,
          ModifyIndex: index,
        }),
      )
    put(1)
    await world.json('/v1/jobs')
    put(2)
    expect(await world.json('/v1/jobs')).toMatchObject([{ JobSummary: { Summary: { group: { Running: 2 } } } }])
  })

  test('the versions are newest first, with one difference fewer', async () => {
    const world = new World()
    for (const Version of [0, 1, 2]) world.register(job({ Version, Priority: 50 + Version }))
    const { Versions, Diffs } = (await world.json('/v1/job/web/versions?diffs=true')) as {
      Versions: { Version: number }[]
      Diffs: { Fields: { Old: string; New: string }[] }[]
    }
    expect(Versions.map(({ Version }) => Version)).toEqual([2, 1, 0])
    expect(Diffs.map(({ Fields }) => Fields.map(({ Old, New }) => `${Old}→${New}`))).toEqual([['51→52'], ['50→51']])
  })

  test('the submission is the text of the file that made the newest version', async () => {
    const world = new World({ sourceTexts: { read: async (source, blob) => `text of ${blob} in ${source}` } })
    world.register(job())
    world.change((state, index) => state.jobSources.put(index, jobSource()))
    expect(await world.json('/v1/job/web/submission?version=0')).toMatchObject({
      Source: 'text of b10b in default',
      Format: 'hcl2',
      Version: 0,
    })
    expect((await world.get('/v1/job/web/submission?version=1')).status).toBe(404)
  })

  test('actions name their task and group', async () => {
    const world = new World()
    const Actions = [{ Name: 'greet', Command: '/bin/echo', Args: ['hello'] }]
    world.register(job({ TaskGroups: [taskGroup({ Tasks: [task({ Actions })] })] }))
    expect(await world.json('/v1/job/web/actions')).toEqual([
      { Name: 'greet', Command: '/bin/echo', Args: ['hello'], TaskName: 'main', TaskGroupName: 'group' },
    ])
  })
})

describe('allocations', () => {
  test('an allocation carries the version it runs and none of the internal members', async () => {
    const world = new World()
    const first = world.register(job())
    world.change((state, index) =>
      state.allocations.put(index, { ...allocation({ JobCreateIndex: first.CreateIndex }), CreateIndex: index, ModifyIndex: index }),
    )
    world.register(job({ Version: 1 }))
    const answer = (await world.json(`/v1/allocation/${uuid(1, 0xb0)}`)) as Record<string, unknown>
    expect(answer).toMatchObject({ Job: { Version: 0 }, Resources: { CPU: 100, MemoryMB: 300, DiskMB: 300 } })
    expect(Object.keys(answer)).not.toContain('JobVersion')
    expect(Object.keys(answer)).not.toContain('JobCreateIndex')
  })

  test('an allocation that is to move has every member of its transition, one that is not has none', async () => {
    const world = new World()
    world.change((state, index) => {
      state.allocations.put(index, allocation({ ID: uuid(1, 0xb0), DesiredTransition: { Migrate: true } }))
      state.allocations.put(index, allocation({ ID: uuid(2, 0xb0) }))
    })
    const none = { Reschedule: null, ForceReschedule: null, NoShutdownDelay: null, MigrateDisablePlacement: null }
    expect(await world.json(`/v1/allocation/${uuid(1, 0xb0)}`)).toMatchObject({ DesiredTransition: { Migrate: true, ...none } })
    expect(await world.json(`/v1/allocation/${uuid(2, 0xb0)}`)).not.toHaveProperty('DesiredTransition')
  })

  test('what an earlier job of the same id left is shown only when all is asked for', async () => {
    const world = new World()
    const web = world.register(job())
    world.change((state, index) => {
      const at = { CreateIndex: index, ModifyIndex: index }
      state.allocations.put(index, { ...allocation({ JobCreateIndex: web.CreateIndex }), ...at })
      state.allocations.put(index, { ...allocation({ ID: uuid(2, 0xb0), JobCreateIndex: web.CreateIndex + 100 }), ...at })
    })
    expect(await world.json('/v1/job/web/allocations')).toHaveLength(1)
    expect(await world.json('/v1/job/web/allocations?all=true')).toHaveLength(2)
  })
})

describe('nodes', () => {
  test('clients before 2.0 find what a node has', async () => {
    const world = new World()
    world.change((state, index) => state.nodes.put(index, { ...node(), CreateIndex: index, ModifyIndex: index }))
    expect(await world.json(`/v1/node/${uuid(1, 0xa0)}`)).toMatchObject({
      Drain: false,
      SecretID: '',
      Resources: { CPU: 4000, MemoryMB: 8192, DiskMB: 50_000 },
      Reserved: { CPU: 0, MemoryMB: 0, DiskMB: 0 },
    })
  })
})

describe('files and logs', () => {
  const id = uuid(2, 0xb0)

  test('logs come as frames back to back, and plain when asked for', async () => {
    const world = filledWorld()
    const framed = await world.get(`/v1/client/fs/logs/${id}?task=main&type=stdout`)
    expect(JSON.parse(framed.text)).toEqual({
      Data: Buffer.from(LOG_LINE).toString('base64'),
      File: 'alloc/logs/main.stdout.0',
      Offset: LOG_LINE.length,
    })
    const plain = await world.get(`/v1/client/fs/logs/${id}?task=main&type=stdout&plain=true`)
    expect([plain.text, plain.headers['content-type']]).toEqual([LOG_LINE, 'text/plain; charset=utf-8'])
  })

  describe('when lines were written', () => {
    /** Three pieces, of which the second begins within a line, and one of which nobody knows the time. */
    async function* call(_nodeId: string, _method: string, request: unknown) {
      asked.push(request)
      const piece = (text: string, atMs?: number) => ({
        file: 'alloc/logs/main.stdout.0',
        offsetBytes: 0,
        data: Buffer.from(text),
        ...(atMs === undefined ? {} : { atMs }),
      })
      yield piece('older\nbe', undefined)
      yield piece('gun\n\nlast', Date.UTC(2026, 10, 30, 12, 0, 5, 678))
    }
    const asked: unknown[] = []
    const path = `/v1/client/fs/logs/${id}?task=main&type=stdout&plain=true`

    test('is put before each of them, to the second', async () => {
      const { text } = await filledWorld({ agents: { call: call as never } }).get(`${path}&timestamps=true&since=2026-11-30T12:00:00.5Z`)
      expect(text).toBe('- older\n- begun\n2026-11-30T12:00:05Z \n2026-11-30T12:00:05Z last')
      expect(asked).toMatchObject([{ withTimes: true, sinceMs: Date.UTC(2026, 10, 30, 12, 0, 0, 500) }])
    })

    test.each([
      ['since=yesterday', 'since takes a time such as 2026-11-30T12:00:00Z, not yesterday'],
      ['since=2026-11-30T12:00:00Z&offset=3', 'since says where to begin: it goes with neither origin nor offset'],
      ['timestamps=true&plain=false', 'timestamps are of lines: they need plain=true'],
      ['timestamps=maybe', 'failed to parse timestamps field to boolean: strconv.ParseBool: parsing "maybe": invalid syntax'],
    ])('%s is refused', async (query, reason) => {
      const answer = await filledWorld({ agents: { call: call as never } }).get(
        `/v1/client/fs/logs/${id}?task=main&type=stdout&${query.includes('plain') ? '' : 'plain=true&'}${query}`,
      )
      expect([answer.status, answer.text]).toEqual([400, reason])
    })

    test('that nobody knows is said by the agent', async () => {
      const said = 'when task "main" wrote its log is not known: an older agent kept it'
      const agents = {
        // biome-ignore lint/correctness/useYield: an agent that refuses sends nothing
        async *call() {
          throw new OrchestratorError('NO_LOG_TIMES', said)
        },
      }
      const answer = await filledWorld({ agents }).get(`${path}&since=2026-11-30T12:00:00Z`)
      expect([answer.status, answer.text]).toEqual([500, said])
    })
  })

  test('secrets are refused in the words and with the status of each route', async () => {
    const said = 'Reading secret file prohibited: /main/secrets/key'
    const world = filledWorld({
      agents: {
        // biome-ignore lint/correctness/useYield: an agent that refuses sends nothing
        async *call() {
          throw new OrchestratorError('SECRET_FILE', said)
        },
      },
    })
    for (const [route, status] of [
      ['cat', 200],
      ['readat', 200],
      ['stream', 500],
    ] as const) {
      const answer = await world.get(`/v1/client/fs/${route}/${id}?path=/main/secrets/key&offset=0&limit=1`)
      expect([route, answer.status, answer.text]).toEqual([route, status, said])
    }
  })

  test('an agent that does not answer is no path to the node', async () => {
    const world = new World()
    const web = world.register(job())
    world.change((state, index) =>
      state.allocations.put(index, { ...allocation({ JobCreateIndex: web.CreateIndex }), CreateIndex: index, ModifyIndex: index }),
    )
    const { status, text } = await world.get(`/v1/client/fs/ls/${uuid(1, 0xb0)}`)
    expect([status, text]).toEqual([404, 'No path to node'])
  })
})

describe('writes', () => {
  test('a change of a job names the file to edit', async () => {
    const world = new World()
    world.register(job())
    world.change((state, index) => state.jobSources.put(index, jobSource({ path: 'jobs/front/web.nomad.yaml' })))
    const { status, text } = await world.send('DELETE', '/v1/job/web')
    expect(status).toBe(403)
    expect(text).toBe('job web is defined in the repository, in jobs/front/web.nomad.yaml; delete that file and commit')
  })

  test.each([
    ['PUT', '/v1/jobs', 'jobs/<job>.nomad.hcl'],
    ['POST', '/v1/job/web/dispatch', 'Drover-Dispatch: web'],
    ['PUT', '/v1/job/web/periodic/force', 'Drover-Force: web'],
    ['PUT', '/v1/deployment/promote/00000000-0000-4000-8000-000000000001', 'Drover-Promote: 00000000-0000-4000-8000-000000000001'],
    ['POST', '/v1/namespace/ops', 'jobs/ops'],
    ['PUT', '/v1/operator/scheduler/configuration', 'agents/_cluster.hcl'],
  ])('%s %s says %s', async (method, path, expected) => {
    const { status, text } = await new World().send(method, path, {})
    expect(status).toBe(403)
    expect(text).toContain(expected)
  })
})

describe('transport', () => {
  test('a large answer is packed for who can unpack it, and is the same', async () => {
    const world = filledWorld()
    const plain = (await world.get('/v1/job/web')).text
    const packed = await world.inject({ url: '/v1/job/web', headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(packed.rawPayload).toString()).toBe(plain)
  })

  test('instants are written in full digits', async () => {
    const world = new World()
    world.register(job({ SubmitTime: 1_795_427_780_123_000_000 }))
    expect((await world.get('/v1/job/web')).text).toContain('"SubmitTime":1795427780123000000')
  })

  test('pretty is four spaces and a newline', async () => {
    expect((await new World().get('/v1/regions?pretty')).text).toBe('[\n    "global"\n]\n')
  })

  test('pages of other origins may read files and not jobs', async () => {
    const world = new World()
    const ask = (url: string) =>
      world.inject({ method: 'OPTIONS', url, headers: { origin: 'http://ui.example', 'access-control-request-method': 'GET' } })
    expect((await ask('/v1/client/fs/logs/x')).headers['access-control-allow-origin']).toBe('*')
    expect((await ask('/v1/jobs')).statusCode).toBe(405)
  })

  test('the root leads to the page and keeps the query', async () => {
    const { status, headers } = await new World().get('/?token=x')
    expect([status, headers['location']]).toEqual([307, '/ui/?token=x'])
  })
})

describe('search', () => {
  test('an exact id comes first, and more than twenty are cut', async () => {
    const world = new World()
    for (let number = 0; number < 25; number++) world.register(job({ ID: `web${number}` }))
    world.register(job({ ID: 'web' }))
    const { text } = await world.send('PUT', '/v1/search', { Prefix: 'web', Context: 'jobs' })
    const { Matches, Truncations } = JSON.parse(text)
    expect([Matches.jobs[0], Matches.jobs.length, Truncations.jobs]).toEqual(['web', 20, true])
  })

  test('a part of a name is found wherever it stands, nearest to the beginning first', async () => {
    const world = new World()
    for (const ID of ['a-lamp', 'lamp', 'lampshade']) world.register(job({ ID }))
    const { text } = await world.send('POST', '/v1/search/fuzzy', { Text: 'LAMP', Context: 'jobs' })
    expect(JSON.parse(text).Matches.jobs.map(({ ID }: { ID: string }) => ID)).toEqual(['lamp', 'lampshade', 'a-lamp'])
  })
})
