import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
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

test('a value that is damaged is told by its key, and put aside; the others are read', async () => {
  await store.write({ 'allocation/1': { id: 1 }, 'allocation/2': { id: 2 }, 'allocation/3': { id: 3 } })
  await store.close()
  const raw = open<unknown, string>({ path: join(folder, 'agent-state'), cache: false })
  await raw.put('allocation/1', `${String(raw.get('allocation/1'))} `)
  await raw.put('allocation/2', '\0'.repeat(20))
  await raw.close()
  store = await LmdbLocalStore.open(folder)
  expect(() => store.get('allocation/1')).toThrow('its checksum is another')
  expect(() => store.get('allocation/2')).toThrow('it is no record')
  expect(store.get('allocation/3')).toEqual({ id: 3 })
  await store.setAside('allocation/1')
  expect(store.keys('allocation/')).toEqual(['allocation/2', 'allocation/3'])
  expect(readdirSync(join(folder, 'agent-state.damaged-parts'))).toEqual(['allocation-1'])
})

test('what an earlier version wrote is read', async () => {
  await store.close()
  const raw = open<unknown, string>({ path: join(folder, 'agent-state'), cache: false })
  await raw.put('agent', { epoch: 7 })
  await raw.close()
  store = await LmdbLocalStore.open(folder)
  expect(store.get('agent')).toEqual({ epoch: 7 })
})

const READER = new URL('../../dist/main/read-local-store.js', import.meta.url)
const FILE_DAMAGES: readonly (readonly [what: string, damage: (file: string) => void])[] = [
  ['empty', (file) => truncateSync(file, 0)],
  ['zeroed', (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length))],
  ['somebody else’s', (file) => writeFileSync(file, 'a text of somebody else\n'.repeat(1_000))],
]

test.each(FILE_DAMAGES)('a file that is %s makes way for an empty store, and that is told', async (_, damage) => {
  await store.write({ 'allocation/1': { id: 1 } })
  await store.close()
  damage(join(folder, 'agent-state/data.mdb'))
  const told: string[] = []
  store = await LmdbLocalStore.open(folder, { onDamage: (text) => told.push(text) })
  expect(store.keys('')).toEqual([])
  await store.write({ agent: 1 })
  expect(store.get('agent')).toBe(1)
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('was put aside as')
  expect(existsSync(join(folder, 'agent-state.damaged/data.mdb'))).toBe(true)
})

test('a store that ended the life before where it was opened is read by another process first', async () => {
  await store.write(Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`allocation/${n}`, { text: 'x'.repeat(1_000) }])))
  await store.close()
  const file = join(folder, 'agent-state/data.mdb')
  // Torn: its pages are missing, and reading them ends the process.
  truncateSync(file, 8_192)
  expect(() => execFileSync(process.execPath, [READER.pathname, join(folder, 'agent-state')], { stdio: 'pipe' })).toThrow()
  writeFileSync(join(folder, 'agent-state.opening'), '')
  const told: string[] = []
  store = await LmdbLocalStore.open(folder, { reader: READER, onDamage: (text) => told.push(text) })
  expect(told).toHaveLength(1)
  expect(store.keys('')).toEqual([])
  expect(existsSync(join(folder, 'agent-state.opening'))).toBe(false)
})

test('a life that was killed while it opened a sound store loses nothing', async () => {
  await store.write({ 'allocation/1': { id: 1 } })
  await store.close()
  writeFileSync(join(folder, 'agent-state.opening'), '')
  store = await LmdbLocalStore.open(folder, { reader: READER, onDamage: (text) => expect.fail(text) })
  expect(store.get('allocation/1')).toEqual({ id: 1 })
})

test('its file has room of its own, and what a life that ended in between has left of making it is taken away', async () => {
  expect(statSync(join(folder, 'agent-state', 'data.mdb')).size).toBeGreaterThan(4 * 1024 * 1024)
  await store.write({ '_filler/7': new Uint8Array(3), agent: 1 })
  await store.close()
  store = await LmdbLocalStore.open(folder)
  expect(store.keys('')).toEqual(['agent'])
})
