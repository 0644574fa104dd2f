import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { requestAnswer } from '../../src/adapters/http-request.js'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function listen(answer: RequestListener): Promise<string> {
  const listening = createServer(answer)
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

const never = new AbortController().signal

test('an answer has its status, its headers whatever their case, and its body', async () => {
  const url = await listen((_, response) => response.writeHead(404, { 'X-Nomad-Index': '7' }).end('{"a":"ü"}'))
  const answer = await requestAnswer(url, { method: 'GET', headers: {}, signal: never })
  expect([answer.ok, answer.status, answer.headers.get('x-nomad-index'), answer.headers.get('x-other')]).toEqual([false, 404, '7', null])
  expect(await answer.json()).toEqual({ a: 'ü' })
})

test('headers and a body are sent', async () => {
  const url = await listen(async (request, response) => {
    const sent = (await request.toArray()).join('')
    response.end(`${request.method} ${request.headers['x-nomad-token']} ${request.headers['content-length']} ${sent}`)
  })
  const answer = await requestAnswer(url, { method: 'PUT', headers: { 'X-Nomad-Token': 't' }, signal: never, body: '{"ä":1}' })
  expect(await answer.text()).toBe('PUT t 8 {"ä":1}')
})

test('a body comes bit by bit', async () => {
  const url = await listen((_, response) => {
    response.write('one')
  })
  const stop = new AbortController()
  const { body } = await requestAnswer(url, { method: 'GET', headers: {}, signal: stop.signal })
  const first = await body[Symbol.asyncIterator]().next()
  expect(String(first.value)).toBe('one')
  stop.abort()
})

test('who waits for an answer may stop waiting, before it and within it', async () => {
  const url = await listen((request, response) => {
    if (request.url === '/half') response.write('{')
  })
  const beforehand = new AbortController()
  const asked = requestAnswer(url, { method: 'GET', headers: {}, signal: beforehand.signal })
  beforehand.abort()
  await expect(asked).rejects.toMatchObject({ code: 'ABORT_ERR' })
  const within = new AbortController()
  const half = await requestAnswer(`${url}/half`, { method: 'GET', headers: {}, signal: within.signal })
  const read = half.json()
  within.abort()
  await expect(read).rejects.toThrow()
})

test('a connection that is refused is told by the code of the system', async () => {
  const url = await listen(() => {})
  await new Promise((resolve) => server?.close(resolve))
  await expect(requestAnswer(url, { method: 'GET', headers: {}, signal: never })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
