import { expect, test } from 'vitest'
import type { Reading } from '../../src/api/blocking.js'
import { ReadingCache } from '../../src/api/reading-cache.js'
import type { ApiRequest } from '../../src/api/request.js'
import { job } from '../fixtures.js'
import { World } from './world.js'

const asked = (path: string, query = '', method = 'GET') => ({ method, path, query }) as ApiRequest
const read = (bytes: number, over: Partial<Reading> = {}): Reading => ({
  index: 1,
  watch: [],
  body: new Uint8Array(bytes),
  isOfStateOnly: true,
  ...over,
})

test('what was read is given again to the same question, until anything changes', () => {
  const cache = new ReadingCache<Reading>()
  const reading = read(10)
  expect(cache.find(1, asked('/v1/jobs'))).toBeUndefined()
  cache.keep(asked('/v1/jobs'), reading)
  expect(cache.find(1, asked('/v1/jobs'))).toBe(reading)
  expect(cache.find(1, asked('/v1/jobs', 'namespace=*'))).toBeUndefined()
  expect(cache.find(1, asked('/v1/jobs', '', 'PUT'))).toBeUndefined()
  expect(cache.find(2, asked('/v1/jobs'))).toBeUndefined()
  expect(cache.find(1, asked('/v1/jobs'))).toBeUndefined()
})

test('what depends on more than the state, what was sent along, and refusals are read anew', () => {
  const cache = new ReadingCache<Reading>()
  cache.find(1, asked('/a'))
  const { isOfStateOnly: _, ...ofMore } = read(10)
  cache.keep(asked('/a'), ofMore)
  cache.keep(asked('/b', '', 'PUT'), read(10))
  cache.keep(asked('/c'), read(10, { body: 'text' }))
  for (const path of ['/a', '/b', '/c']) expect(cache.find(1, asked(path))).toBeUndefined()
})

test('it holds 8 MiB and 256 answers at most', () => {
  const cache = new ReadingCache<Reading>()
  cache.find(1, asked('/'))
  cache.keep(asked('/huge'), read(8 * 1024 * 1024 + 1))
  expect(cache.find(1, asked('/huge'))).toBeUndefined()
  for (const path of ['/one', '/two', '/three']) cache.keep(asked(path), read(3 * 1024 * 1024))
  expect(['/one', '/two', '/three'].map((path) => cache.find(1, asked(path)) !== undefined)).toEqual([false, false, true])
  for (let at = 0; at < 300; at++) cache.keep(asked(`/${at}`), read(1))
  expect(Array.from({ length: 300 }, (_, at) => cache.find(1, asked(`/${at}`))).filter(Boolean).length).toBeLessThanOrEqual(256)
})

test('an answer follows every change', async () => {
  const world = new World()
  for (const id of ['a', 'b', 'c']) {
    world.register(job({ ID: id }))
    for (let twice = 0; twice < 2; twice++) expect(((await world.json('/v1/jobs')) as { ID: string }[]).map(({ ID }) => ID)).toContain(id)
  }
})
