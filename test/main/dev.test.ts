/** `drover dev` in somebody's repository, and on a remote. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { Cluster } from '../acceptance/cluster.js'
import { startHttpRemote, whyNoHttp } from '../adapters/git-remotes.js'
import { ScratchRepository } from '../scratch-repository.js'

const TOKEN = 'sesame-open-canary'
const WITHIN_MS = 50_000

let undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.reverse()) await step()
  undo = []
})

test('what it keeps in the repository is nothing that git would commit', { timeout: 120_000 }, async () => {
  const cluster = new Cluster()
  undo.push(() => cluster.remove())
  await cluster.start('--agents', '0')
  expect(cluster.git('status', '--porcelain')).toBe('')
})

test.skipIf(whyNoHttp !== undefined)(
  `a remote that asks for a token is read with the one of the environment ${whyNoHttp ?? ''}`,
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-dev-'))
    const work = new ScratchRepository()
    undo.push(
      () => rmSync(folder, { recursive: true, force: true }),
      () => work.remove(),
    )
    const id = work.commit({ 'jobs/README.md': 'nothing yet' })
    execFileSync('git', ['clone', '-q', '--bare', work.folder, join(folder, 'cluster.git')], { stdio: 'pipe' })
    const remote = await startHttpRemote(folder, { password: TOKEN })
    undo.push(() => remote.stop())
    const words = ['dev', '--repo', remote.url('cluster.git'), '--data-dir', join(folder, 'data'), '--http', '127.0.0.1:0', '--agents', '0']
    const run = async (environment: NodeJS.ProcessEnv, isDone: (said: string) => boolean) => {
      const env = { ...process.env, ...environment }
      const child = spawn(process.execPath, [resolve('dist/main/cli.js'), ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
      const ended = new Promise((done) => child.once('close', done))
      await vi.waitFor(() => expect(isDone(said), said).toBe(true), { timeout: WITHIN_MS, interval: 50 })
      child.kill('SIGINT')
      await ended
      return said
    }
    expect(await run({ DROVER_GIT_TOKEN: '' }, (said) => said.includes('asks who reads it'))).toContain('put it into DROVER_GIT_TOKEN')
    expect(await run({ DROVER_GIT_TOKEN: TOKEN }, (said) => said.includes('ready http'))).toContain(`commit ${id.slice(0, 10)}`)
  },
)
