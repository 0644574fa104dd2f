import { expect, test } from 'vitest'
import type { Job } from '../../src/domain/index.js'
import { takeJobOrder } from '../../src/jobspec/index.js'
import { job } from '../fixtures.js'

const read = (drover: string, meta: Readonly<Record<string, string>> = {}) => takeJobOrder(job({ Meta: { ...meta, drover } }))
const problems = (drover: string) => read(drover).problems.map(({ text }) => text)

test('a job without the meta says nothing of order and stays what it is', () => {
  const plain = job({ Meta: { owner: 'ops' } })
  expect(takeJobOrder(plain)).toEqual({ job: plain, order: undefined, problems: [], variableFiles: [] })
})

test('settings are read, and the meta is no part of what runs', () => {
  const text =
    'prod.vars.hcl, base.vars.hcl depends_on=db,ops/cache bundle=shop\n suspend_until=2026-12-24T09:00:00+01:00 suspend_reason="nobody is here"'
  const { job: stored, order, problems: found, variableFiles } = read(text, { owner: 'ops' })
  expect(stored.Meta).toEqual({ owner: 'ops' })
  expect([found, variableFiles]).toEqual([[], ['prod.vars.hcl', 'base.vars.hcl']])
  expect(order).toEqual({
    dependsOn: [
      { namespace: 'default', jobId: 'db' },
      { namespace: 'ops', jobId: 'cache' },
    ],
    bundle: 'shop',
    suspend: { untilMs: Date.UTC(2026, 11, 24, 8), reason: 'nobody is here' },
    hooks: [],
  })
})

test('names of variables files alone are no order', () => {
  expect(read('prod.vars.hcl')).toMatchObject({ order: undefined, job: { Meta: null } })
})

test.each([
  ['dependson=db', 'there is no setting "dependson"'],
  ['db', '"db" is no setting and no variables file'],
  ['depends_on=', 'depends_on= names no job'],
  ['depends_on=a depends_on=b', 'depends_on= is said twice'],
  ['depends_on=web', 'depends_on= names the job itself'],
  ['depends_on=default/web', 'depends_on= names the job itself'],

  ['bundle="two words"', '"two words" is no name of a bundle'],
  ['suspend_until=2026-12-24T08:00:00Z', 'suspend_until= needs suspend_reason='],
  ['suspend_reason=holidays', 'suspend_reason= needs suspend_until='],
  ['suspend_until=tomorrow suspend_reason=x', 'suspend_until="tomorrow" is no instant'],
  ['suspend_until=2026-02-30T08:00:00Z suspend_reason=x', 'is no instant'],
  ['suspend_until=2026-12-24 suspend_reason=x', 'is no instant'],
])('%s is refused', (text, expected) => {
  expect(problems(text)).toEqual([expect.stringContaining(expected)])
  expect(problems(text)[0]).toMatch(/^meta "drover": /)
})

const hook = (over: Partial<Job> = {}) =>
  takeJobOrder(
    job({
      ID: 'migrate',
      Type: 'batch',
      ParameterizedJob: { Payload: 'optional', MetaRequired: null, MetaOptional: null },
      Meta: { drover: 'before=web after=web,ops/db' },
      ...over,
    }),
  )

test('a hook names the jobs on whose occasion it is dispatched', () => {
  const { order, problems: found } = hook()
  expect(found).toEqual([])
  expect(order?.hooks.map(({ phase, target }) => `${phase} ${target.namespace}/${target.jobId}`)).toEqual([
    'before default/web',
    'after default/web',
    'after ops/db',
  ])
})

test.each<[string, Partial<Job>]>([
  ['a hook is a parameterized batch job', { ParameterizedJob: null }],
  ['a hook is a parameterized batch job', { Type: 'service' }],
  ['must not require one', { ParameterizedJob: { Payload: 'required', MetaRequired: null, MetaOptional: null } }],
  [
    'must not require the meta region',
    { ParameterizedJob: { Payload: 'optional', MetaRequired: ['drover_job', 'region'], MetaOptional: null } },
  ],
])('a hook that could not be dispatched is refused: %s', (text, over) => {
  expect(hook(over).problems.map((problem) => problem.text)).toEqual([expect.stringContaining(text)])
})
