/** The process that answers of the past: it ends when nobody waits for it any more, and not before. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { PastProcess } from '../../src/adapters/past/past-process.js'
import type { ApiSettings } from '../../src/api/index.js'

/** Answers the first question at once, and the second when the idle time of the first has long passed. */
const PROGRAM = `
process.on('message', ({ kind, number }) => {
  if (kind !== 'ask') return
  const answer = () => process.send({ number, status: 200, headers: {}, body: String(process.pid) })
  if (number === 2) setTimeout(answer, 500)
  else answer()
})
`

test('who still waits is answered, although others were answered long ago', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-past-'))
  const path = join(folder, 'past.cjs')
  writeFileSync(path, PROGRAM)
  const past = new PastProcess({ command: { path, nodeFlags: [] }, stateFolder: folder, settings: {} as ApiSettings, idleMs: 20 })
  onTestFinished(async () => {
    await past.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const ask = () => past.answer('2026-11-30', { method: 'GET', path: '/v1/jobs', query: '', body: Buffer.alloc(0) })
  const [first, second] = await Promise.all([ask(), ask()])
  expect([first.status, second.status]).toEqual([200, 200])
  expect(String(second.body)).toBe(String(first.body))
})
