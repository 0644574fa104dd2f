/** `trace` and `blame`: what is remembered of commits, in words. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blameCommand, runProgram, traceCommand } from '../../src/cli/index.js'
import { filledWorld } from '../api/filled-world.js'
import { commit, job, jobSource, sourceStatus } from '../fixtures.js'
import { captureIo } from './captured-io.js'

const ID = 'c0ffee00'.repeat(5)
const at = Date.UTC(2026, 5, 1, 12)
const made = commit({ id: ID, subject: 'newer image', author: 'Ann', atMs: at })
const trace = {
  commit: made,
  detectedMs: at + 500,
  verifiedMs: null,
  parsedMs: at + 512,
  appliedMs: at + 513,
  registered: 1,
  waiting: 1,
  removed: 0,
  frozen: 0,
}

const world = filledWorld({})
let address = ''
beforeAll(async () => {
  address = await world.http.listen({ host: '127.0.0.1', port: 0 })
  world.change((state, index) => {
    state.commitTraces.put(index, trace)
    const { CreateIndex: createIndex } = state.jobs.get('default\u0000web')!
    const own = { namespace: 'default', jobId: 'web', createIndex, version: 0, commit: made }
    state.versionSources.put(index, { ...own, path: 'jobs/web.nomad.hcl', revertOf: null })
    const times = { registeredMs: at + 513, plannedMs: at + 515, placedMs: at + 515, endedMs: at + 62_500, outcome: 'healthy' as const }
    state.versionTimes.put(index, { ...own, commit: ID, ...times })
    const order = { dependsOn: [{ namespace: 'default', jobId: 'absent' }], bundle: '', suspend: null, hooks: [] }
    const source = jobSource({ namespace: 'default', jobId: 'later', path: 'jobs/later.nomad.hcl', order })
    state.waitingChanges.put(index, {
      namespace: 'default',
      jobId: 'later',
      bundle: '',
      job: job({ ID: 'later' }),
      source,
      commit: ID,
      sinceMs: at,
    })
  })
})
afterAll(() => world.http.close())

async function drover(...args: readonly string[]) {
  const { io, said } = captureIo({ env: { DROVER_ADDR: address } })
  return { code: await runProgram(args, io, { version: '0.1.0', commands: [traceCommand, blameCommand] }), ...said }
}

test('trace tells the steps of a commit and of its jobs, from when it was detected', async () => {
  const { code, out, err } = await drover('trace', 'c0ff')
  expect(code).toBe(0)
  expect(out).toMatch(/^commit +c0ffee00 newer image \(Ann\)$/m)
  expect(out).toMatch(/^verified +not asked for$/m)
  expect(out).toMatch(/^applied +\+0\.013s: 1 registered, 1 put beside to wait, 0 removed, 0 with mistakes$/m)
  expect(out).toMatch(/^web +v0 +\+0\.013s +\+0\.015s +\+0\.015s +\+62\.0s +healthy$/m)
  expect(out).toMatch(/^later +- +- +- +- +- +waiting$/m)
  expect(err).toBe('later: absent is not there yet\n')
})

test('trace without a commit is about the one that is applied', async () => {
  world.change((state, index) => state.sources.put(index, sourceStatus({ commit: made })))
  expect((await drover('trace')).out).toMatch(/newer image/)
})

test('a commit that was not applied is one sentence and exit code 1', async () => {
  const { code, err } = await drover('trace', 'deadbeef')
  expect([code, err]).toEqual([1, expect.stringMatching(/^drover: no commit deadbeef was applied here: .*\n$/)])
})

test('blame tells the commit of a field, and what is no field', async () => {
  const { code, out } = await drover('blame', 'web', '--field', 'driver')
  expect(code).toBe(0)
  expect(out).toMatch(/^c0ffee00 +Ann +2026-06-01 +v0 +TaskGroups\[group\]\.Tasks\[main\]\.Driver +"/m)
  expect((await drover('blame', 'web', '--field', 'colour')).err).toBe('drover: job web has no field with colour in its path\n')
})
