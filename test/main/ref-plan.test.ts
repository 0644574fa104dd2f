import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RefPlanAnswer } from '../../src/cli/wire.js'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const JOB = (id: string, count = 1) =>
  `job "${id}" {\n  group "g" {\n    count = ${count}\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`

let folder: string
let work: ScratchRepository
let server: ServerProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-ref-plan-'))
  work = new ScratchRepository()
  work.commit({ 'jobs/a.nomad.hcl': JOB('a'), 'jobs/b.nomad.hcl': JOB('b') })
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  work.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function start(source: Readonly<Record<string, unknown>>): Promise<ServerProcess> {
  server = new ServerProcess(folder, { source })
  await server.start()
  return server
}

/** A branch that changes one job, adds one, breaks one and takes none away. */
function branch(): string {
  work.git('checkout', '-q', '-b', 'feature')
  const id = work.commit(
    { 'jobs/a.nomad.hcl': JOB('a', 3), 'jobs/ops/c.nomad.hcl': JOB('c'), 'jobs/broken.nomad.hcl': 'job "x" {' },
    'the feature',
  )
  work.git('checkout', '-q', 'main')
  return id
}

const changesOf = ({ jobs }: RefPlanAnswer) => Object.fromEntries(jobs.map(({ id, path, change }) => [id || path, change]))
const ask = (running: ServerProcess, ref: string) => fetch(`${running.url}/drover/v1/plan?ref=${encodeURIComponent(ref)}`)

test('a server says what any commit of its repository would change, and changes nothing', { timeout: 120_000 }, async () => {
  const feature = branch()
  const running = await start({ repository: work.folder, ref: 'refs/heads/main' })
  const jobsBefore = await running.get('/v1/jobs')
  const plan = await running.get<RefPlanAnswer>('/drover/v1/plan?ref=refs/heads/feature')
  expect(plan).toMatchObject({
    ref: 'refs/heads/feature',
    commit: { id: feature, subject: 'the feature' },
    appliedId: work.git('rev-parse', 'main'),
  })
  expect(changesOf(plan)).toEqual({ a: 'changed', b: 'none', c: 'new', 'jobs/broken.nomad.hcl': 'frozen' })
  expect(plan.namespaces).toEqual(['ops'])
  expect(plan.mistakes).toMatchObject([{ place: expect.stringMatching(/^jobs\/broken\.nomad\.hcl/) }])
  const changed = plan.jobs.find(({ id }) => id === 'a')?.plan
  expect(changed?.Diff).toMatchObject({ Type: 'Edited', TaskGroups: [{ Fields: [{ Name: 'Count', Old: '1', New: '3' }] }] })
  expect(changed?.FailedTGAllocs).toMatchObject({ g: { NodesEvaluated: 0 } })
  expect(changesOf(await running.get<RefPlanAnswer>(`/drover/v1/plan?ref=${feature}`))).toEqual(changesOf(plan))
  expect(await running.get('/v1/jobs')).toEqual(jobsBefore)

  const refused = async (ref: string) => {
    const response = await ask(running, ref)
    return `${response.status} ${await response.text()}`
  }
  expect(await refused('')).toMatch(/^400 name what is to be planned/)
  expect(await refused('feature')).toMatch(/^400 the ref feature is a short name; write refs\/heads\/feature/)
  expect(await refused('refs/heads/x y')).toMatch(/^400 .*is no name of a ref/)
  expect(await refused('refs/heads/nope')).toMatch(/^404 the repository has no commit at refs\/heads\/nope/)
  expect(await refused('f'.repeat(40))).toMatch(/^404/)

  const drover = (...words: string[]) => {
    try {
      return `0 ${execFileSync(process.execPath, [resolve('dist/main/cli.js'), 'plan', '--address', running.url, ...words], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })}`
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return `${status} ${stdout}${stderr}`
    }
  }
  expect(drover('--server', '--ref', 'refs/heads/feature')).toMatch(/^255 [\s\S]*~ a {2}changed[\s\S]*\+ ops\/c {2}new/)
  expect(drover('--server', '--ref', 'refs/heads/feature', '--markdown')).toMatch(
    /^255 ### Drover: plan of [\s\S]*\| ~ \| ` a ` \| changed \|/,
  )
})

test('of a remote, a branch that nobody follows is fetched when it is asked about', { timeout: 120_000 }, async () => {
  const bare = join(folder, 'cluster.git')
  execFileSync('git', ['clone', '-q', '--bare', work.folder, bare], { stdio: 'pipe' })
  const running = await start({ repository: `file://${bare}`, ref: 'refs/heads/main', poll_seconds: 3_600 })
  const feature = branch()
  work.git('push', '-q', bare, 'feature:refs/pull/7/head')
  expect(await running.get<RefPlanAnswer>('/drover/v1/plan?ref=refs/pull/7/head')).toMatchObject({ commit: { id: feature } })
  const gone = await ask(running, 'refs/pull/8/head')
  expect([gone.status, await gone.text()]).toEqual([404, expect.stringContaining('has no refs/pull/8/head')])
})
