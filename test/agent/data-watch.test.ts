/** One question for the whole host, held until an answer changes. */
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { DataWatch } from '../../src/agent/data-watch.js'
import { type DataAnswer, type DataFound, type DataRequest, dataKey } from '../../src/agent/index.js'
import { fromText, type Query, renderTemplate } from '../../src/agent/template/index.js'
import { HandClock, settle } from './hand-clock.js'

const READER = { namespace: 'default', jobId: 'web', group: 'g', task: 't' }

interface Asked {
  readonly questions: DataRequest['questions']
  readonly answer: (answers: readonly DataAnswer[]) => void
  readonly fail: (error: Error) => void
}

/** @param keys plain texts by encrypted ones */
function world(keys: ReadonlyMap<string, string> = new Map()) {
  const clock = new HandClock()
  const asked: Asked[] = []
  const ask = (questions: DataRequest['questions']) =>
    new Promise<readonly DataAnswer[]>((answer, fail) => {
      asked.push({ questions, answer, fail })
    })
  /** What was asked to be opened, in order. */
  const opened: string[] = []
  const opener = {
    open: async (text: string) => {
      opened.push(text)
      return keys.has(text) ? ({ kind: 'opened', text: keys.get(text)! } as const) : ({ kind: 'refused', reason: 'no key' } as const)
    },
  }
  return { clock, asked, opened, watch: new DataWatch({ clock, logger: silentLogger, opener, ask }) }
}

const key = (path: string): Query => ({ kind: 'key', path: fromText(path) })
const question = (path: string) => ({ kind: 'key', namespace: 'default', path }) as const
const answerOf = (path: string, version: string, value: string): DataAnswer => ({
  key: dataKey(question(path)),
  version,
  found: { kind: 'keys', pairs: [{ path, value, createIndex: 1, modifyIndex: 1 }] },
})

test('what is watched in one turn is one question, and each answer tells its watchers', async () => {
  const { watch, asked } = world()
  const told: string[] = []
  const data = watch.of(READER)
  data.watch([key('a')], () => told.push('one'))
  data.watch([key('a'), key('b')], () => told.push('two'))
  await settle()
  expect(asked.at(-1)!.questions).toEqual([
    [question('a'), ''],
    [question('b'), ''],
  ])
  expect(data.find(key('a'))).toEqual({ kind: 'unknown' })
  asked.at(-1)!.answer([answerOf('a', '1', 'x'), { key: dataKey(question('b')), version: '1', found: { kind: 'absent' } }])
  await settle()
  expect(told).toEqual(['one', 'two', 'two'])
  expect(data.find(key('a'))).toMatchObject({ kind: 'value', value: { value: 'x' } })
  expect(data.find(key('b'))).toEqual({ kind: 'absent' })
  expect(asked.at(-1)!.questions).toEqual([
    [question('a'), '1'],
    [question('b'), '1'],
  ])
})

test('a question that comes later takes the place of the one that is held', async () => {
  const { watch, asked } = world()
  watch.of(READER).watch([key('a')], () => {})
  await settle()
  watch.of(READER).watch([key('b')], () => {})
  await settle()
  const [first, second] = [asked.at(-2)!, asked.at(-1)!]
  expect(second.questions).toHaveLength(2)
  first.answer([])
  await settle()
  expect(asked.at(-1)).toBe(second)
})

test('while no server answers what is known stays, and it is asked again', async () => {
  const { watch, asked, clock } = world()
  const data = watch.of(READER)
  data.watch([key('a')], () => {})
  await settle()
  asked.at(-1)!.answer([answerOf('a', '1', 'x')])
  await settle()
  asked.at(-1)!.fail(new Error('away'))
  await settle()
  const count = asked.length
  await clock.advance(1_000)
  expect(asked.length).toBe(count + 1)
  expect(data.find(key('a'))).toMatchObject({ kind: 'value' })
})

