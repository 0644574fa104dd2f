/** What an auditor hears of the API: acts and refusals with who asked, and no reading. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { AuditEntry } from '../../src/domain/index.js'
import { job } from '../fixtures.js'
import { ActingWorld } from './acting-world.js'
import { World } from './world.js'

let world: ActingWorld
let address = ''
let seen = 0
beforeAll(async () => {
  world = await ActingWorld.start('runtime')
  const sweep = { Enabled: true, Spec: '', Specs: ['@daily'], SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }
  world.propose({ kind: 'job-register', job: job({ ID: 'sweep', Type: 'batch', Periodic: sweep }), source: null, evaluations: [] })
  address = await world.listen()
})
afterAll(() => world.stop())
afterEach(async () => {
  seen = (await read()).at(-1)?.number ?? seen
})

async function read(query = ''): Promise<readonly AuditEntry[]> {
  const text = await (await fetch(`${address}/drover/v1/audit?${query}`)).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry)
}

const news = () => read(`from=${seen + 1}`)

test('an act is told with who asked for it, and one that is refused with the reason', async () => {
  const headers = { 'User-Agent': 'nightly/1' }
  await fetch(`${address}/v1/job/sweep/periodic/force?namespace=default&token=hunter2`, { method: 'PUT', headers })
  await fetch(`${address}/v1/deployment/fail/not-an-id`, { method: 'PUT', headers })
  expect(await news()).toMatchObject([
    {
      actor: { kind: 'api', address: '127.0.0.1', program: 'nightly/1' },
      action: 'job-force',
      subject: { method: 'PUT', path: '/v1/job/sweep/periodic/force', namespace: 'default' },
      outcome: 'done',
      reason: '',
    },
    { action: 'deployment-fail', outcome: 'refused', reason: expect.stringContaining('UUID must be 36 characters') },
  ])
  expect(JSON.stringify(await read())).not.toContain('hunter2')
})

test('what the repository says is not written here, and pages of others are refused: both are told', async () => {
  await fetch(`${address}/v1/jobs`, { method: 'PUT', body: '{"Job": {"ID": "x"}}' })
  await fetch(`${address}/v1/job/sweep/periodic/force`, { method: 'PUT', headers: { Origin: 'https://evil.example' } })
  await fetch(`${address}/drover/v1/hooks/default`, { method: 'POST', body: '{}' })
  expect((await news()).map(({ action, outcome, reason }) => [action, outcome, reason])).toEqual([
    ['request', 'refused', expect.stringContaining('commit')],
    ['job-force', 'refused', 'pages of other origins may not act on what runs'],
    ['request', 'refused', expect.stringContaining('there is no webhook of this name and secret')],
  ])
})

test('reading is no news, and neither is a question that makes no sense', async () => {
  for (const path of ['/v1/jobs', '/v1/job/none', '/v1/jobs?index=x', '/nowhere']) await fetch(address + path)
  await fetch(`${address}/v1/search`, { method: 'PUT', body: '{"Prefix": "s"}' })
  expect(await news()).toEqual([])
})

test('a list is narrowed by number, outcome and action', async () => {
  const all = await read()
  expect((await read('outcome=refused')).every(({ outcome }) => outcome === 'refused')).toBe(true)
  expect((await read('action=job-force')).map(({ action }) => action)).toEqual(['job-force', 'job-force'])
  expect(await read(`from=${all.length}`)).toEqual(all.slice(-1))
  expect((await fetch(`${address}/drover/v1/audit?outcome=maybe`)).status).toBe(400)
  expect((await fetch(`${address}/drover/v1/audit?from=x`)).status).toBe(400)
})

test('followers get a line for each entry as it comes', async () => {
  const stop = new AbortController()
  const response = await fetch(`${address}/drover/v1/audit?follow=true&from=${seen + 1}`, { signal: stop.signal })
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  const lines = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  await fetch(`${address}/v1/job/sweep/periodic/force`, { method: 'PUT' })
  const { value } = await lines.next()
  expect(JSON.parse(String(value))).toMatchObject({ number: seen + 1, action: 'job-force' })
  stop.abort()
})

test('withheld variables are told of', async () => {
  const other = new World()
  const { settings } = await import('./world.js').then(({ WORLD_SETTINGS }) => ({ settings: { ...WORLD_SETTINGS, showVariables: false } }))
  const closed = new World({ settings })
  await closed.get('/v1/var/secret/db')
  await other.get('/v1/vars')
  const { text } = await closed.get('/drover/v1/audit')
  expect(JSON.parse(text)).toMatchObject({ action: 'request', outcome: 'refused', subject: { path: '/v1/var/secret/db' } })
  expect((await other.get('/drover/v1/audit')).text).toBe('')
})
