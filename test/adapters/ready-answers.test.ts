import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { World } from '../api/world.js'
import { job } from '../fixtures.js'

test('what is asked again is answered with the same, and anew as soon as anything has changed', async () => {
  const world = new World()
  world.register(job({ ID: 'web' }))
  const paths = ['/v1/jobs', '/v1/job/web', '/v1/job/web/summary']
  const first = await Promise.all(paths.map((path) => world.get(path)))
  const second = await Promise.all(paths.map((path) => world.get(path)))
  // The clock of the answer goes on.
  const told = ({ status, text, headers: { date, ...headers } }: Awaited<ReturnType<World['get']>>) => ({ status, text, headers })
  expect(second.map(told)).toEqual(first.map(told))
  world.register(job({ ID: 'web', Priority: 71 }))
  expect(JSON.parse((await world.get('/v1/job/web')).text)).toMatchObject({ Priority: 71 })
  world.change((state, index) => state.jobs.delete(index, 'default\0web'))
  expect((await world.get('/v1/job/web')).status).toBe(404)
  expect((await world.get('/v1/jobs')).text).toBe('[]')
})

test('who asks in another way gets another answer: packed or not, of another name, with a body', async () => {
  const world = new World()
  for (let at = 0; at < 20; at++) world.register(job({ ID: `job-${at}` }))
  const ask = (headers: Record<string, string>) => world.inject({ method: 'GET', url: '/v1/jobs', headers })
  const plain = await ask({})
  expect((await ask({})).payload).toBe(plain.payload)
  const packed = await ask({ 'accept-encoding': 'gzip' })
  expect(packed.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.payload)
  expect((await ask({})).payload).toBe(plain.payload)
  expect((await ask({ host: 'evil.example.org' })).statusCode).toBe(403)
  expect((await world.inject({ method: 'POST', url: '/v1/jobs', payload: '{}' })).statusCode).not.toBe(200)
})

test('nothing is told again of a state that is not durable, or by a server that no longer knows that it leads', async () => {
  let isCurrent = true
  const world = new World()
  world.register(job({ ID: 'web' }))
  const { reader } = world
  reader.isCurrent = () => isCurrent
  let reads = 0
  const { read } = reader
  reader.read = (query) => {
    reads++
    return read(query)
  }
  await world.get('/v1/jobs')
  await world.get('/v1/jobs')
  expect(reads).toBe(1)
  isCurrent = false
  await world.get('/v1/jobs')
  expect(reads).toBe(2)
})
