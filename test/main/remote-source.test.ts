import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startHttpRemote, whyNoHttp } from '../adapters/git-remotes.js'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const TOKEN = 'sesame-open-canary'
const JOB = (id: string, count = 1) =>
  `job "${id}" {\n  group "g" {\n    count = ${count}\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`

interface SourceAnswer {
  readonly commit: { readonly id: string } | null
  readonly problem: string | null
  readonly held: { readonly reason: string } | null
  readonly remote: { readonly url: string; readonly problem: string | null; readonly ageMs: number | null }
}

let folder: string
let work: ScratchRepository
let bare: string
let undo: (() => unknown)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-remote-server-'))
  work = new ScratchRepository()
  work.commit({ 'jobs/a.nomad.hcl': JOB('a') })
  bare = join(folder, 'cluster.git')
  execFileSync('git', ['clone', '-q', '--bare', work.folder, bare], { stdio: 'pipe' })
  work.git('remote', 'add', 'origin', bare)
  undo = [() => work.remove(), () => rmSync(folder, { recursive: true, force: true })]
})
afterEach(async () => {
  for (const step of undo.reverse()) await step()
})

function push(files: Readonly<Record<string, string>>, ...flags: string[]): string {
  const id = work.commit(files)
  work.git('push', '-q', ...flags, 'origin', 'main')
  return id
}

async function serve(more: Readonly<Record<string, unknown>> = {}, config: Readonly<Record<string, unknown>> = {}) {
  const remote = await startHttpRemote(folder, { password: TOKEN })
  undo.push(() => remote.stop())
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, `${TOKEN}\n`)
  const source = {
    repository: remote.url('cluster.git'),
    ref: 'refs/heads/main',
    poll_seconds: 0.2,
    access: { token_file: tokenFile },
    ...more,
  }
  const server = new ServerProcess(folder, { source, ...config })
  undo.push(() => server.stop())
  return { remote, server, tokenFile }
}

const readSource = async (server: ServerProcess, isWanted: (source: SourceAnswer) => boolean): Promise<SourceAnswer> =>
  (await server.until<SourceAnswer[]>('/drover/v1/source', ([source]) => source !== undefined && isWanted(source)))[0]!

