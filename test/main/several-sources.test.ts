/** A server that follows several repositories, as its operator runs it. */
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RefPlanAnswer, SourceAnswer } from '../../src/cli/wire.js'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const JOB = (id: string, more = '') =>
  `job "${id}" {\n  ${more}\n  group "g" {\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`
const ALLOW = { namespaces: ['shop'], node_pools: ['default'], drivers: ['mock_driver'] }

let folder: string
let platform: ScratchRepository
let shop: ScratchRepository
let server: ServerProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-several-'))
  platform = new ScratchRepository()
  shop = new ScratchRepository()
  platform.commit({ 'jobs/web.nomad.hcl': JOB('web') })
  shop.commit({ 'jobs/shop/cart.nomad.hcl': JOB('cart') })
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  for (const repository of [platform, shop]) repository.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function start(sources: Readonly<Record<string, object>>): Promise<ServerProcess> {
  server = new ServerProcess(folder, { source: { repository: platform.folder, ref: 'refs/heads/main' }, sources })
  await server.start()
  return server
}

type Sources = readonly (SourceAnswer & { readonly problem: string | null })[]
const sourceOf = (sources: Sources, id: string) => sources.find((source) => source.id === id)

function drover(cwd: string, running: ServerProcess, ...words: readonly string[]): string {
  const all = [resolve('dist/main/cli.js'), ...words, '--address', running.url]
  try {
    return `0 ${execFileSync(process.execPath, all, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })}`
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
    return `${status} ${stdout}${stderr}`
  }
}

test('each repository has its jobs, its plans and its webhook; what one may not do is told and changes nothing', {
  timeout: 120_000,
}, async () => {
  const bare = join(folder, 'shop.git')
  execFileSync('git', ['clone', '-q', '--bare', shop.folder, bare], { stdio: 'pipe' })
  writeFileSync(join(folder, 'hook'), 'canary')
  const running = await start({
    shop: {
      repository: `file://${bare}`,
      ref: 'refs/heads/main',
      poll_seconds: 3_600,
      webhook: { forge: 'generic', secret_file: join(folder, 'hook') },
      allow: ALLOW,
    },
  })
  await running.until<Sources>('/drover/v1/source', (sources) => sourceOf(sources, 'shop')?.jobs === 1)
  // That nothing is here before the first fetch is no news.
  expect(running.output).not.toContain('cannot be read')
  expect(await running.get('/v1/job/cart/submission?namespace=shop&version=0')).toMatchObject({ Source: JOB('cart') })

  shop.commit({ 'jobs/shop/more.nomad.hcl': JOB('more'), 'jobs/other.nomad.hcl': JOB('other') })
  shop.git('push', '-q', bare, 'main')
  const post = (name: string, body: string) => {
    const proof = createHmac('sha256', 'canary').update(body).digest('hex')
    return fetch(`${running.url}/drover/v1/hooks/${name}`, { method: 'POST', body, headers: { 'x-signature': `sha256=${proof}` } })
  }
  expect([(await post('default', '{}')).status, (await post('shop', '{}')).status]).toEqual([401, 202])
  const sources = await running.until<Sources>('/drover/v1/source', (all) => sourceOf(all, 'shop')?.jobs === 2)
  expect(sourceOf(sources, 'shop')?.frozen).toMatchObject([{ path: 'jobs/other.nomad.hcl' }])
  const metrics = await (await fetch(`${running.url}/v1/metrics?format=prometheus`)).text()
  expect(metrics).toMatch(/drover_source_frozen_files\{[^}]*source="shop"[^}]*\} 1/)
  expect(metrics).toMatch(/drover_source_webhooks_total\{[^}]*result="accepted"[^}]*\} 1/)

  shop.commit({ 'jobs/shop/web.nomad.hcl': JOB('web'), 'jobs/shop/cart.nomad.hcl': JOB('cart', 'priority = 99') })
  const plan = drover(shop.folder, running, 'plan', '--ref', 'HEAD')
  expect(plan).toMatch(/^255 /)
  expect(plan).toContain('as a commit of the source shop')
  expect(plan).toContain('jobs/shop/cart.nomad.hcl: priority 99 is above 50, the highest of this source')
  expect(plan).toMatch(/\+ shop\/web {2}new/)
  expect(plan).not.toContain('removed')
  expect(drover(platform.folder, running, 'plan')).toMatch(/^0 nothing would change|^0 $/)
  expect(drover(folder, running, 'plan', '--source', 'nope')).toMatch(
    /^255 [\s\S]*the server follows no source "nope"; there are: default, shop/,
  )
  shop.git('push', '-q', bare, 'main:refs/pull/1/head')
  const told = await running.get<RefPlanAnswer>('/drover/v1/plan?source=shop&ref=refs/pull/1/head')
  expect([told.source, told.jobs.map(({ id, change }) => [id, change])]).toEqual([
    'shop',
    expect.arrayContaining([
      ['web', 'new'],
      ['cart', 'frozen'],
      ['more', 'none'],
    ]),
  ])
  expect(drover(folder, running, 'status')).toMatch(/^shop +refs\/heads\/main +2 +1 +\d+s +/m)
})

test('a repository that is not there when the server starts is followed as soon as it is', { timeout: 120_000 }, async () => {
  const later = join(folder, 'later')
  const running = await start({ shop: { repository: later, ref: 'refs/heads/main', allow: ALLOW } })
  const before = await running.until<Sources>('/drover/v1/source', (all) => sourceOf(all, 'shop')?.problem !== null)
  expect(sourceOf(before, 'shop')).toMatchObject({ problem: expect.stringContaining(`${later} is not a folder`), commit: null })
  expect(sourceOf(before, 'default')).toMatchObject({ problem: null, jobs: 1 })
  execFileSync('git', ['clone', '-q', shop.folder, `${later}.tmp`], { stdio: 'pipe' })
  renameSync(`${later}.tmp`, later)
  await running.until<Sources>('/drover/v1/source', (all) => sourceOf(all, 'shop')?.jobs === 1)
  // And from then on by events.
  execFileSync('git', ['-C', later, '-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-q', '--allow-empty', '-m', 'next'])
  await running.until<Sources>('/drover/v1/source', (all) => sourceOf(all, 'shop')?.commit?.subject === 'next')
})
