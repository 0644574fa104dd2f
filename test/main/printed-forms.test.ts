/** What the installed program prints: some of its parts are loaded only when they are asked for. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const JOB = 'job "web" {\n  group "g" {\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n'

const folder = mkdtempSync(join(tmpdir(), 'drover-forms-'))
const work = new ScratchRepository()
let server: ServerProcess
beforeAll(async () => {
  work.commit({ 'jobs/web.nomad.hcl': JOB })
  server = new ServerProcess(folder, { source: { repository: work.folder, ref: 'refs/heads/main' } })
  await server.start()
}, 120_000)
afterAll(async () => {
  await server.stop()
  work.remove()
  rmSync(folder, { recursive: true, force: true })
})

const drover = (...words: readonly string[]) =>
  execFileSync(process.execPath, [resolve('dist/main/cli.js'), ...words, '--address', server.url], { cwd: folder, encoding: 'utf8' })

test.each([['status'], ['inspect', 'web'], ['nodes'], ['evaluations']])('%s %s says the same in YAML and in JSON', (...words) => {
  expect(parse(drover(...words, '-o', 'yaml'))).toEqual(JSON.parse(drover(...words, '--json')))
})

test('names are printed one a line', () => {
  expect(drover('status', '-o', 'name')).toBe('web\n')
})
