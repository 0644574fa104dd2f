import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LmdbLocalStore } from '../../src/adapters/local-store/index.js'

let folder: string
let store: LmdbLocalStore
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-local-'))
  store = await LmdbLocalStore.open(folder)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

test('what was written is there after the agent has started again, and what was removed is not', async () => {
  await store.write({ 'allocation/1': { a: [1, null, 'x'] }, 'allocation/2': 2, agent: { epoch: 7 } })
  await store.write({ 'allocation/2': undefined, agent: { epoch: 8 } })
  await store.close()
  store = await LmdbLocalStore.open(folder)
  expect([store.get('allocation/1'), store.get('allocation/2'), store.get('agent')]).toEqual([
    { a: [1, null, 'x'] },
    undefined,
    { epoch: 8 },
  ])
})

test('keys are those of the prefix, in order', async () => {
  await store.write({ 'outbox/2': 1, 'outbox/1': 1, outboy: 1, agent: 1, 'outbox/10': 1 })
  expect(store.keys('outbox/')).toEqual(['outbox/1', 'outbox/10', 'outbox/2'])
  expect(store.keys('none/')).toEqual([])
})

test('one agent at a time uses a folder', async () => {
  await expect(LmdbLocalStore.open(folder)).rejects.toMatchObject({ code: 'FOLDER_LOCKED' })
})
