import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createForge } from '../../src/adapters/forges/forges.js'
import type { Forge } from '../../src/controller/index.js'
import { type ForgeKind, type StandIn, startForge } from './forge-stand-in.js'

const TOKEN = 'forge-canary'
const HEAD = 'a'.repeat(40)

let standIn: StandIn
let nowMs: number
beforeEach(() => {
  nowMs = 1_800_000_000_000
  process.env['DROVER_TEST_FORGE_TOKEN'] = TOKEN
})
afterEach(async () => {
  delete process.env['DROVER_TEST_FORGE_TOKEN']
  await standIn.stop()
})

async function start(kind: ForgeKind, project = 'ops/cluster'): Promise<Forge> {
  standIn = await startForge(kind, project, TOKEN)
  const token = { kind: 'environment', name: 'DROVER_TEST_FORGE_TOKEN' } as const
  return createForge({ kind, api: standIn.api, project, token, nowMs: () => nowMs })
}

describe.each([
  ['github', 'refs/pull/7/head', 'failure'],
  ['gitlab', 'refs/merge-requests/7/head', 'failed'],
  ['gitea', 'refs/pull/7/head', 'failure'],
] as const)('%s', (kind, ref, failure) => {
  test('the open requests into a branch are told with the ref that gives them out', async () => {
    const forge = await start(kind)
    standIn.requests.push({ number: 7, headId: HEAD, branch: 'main' }, { number: 8, headId: HEAD, branch: 'other' })
    expect(await forge.openRequests('main')).toEqual([{ number: 7, headId: HEAD, ref }])
    expect(standIn.refused).toEqual([])
  })

  test('however many are open, those into a branch are all told', async () => {
    const forge = await start(kind)
    for (let number = 1; number <= 230; number++)
      standIn.requests.push({ number, headId: HEAD, branch: number % 2 === 0 ? 'main' : 'other' })
    const numbers = (await forge.openRequests('main')).map((request) => request.number)
    expect(numbers).toEqual(Array.from({ length: 115 }, (_, at) => 2 * (at + 1)))
    expect(standIn.refused).toEqual([])
  })

  test('a commit has a status in the words of the forge, short enough for it', async () => {
    const forge = await start(kind)
    await forge.setStatus(HEAD, { state: 'failure', description: 'x'.repeat(500) })
    await forge.setStatus(HEAD, { state: 'success', description: 'fine' })
    expect(standIn.statuses.get(HEAD)).toMatchObject([{ state: failure }, { state: 'success', description: 'fine' }])
    expect(standIn.refused).toEqual([])
  })

  test('there is one comment, found again after a restart however many others there are, and made anew when it is gone', async () => {
    const forge = await start(kind)
    const others = Array.from({ length: 120 }, (_, at) => ({ id: at + 1_000, body: 'nice' }))
    standIn.comments.set(7, [...others])
    await forge.putComment(7, '<!-- ours -->', '<!-- ours -->\nfirst')
    await forge.putComment(7, '<!-- ours -->', '<!-- ours -->\nsecond')
    const token = { kind: 'environment', name: 'DROVER_TEST_FORGE_TOKEN' } as const
    const restarted = createForge({ kind, api: standIn.api, project: 'ops/cluster', token, nowMs: () => nowMs })
    await restarted.putComment(7, '<!-- ours -->', '<!-- ours -->\nthird')
    expect(standIn.comments.get(7)?.slice(120)).toMatchObject([{ body: '<!-- ours -->\nthird' }])
    standIn.comments.set(7, [])
    await restarted.putComment(7, '<!-- ours -->', '<!-- ours -->\nfourth')
    expect(standIn.comments.get(7)).toMatchObject([{ body: '<!-- ours -->\nfourth' }])
    expect(standIn.refused).toEqual([])
  })

  test('somebody else’s comment that looks like ours is left alone', async () => {
    const forge = await start(kind)
    standIn.comments.set(7, [{ id: 1, body: '<!-- ours --> said by another' }])
    standIn.foreign.add(1)
    await forge.putComment(7, '<!-- ours -->', '<!-- ours -->\nfirst')
    expect(standIn.comments.get(7)).toMatchObject([{ body: '<!-- ours --> said by another' }, { body: '<!-- ours -->\nfirst' }])
  })
})

test('a project of GitLab may lie in groups', async () => {
  const forge = await start('gitlab', 'ops/infra/cluster')
  await forge.setStatus(HEAD, { state: 'success', description: 'fine' })
  expect(standIn.asked).toEqual([`POST /projects/ops%2Finfra%2Fcluster/statuses/${HEAD}`])
})

test('a GitLab that sets no state twice is content with the state that is there', async () => {
  const forge = await start('gitlab')
  standIn.keepsStates = true
  await forge.setStatus(HEAD, { state: 'success', description: 'fine' })
  await forge.setStatus(HEAD, { state: 'success', description: 'still fine' })
  await forge.setStatus(HEAD, { state: 'failure', description: 'not any more' })
  expect(standIn.statuses.get(HEAD)).toMatchObject([{ description: 'fine' }, { state: 'failed' }])
})

test('a token that is refused is told without it, and a redirect takes it nowhere', async () => {
  const forge = await start('github')
  process.env['DROVER_TEST_FORGE_TOKEN'] = 'wrong-canary'
  const refusal = await forge.openRequests('main').catch((error: Error) => error.message)
  expect(refusal).toMatch(/is answered with 401: .*; the token of source\.forge is not valid/)
  expect(refusal).not.toContain('canary')
  process.env['DROVER_TEST_FORGE_TOKEN'] = TOKEN
  standIn.outage = { status: 302, headers: { location: `${standIn.api}/elsewhere` } }
  await expect(forge.openRequests('main')).rejects.toThrow(/302.*write the new address into source\.forge/)
  expect(standIn.asked.filter((path) => path.includes('elsewhere'))).toEqual([])
  delete process.env['DROVER_TEST_FORGE_TOKEN']
  await expect(forge.openRequests('main')).rejects.toThrow(/the variable DROVER_TEST_FORGE_TOKEN, which is to hold the token of the forge/)
})

test.each([
  [{ 'retry-after': '60' }, 429],
  [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(1_800_000_060) }, 403],
])('a forge that wants to be left alone (%j) is, for as long as it says', async (headers, status) => {
  const forge = await start('github')
  standIn.outage = { status, headers }
  await expect(forge.openRequests('main')).rejects.toThrow(String(status))
  standIn.outage = undefined
  nowMs += 59_000
  await expect(forge.openRequests('main')).rejects.toThrow(/left alone for another 1 s/)
  expect(standIn.asked).toHaveLength(1)
  nowMs += 1_000
  expect(await forge.openRequests('main')).toEqual([])
})