describe.skipIf(whyNoHttp !== undefined)(`a server on a remote ${whyNoHttp ?? ''}`, () => {
  test('what is pushed runs; a remote that goes away changes nothing and is told with its age; the token stays where it is', async () => {
    const { remote, server, tokenFile } = await serve()
    await server.start()
    const pushed = push({ 'jobs/b.nomad.hcl': JOB('b') })
    await readSource(server, ({ commit }) => commit?.id === pushed)
    expect(await server.get('/v1/jobs')).toMatchObject([{ ID: 'a' }, { ID: 'b' }])

    writeFileSync(tokenFile, 'other-canary\n')
    const refused = await readSource(server, (source) => source.remote.problem !== null)
    expect(refused).toMatchObject({
      problem: null,
      commit: { id: pushed },
      remote: { problem: expect.stringContaining('refuses the token in') },
    })
    expect(refused.remote.ageMs).toBeGreaterThan(0)
    const health = await server.get<{ server: { ok: boolean; message: string } }>('/v1/agent/health')
    expect(health.server).toMatchObject({ ok: true, message: expect.stringMatching(/refuses the token .*; what is here is \d+ s old/) })
    const metrics = await (await fetch(`${server.url}/v1/metrics?format=prometheus`)).text()
    expect(metrics).toMatch(/drover_source_remote_reachable\{[^}]*\} 0\n/)
    expect(metrics).toMatch(/drover_source_remote_age_seconds\{[^}]*\} [\d.]+\n/)
    expect(metrics).toMatch(/drover_source_reconcile_seconds_count\{[^}]*result="succeeded"[^}]*\} [1-9]\d*\n/)
    expect(metrics).toMatch(/drover_source_remote_fetch_seconds_count\{[^}]*result="failed"[^}]*\} [1-9]\d*\n/)
    expect(metrics).toMatch(/drover_source_reconcile_age_seconds\{[^}]*\} [\d.]+\n/)
    expect(await server.get('/v1/jobs')).toHaveLength(2)

    writeFileSync(tokenFile, `${TOKEN}\n`)
    await readSource(server, (source) => source.remote.problem === null)
    expect(server.output.match(/the remote cannot be fetched/g)).toHaveLength(1)
    expect(server.output).toContain('the remote answers again')

    const shown = [server.output, JSON.stringify(await server.get('/drover/v1/source')), JSON.stringify(await server.get('/v1/agent/self'))]
    const stored = filesBelow(server.dataFolder).map((path) => readFileSync(path, 'latin1'))
    expect([...shown, ...stored].filter((text) => text.includes('canary'))).toEqual([])
    expect(remote.requests.length).toBeGreaterThan(0)
  })

  test('without its remote a server starts on what it has, and never for the first time', async () => {
    const { remote, server } = await serve()
    await remote.stop()
    expect(await server.fail()).toBe(1)
    expect(server.output).toContain('does not answer; it is tried again, and what runs stays as it is')
  })

  test('a server that has run before starts also when the remote is away, and its copy is gone', async () => {
    const { remote, server } = await serve()
    await server.start()
    await server.stop()
    await remote.stop()
    await server.start()
    expect(await server.get('/v1/jobs')).toMatchObject([{ ID: 'a' }])
    await server.stop()
    rmSync(join(server.dataFolder, 'mirror'), { recursive: true })
    await server.start()
    expect(await server.get('/v1/jobs')).toMatchObject([{ ID: 'a' }])
  })

  test('a history that was rewritten waits for its trailer, and a deleted branch takes nothing away', async () => {
    const { server } = await serve()
    await server.start()
    const first = push({ 'jobs/b.nomad.hcl': JOB('b') })
    await readSource(server, ({ commit }) => commit?.id === first)
    work.git('reset', '-q', '--hard', 'HEAD~1')
    push({ 'jobs/c.nomad.hcl': JOB('c') }, '--force')
    await readSource(server, ({ held }) => held?.reason === 'rewind')
    execFileSync('git', ['-C', bare, 'update-ref', '-d', 'refs/heads/main'])
    await readSource(server, (source) => source.remote.problem?.includes('has no refs/heads/main; push it') === true)
    expect(await server.get('/v1/jobs')).toMatchObject([{ ID: 'a' }, { ID: 'b' }])
  })

  test('a webhook has the remote looked at now, and nobody else has', async () => {
    const secretFile = join(folder, 'hook')
    writeFileSync(secretFile, 'hook-canary\n')
    const { server } = await serve({ poll_seconds: 3_600, webhook: { forge: 'gitlab', secret_file: secretFile } })
    await server.start()
    const pushed = push({ 'jobs/b.nomad.hcl': JOB('b') })
    const hook = (token: string) =>
      fetch(`${server.url}/drover/v1/hooks/default`, { method: 'POST', body: '{}', headers: { 'x-gitlab-token': token } })
    expect((await hook('guess')).status).toBe(401)
    expect(await readSource(server, () => true)).not.toMatchObject({ commit: { id: pushed } })
    expect((await hook('hook-canary')).status).toBe(202)
    await readSource(server, ({ commit }) => commit?.id === pushed)
    const metrics = await (await fetch(`${server.url}/v1/metrics?format=prometheus`)).text()
    expect(metrics).toMatch(/drover_source_webhooks_total\{[^}]*result="accepted"\} 1\n/)
  })

  test('tags are followed by their versions', async () => {
    work.git('tag', 'v1.0.0')
    work.git('push', '-q', 'origin', 'v1.0.0')
    const { server } = await serve({ ref: 'refs/tags/v*', versions: '^1' })
    await server.start()
    const second = work.commit({ 'jobs/b.nomad.hcl': JOB('b') })
    work.git('tag', 'v1.1.0')
    work.commit({ 'jobs/c.nomad.hcl': JOB('c') })
    work.git('tag', 'v2.0.0')
    work.git('push', '-q', 'origin', 'v1.1.0', 'v2.0.0')
    await readSource(server, ({ commit }) => commit?.id === second)
    expect(await server.get('/v1/jobs')).toMatchObject([{ ID: 'a' }, { ID: 'b' }])
  })
})

function filesBelow(top: string): readonly string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
