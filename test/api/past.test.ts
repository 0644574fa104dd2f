/** `?at=`: what reads the state alone is asked of the past, and nothing else is. */
import { expect, test } from 'vitest'
import type { Past } from '../../src/api/index.js'
import { World } from './world.js'

function asking() {
  const asked: unknown[] = []
  const past: Past = {
    answer: async (at, { method, path, query }) => {
      asked.push([at, method, path, query])
      return { status: 200, headers: { 'Content-Type': 'application/json', 'X-Drover-At': 'then' }, body: '["then"]' }
    },
  }
  return { world: new World({ past }), asked }
}

test.each([
  '/v1/jobs',
  '/v1/jobs/statuses',
  '/v1/job/web',
  '/v1/job/web/versions',
  '/v1/allocations',
  '/v1/allocation/a',
  '/v1/nodes',
  '/v1/node/n',
  '/v1/evaluations',
  '/v1/deployments',
  '/v1/namespaces',
  '/v1/services',
  '/v1/vars',
  '/drover/v1/source',
  '/drover/v1/history/web',
  '/drover/v1/blame/web',
  '/drover/v1/trace/abc',
])('%s is asked of the past', async (path) => {
  const { world, asked } = asking()
  const { text, headers } = await world.get(`${path}?at=abcdef0&namespace=*`)
  expect([text, headers['x-drover-at']]).toEqual(['["then"]', 'then'])
  expect(asked).toEqual([['abcdef0', 'GET', path, 'at=abcdef0&namespace=*']])
})

test('a search is, too', async () => {
  const { world, asked } = asking()
  expect((await world.send('PUT', '/v1/search?at=abcdef0', { Prefix: 'a' })).text).toBe('["then"]')
  expect(asked).toHaveLength(1)
})

test.each([
  '/v1/metrics',
  '/v1/event/stream',
  '/v1/agent/self',
  '/v1/client/fs/logs/a',
  '/v1/client/stats',
  '/drover/v1/plan',
  '/drover/v1/why/web',
])('%s is not, and says so', async (path) => {
  const { world, asked } = asking()
  const { status, text } = await world.get(`${path}?at=abcdef0`)
  expect([status, asked]).toEqual([400, []])
  expect(text).toBe(`${path} cannot be asked of the past: leave out "at"`)
})
