/** What keeps a server from starting is told in a sentence, and nothing stays behind. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

let folder: string
let work: ScratchRepository
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-start-'))
  work = new ScratchRepository()
})
afterEach(() => {
  work.remove()
  rmSync(folder, { recursive: true, force: true })
})

test('an agent of its own without a configuration', { timeout: 60_000 }, async () => {
  work.commit({ 'jobs/README.md': 'nothing yet' })
  const missing = join(folder, 'nowhere.yaml')
  const server = new ServerProcess(folder, { source: { repository: work.folder }, local_agents: [missing] })
  expect(await server.fail()).toBe(1)
  expect(server.output).toContain(`the configuration ${missing} cannot be read; name an existing file`)
  expect(server.output).not.toContain('commit ')
})