test('what nobody watches any more is not asked for; whoever watches it again in the same turn keeps the answer', async () => {
  const { watch, asked } = world()
  const data = watch.of(READER)
  let stop = data.watch([key('a')], () => {})
  await settle()
  asked.at(-1)!.answer([answerOf('a', '1', 'x')])
  await settle()
  stop()
  stop = data.watch([key('a')], () => {})
  await settle()
  expect(data.find(key('a'))).toMatchObject({ kind: 'value' })
  stop()
  await settle()
  expect(data.find(key('a'))).toEqual({ kind: 'unknown' })
})

describe('encrypted values', () => {
  const sealed = (path: string, name: string, count = 1) => {
    const header = `age-encryption.org/v1\n-> drover/variable ${['default', path, name].map(encodeURIComponent).join(':')}\n\n--- ${count}\n`
    return `-----BEGIN AGE ENCRYPTED FILE-----\n${Buffer.from(header).toString('base64')}\n-----END AGE ENCRYPTED FILE-----\n`
  }
  const variable = (path: string): Query => ({ kind: 'variable', path: fromText(path), namespace: undefined })
  const variableAnswer = (path: string, version: string, Items: Readonly<Record<string, string>>, over = {}): DataAnswer => {
    const row = { Namespace: 'default', Path: path, Items, CreateIndex: 1, ModifyIndex: 1, CreateTime: 0, ModifyTime: 0, ...over }
    const found: DataFound = { kind: 'variable', variable: row }
    return { key: dataKey({ kind: 'variable', namespace: 'default', path }), version, found }
  }
  const render = (data: ReturnType<DataWatch['of']>) => {
    const world = { environment: () => undefined, find: data.find, nowMs: 0, random: (size: number) => new Uint8Array(size) }
    const rendering = renderTemplate({ text: fromText('{{ with nomadVar "nomad/jobs/web" }}{{ .p }}{{ end }}') }, world)
    return rendering.kind === 'text' ? [rendering.text, rendering.isSecret] : rendering.kind
  }

  test('are opened for the job whose path it is, told apart, and again when they change', async () => {
    const [one, two] = [sealed('nomad/jobs/web', 'p'), sealed('nomad/jobs/web', 'p', 2)]
    const { watch, asked } = world(
      new Map([
        [one, 'hunter2'],
        [two, 'hunter3'],
      ]),
    )
    const data = watch.of(READER)
    let told = 0
    data.watch([variable('nomad/jobs/web')], () => told++)
    await settle()
    asked.at(-1)!.answer([variableAnswer('nomad/jobs/web', '1', { p: one, user: 'ann' })])
    await settle()
    expect(told).toBe(1)
    expect(data.find(variable('nomad/jobs/web'))).toMatchObject({ kind: 'value', isSecret: true })
    expect(render(data)).toEqual(['hunter2', true])
    asked.at(-1)!.answer([variableAnswer('nomad/jobs/web', '2', { p: two, user: 'ann' })])
    await settle()
    expect(render(data)).toEqual(['hunter3', true])
    asked.at(-1)!.answer([variableAnswer('nomad/jobs/web', '3', { user: 'ann' })])
    await settle()
    expect(data.find(variable('nomad/jobs/web'))).not.toHaveProperty('isSecret')
  })

  test('are not even opened for jobs that may not have them, until they are granted', async () => {
    const text = sealed('secret/db', 'p')
    const { watch, asked, opened } = world(new Map([[text, 'hunter2']]))
    const data = watch.of(READER)
    const query: Query = { kind: 'secret', path: fromText('secret/db') }
    let told = 0
    data.watch([query], () => told++)
    await settle()
    asked.at(-1)!.answer([variableAnswer('secret/db', '1', { p: text })])
    await settle()
    expect(data.find(query)).toEqual({
      kind: 'unknown',
      reason: 'default/secret/db#p is encrypted, and job "web" is not granted it: name the job at this path in vars/default/_access.yaml',
    })
    expect(opened).toEqual([])
    asked.at(-1)!.answer([variableAnswer('secret/db', '2', { p: text }, { readers: ['we*'] })])
    await settle()
    expect(data.find(query)).toMatchObject({ kind: 'value', isSecret: true })
    expect([opened, told]).toEqual([[text], 2])
  })

  test('are opened for a job that comes later and may have them, and for no other because of it', async () => {
    const text = sealed('nomad/jobs/web', 'p')
    const { watch, asked, opened } = world(new Map([[text, 'hunter2']]))
    const other = watch.of({ ...READER, jobId: 'other' })
    other.watch([variable('nomad/jobs/web')], () => {})
    await settle()
    asked.at(-1)!.answer([variableAnswer('nomad/jobs/web', '1', { p: text })])
    await settle()
    expect(opened).toEqual([])
    const data = watch.of(READER)
    await new Promise<void>((resolve) => data.watch([variable('nomad/jobs/web')], resolve))
    expect(data.find(variable('nomad/jobs/web')).kind).toBe('value')
    expect(other.find(variable('nomad/jobs/web'))).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('job "other"') })
    const abroad = watch.of({ ...READER, namespace: 'team' })
    expect(abroad.find({ ...variable('nomad/jobs/web'), namespace: fromText('default') } as Query)).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('jobs of other namespaces do not get it'),
    })
  })

  test('that cannot be opened are tried again, and told of once', async () => {
    const text = sealed('nomad/jobs', 'p')
    const keys = new Map<string, string>()
    const { watch, asked, clock, opened } = world(keys)
    const data = watch.of(READER)
    let told = 0
    data.watch([variable('nomad/jobs')], () => told++)
    await settle()
    asked.at(-1)!.answer([variableAnswer('nomad/jobs', '1', { p: text })])
    await settle()
    expect(data.find(variable('nomad/jobs'))).toEqual({ kind: 'unknown', reason: 'default/nomad/jobs#p cannot be opened: no key' })
    await clock.advance(20_000)
    expect([opened.length, told]).toEqual([2, 1])
    keys.set(text, 'hunter2')
    await clock.advance(20_000)
    expect(data.find(variable('nomad/jobs')).kind).toBe('value')
    expect(told).toBe(2)
    const tries = opened.length
    await clock.advance(60_000)
    expect(opened.length).toBe(tries)
  })

  test('that were made for another place are not opened', async () => {
    const text = sealed('nomad/jobs/db', 'p')
    const { watch, asked, opened } = world(new Map([[text, 'hunter2']]))
    const data = watch.of(READER)
    data.watch([variable('nomad/jobs/web')], () => {})
    await settle()
    asked.at(-1)!.answer([variableAnswer('nomad/jobs/web', '1', { p: text })])
    await settle()
    expect(data.find(variable('nomad/jobs/web'))).toMatchObject({
      reason:
        'default/nomad/jobs/web#p cannot be opened: it was encrypted for default/nomad/jobs/db#p: encrypt it for this place with drover secret set',
    })
    expect(opened).toEqual([])
  })

  test('of keys are opened where they are granted, by either of the places that a key has', async () => {
    const [member, whole] = [sealed('kv/app', 'port'), sealed('kv/app/port', 'value')]
    const { watch, asked } = world(
      new Map([
        [member, '80'],
        [whole, '81'],
      ]),
    )
    const data = watch.of(READER)
    data.watch([key('app/port')], () => {})
    const pair = { path: 'app/port', createIndex: 1, modifyIndex: 1, readers: ['web'] }
    const answer = (version: string, value: string, over = {}): DataAnswer => ({
      key: dataKey(question('app/port')),
      version,
      found: { kind: 'keys', pairs: [{ ...pair, value, ...over }] },
    })
    for (const [version, value] of [
      ['1', member],
      ['2', whole],
    ] as const) {
      await settle()
      asked.at(-1)!.answer([answer(version, value)])
      await settle()
      expect(data.find(key('app/port'))).toMatchObject({ kind: 'value', value: { value: version === '1' ? '80' : '81' }, isSecret: true })
    }
    asked.at(-1)!.answer([answer('3', whole, { readers: [] })])
    await settle()
    expect(data.find(key('app/port'))).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('is not granted it') })
  })
})
