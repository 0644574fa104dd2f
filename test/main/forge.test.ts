import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type StandIn, startForge } from '../adapters/forge-stand-in.js'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const TOKEN = 'forge-canary'
const JOB = (id: string, count: number) =>
  `job "${id}" {\n  group "g" {\n    count = ${count}\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`

let folder: string
let work: ScratchRepository
let forge: StandIn
let server: ServerProcess | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-forge-'))
  work = new ScratchRepository()
  work.commit({ 'jobs/a.nomad.hcl': JOB('a', 1) })
  forge = await startForge('github', 'ops/cluster', TOKEN)
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  await forge.stop()
  work.remove()
  rmSync(folder, { recursive: true, force: true })
})

test('a request is told what merging it would do, also when the branch has gone on, and when it is in conflict', {
  timeout: 120_000,
}, async () => {
  const bare = join(folder, 'cluster.git')
  execFileSync('git', ['clone', '-q', '--bare', work.folder, bare], { stdio: 'pipe' })
  work.git('checkout', '-q', '-b', 'feature')
  const head = work.commit({ 'jobs/a.nomad.hcl': JOB('a', 3) })
  work.git('push', '-q', bare, 'feature:refs/pull/7/head')
  work.git('checkout', '-q', 'main')
  const applied = work.commit({ 'jobs/b.nomad.hcl': JOB('b', 1) })
  work.git('push', '-q', bare, 'main')
  forge.requests.push({ number: 7, headId: head, branch: 'main' })
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`)
  writeFileSync(join(folder, 'hook'), 'hook\n')
  const source = {
    repository: `file://${bare}`,
    ref: 'refs/heads/main',
    poll_seconds: 3_600,
    webhook: { forge: 'gitlab', secret_file: join(folder, 'hook') },
    forge: { kind: 'github', project: 'ops/cluster', api: forge.api, token_file: join(folder, 'token') },
  }
  server = new ServerProcess(folder, { source })
  await server.start()
  const commentIs = (wanted: RegExp) =>
    vi.waitFor(() => expect(forge.comments.get(7)?.map(({ body }) => body)).toEqual([expect.stringMatching(wanted)]), { timeout: 50_000 })
  // That b is not in the branch of the request does not mean that merging takes it away.
  await commentIs(
    /^<!-- drover: plan -->\n### Drover: plan of ` [0-9a-f]{12} `[\s\S]*1 of 2 jobs would change[\s\S]*\| ~ \| ` a ` \| changed \|[\s\S]*Count: "1" -> "3"/,
  )
  // The status follows the comment.
  const statusIs = (wanted: object) => vi.waitFor(() => expect(forge.statuses.get(head)?.at(-1)).toMatchObject(wanted), { timeout: 50_000 })
  await statusIs({ state: 'success', description: expect.stringMatching(/^1 of 2 jobs would change/) })
  await vi.waitFor(() => expect(forge.statuses.get(applied)).toMatchObject([{ state: 'success' }]), { timeout: 50_000 })

  work.commit({ 'jobs/a.nomad.hcl': JOB('a', 7) })
  work.git('push', '-q', bare, 'main')
  await fetch(`${server.url}/drover/v1/hooks/default`, { method: 'POST', body: '{}', headers: { 'x-gitlab-token': 'hook' } })
  await commentIs(/no plan of[\s\S]*in conflict[\s\S]*jobs\/a\.nomad\.hcl/)
  await statusIs({ state: 'failure', description: 'conflicts in 1 file(s)' })
  expect(forge.refused).toEqual([])
  expect(server.output).not.toContain('canary')
})
