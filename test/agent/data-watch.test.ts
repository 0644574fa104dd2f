/** One question for the whole host, held until an answer changes. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { DataWatch } from '../../src/agent/data-watch.js'
import { type DataAnswer, type DataRequest, dataKey } from '../../src/agent/index.js'
import { fromText, type Query } from '../../src/agent/template/index.js'
import { HandClock, settle } from './hand-clock.js'

interface Asked {
  readonly questions: DataRequest['questions']
  readonly answer: (answers: readonly DataAnswer[]) => void
  readonly fail: (error: Error) => void
}

function world() {
  const clock = new HandClock()
  const asked: Asked[] = []
  const ask = (questions: DataRequest['questions']) =>
    new Promise<readonly DataAnswer[]>((answer, fail) => {
      asked.push({ questions, answer, fail })
    })
  return { clock, asked, watch: new DataWatch({ clock, logger: silentLogger, ask }) }
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
  const data = watch.of('default')
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
  watch.of('default').watch([key('a')], () => {})
  await settle()
  watch.of('default').watch([key('b')], () => {})
  await settle()
  const [first, second] = [asked.at(-2)!, asked.at(-1)!]
  expect(second.questions).toHaveLength(2)
  first.answer([])
  await settle()
  expect(asked.at(-1)).toBe(second)
})

test('while no server answers what is known stays, and it is asked again', async () => {
  const { watch, asked, clock } = world()
  const data = watch.of('default')
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
  const data = watch.of('default')
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
