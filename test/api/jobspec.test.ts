import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Planner } from '../../src/api/index.js'
import type { Job } from '../../src/domain/index.js'
import { allocation, evaluation, job } from '../fixtures.js'
import { World } from './world.js'

interface RecordedParse {
  readonly name: string
  readonly request: { readonly body?: { readonly Canonicalize?: boolean }; readonly text?: string }
  readonly response: { readonly status: number; readonly body?: unknown; readonly text?: string }
}

const NOTHING_PLANNED = {
  Stops: [],
  Placements: [],
  Updates: [],
  Preemptions: [],
  Deployment: null,
  DeploymentUpdates: [],
}
const ANNOTATIONS = { DesiredTGUpdates: {}, PreemptedAllocs: null }

/** Preempts one allocation of another job for one of `greedy`, else plans nothing; remembers what it was asked. */
function recordingPlanner(asked: Job[]): Planner {
  return {
    explain: async () => undefined,
    plan: async (next) => {
      asked.push(next)
      const Annotations = { ...ANNOTATIONS, PreemptedAllocs: next.ID === 'greedy' ? [allocation({ Name: 'meek.group[0]' })] : null }
      const plan = { ...NOTHING_PLANNED, EvalID: '', Namespace: next.Namespace, JobID: next.ID, Annotations }
      return {
        result: { plan, evaluation: evaluation(), created: [] },
        reasons: [],
        index: 7,
        job: next,
        usage: { pool: next.NodePool, before: { cpuMhz: 0, memoryMb: 0 }, after: { cpuMhz: 500, memoryMb: 256 } },
      }
    },
  }
}

const asked: Job[] = []
const world = new World({
  planner: recordingPlanner(asked),
})

beforeAll(() => {
  world.change((state, index) => {
    const at = { CreateIndex: index, ModifyIndex: index }
    const namespace = { Description: '', Quota: '', Capabilities: null, Meta: null, NodePoolConfiguration: null }
    state.namespaces.put(index, { Name: 'default', ...namespace, ...at })
    state.nodePools.put(index, { Name: 'default', Description: '', Meta: null, SchedulerConfiguration: null, NodeIdentityTTL: 0, ...at })
  })
})

describe('parse', () => {
  const recorded = JSON.parse(readFileSync('test/vectors/data/api/cases/jobs-parse.json', 'utf8')) as readonly RecordedParse[]
  const plain = recorded.filter(({ request, response }) => response.status === 200 && request.body?.Canonicalize !== true)

  test.each(plain.map((record) => [record.name, record] as const))(
    '%s is answered as Nomad answers it',
    async (_, { request, response }) => {
      const { status, text } = await world.send('POST', '/v1/jobs/parse', request.body)
      expect(status).toBe(200)
      expect(JSON.parse(text)).toEqual(response.body)
    },
  )

  const wrong = recorded.filter(({ response }) => response.status !== 200)
  test.each(wrong.map((record) => [record.name, record] as const))(
    '%s is refused at the place where Nomad refuses it',
    async (_, { request, response }) => {
      const { status, text } = await world.send('POST', '/v1/jobs/parse', request.body ?? request.text)
      expect(status).toBe(response.status)
      const place = /input\.hcl:\d+,\d+-[\d,]+/.exec(response.text ?? '')?.[0]
      if (place !== undefined && !response.text!.includes('for variable')) expect(text).toContain(place)
    },
  )
})

describe('validate', () => {
  test('what is wrong with a job is told as text and as list', async () => {
    const { text } = await world.send('PUT', '/v1/validate/job', { Job: { ID: 'a b', Name: 'a', Type: 'batch', Datacenters: ['*'] } })
    expect(JSON.parse(text)).toEqual({
      DriverConfigValidated: true,
      ValidationErrors: ['Job ID contains a space', 'Missing job task groups'],
      Error: '2 errors occurred:\n\t* Job ID contains a space\n\t* Missing job task groups\n\n',
      Warnings: '',
    })
  })

  test.each([
    [{}, 'Job must be specified'],
    [{ Job: { ID: 5 } }, 'json: cannot unmarshal number into Go struct field Job.Job.ID of type string'],
    [{ Job: { TaskGroups: [{ Count: '3' }] } }, 'json: cannot unmarshal string into Go struct field Job.Job.TaskGroups.Count of type int'],
    ['{"Job": {', 'unexpected EOF'],
    ['', 'Request body is empty'],
  ])('%j is a bad request', async (body, expected) => {
    expect(await world.send('PUT', '/v1/validate/job', body)).toMatchObject({ status: 400, text: expected })
  })
})

describe('plan', () => {
  test('who would have to make room is told in the form of lists', async () => {
    const { text } = await world.send('PUT', '/v1/job/greedy/plan', { Job: job({ ID: 'greedy', Name: 'greedy' }) })
    const [meek] = JSON.parse(text).Annotations.PreemptedAllocs
    expect(meek).toMatchObject({ Name: 'meek.group[0]', DesiredStatus: 'run', AllocatedResources: null })
    expect(meek).not.toHaveProperty('Metrics')
  })

  test('the job is planned as it would be stored, and its difference told only when asked for', async () => {
    const { status, text, headers } = await world.send('PUT', '/v1/job/web/plan', { Job: job(), Diff: true })
    expect([status, headers['x-nomad-index']]).toEqual([200, '7'])
    expect(JSON.parse(text)).toMatchObject({
      JobModifyIndex: 7,
      Diff: { Type: 'Added', ID: 'web' },
      Annotations: ANNOTATIONS,
      CreatedEvals: null,
    })
    expect(asked.at(-1)).toMatchObject({ ID: 'web', Namespace: 'default', Datacenters: ['*'] })
    expect(JSON.parse((await world.send('PUT', '/v1/job/web/plan', { Job: job() })).text).Diff).toBeNull()
  })

  test.each([
    [{ Job: { Name: 'web' } }, 400, 'Job must have a valid ID'],
    [{ Job: { ID: 'other' } }, 400, 'Job ID does not match'],
    [{ Job: { ...job(), Namespace: 'nowhere' } }, 500, '1 error occurred:\n\t* job "web" is in nonexistent namespace "nowhere"\n\n'],
  ])('%j is refused', async (body, status, text) => {
    expect(await world.send('POST', '/v1/job/web/plan', body)).toMatchObject({ status, text })
  })
})
