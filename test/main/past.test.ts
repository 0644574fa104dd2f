/** `--at` on a real server: the log is read beside it, by a process of its own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from '../../src/cli/index.js'
import { jobsCommand } from '../../src/cli/lists/jobs.js'
import { statusCommand } from '../../src/cli/status.js'
import { captureIo } from '../cli/captured-io.js'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const JOB = (id: string, count: number) =>
  `job "${id}" {\n  group "g" {\n    count = ${count}\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n`

let folder: string
let work: ScratchRepository
let server: ServerProcess
let commits: readonly string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-past-'))
  work = new ScratchRepository()
  const first = work.commit({ 'jobs/web.nomad.hcl': JOB('web', 1) })
  server = new ServerProcess(folder, { source: { repository: work.folder, ref: 'refs/heads/main' } })
  await server.start()
  const second = work.commit({ 'jobs/web.nomad.hcl': JOB('web', 3), 'jobs/site.nomad.hcl': JOB('site', 1) })
  await applied(second)
  const third = work.commit({ 'jobs/site.nomad.hcl': null })
  await applied(third)
  commits = [first, second, third]
}, 120_000)
afterAll(async () => {
  await server.stop()
  const left = readersOfThePast()
  work.remove()
  rmSync(folder, { recursive: true, force: true })
  expect(left).toEqual([])
})

const applied = (id: string) =>
  server.until<readonly { commit: { id: string } }[]>('/drover/v1/source', ([source]) => source?.commit.id === id)

const countsAt = async (at: string) => {
  const jobs = await server.get<readonly { ID: string; Stop: boolean }[]>(`/v1/jobs?at=${at}`)
  const groups = await Promise.all(
    jobs.map(async ({ ID, Stop }) => {
      const { TaskGroups } = await server.get<{ TaskGroups: readonly { Count: number }[] }>(`/v1/job/${ID}?at=${at}`)
      return [ID, Stop ? 0 : TaskGroups[0]!.Count] as const
    }),
  )
  return Object.fromEntries(groups)
}

/** Of the processes that the server has started. */
function readersOfThePast(): readonly number[] {
  return execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('past-reader') && line.includes(folder))
    .map((line) => Number.parseInt(line, 10))
}

test('each commit is found as it stood, in any order and several at once', { timeout: 120_000 }, async () => {
  const [first, second, third] = commits as [string, string, string]
  expect(await countsAt(second)).toEqual({ web: 3, site: 1 })
  const answers = await Promise.all([first, third, second.slice(0, 7), first].map(countsAt))
  expect(answers).toEqual([{ web: 1 }, { web: 3, site: 0 }, { web: 3, site: 1 }, { web: 1 }])
  const response = await fetch(`${server.url}/v1/jobs?at=${first}`)
  expect(response.headers.get('x-drover-commit')).toBe(first)
  expect(Date.parse(response.headers.get('x-drover-at')!)).toBeLessThanOrEqual(Date.now())
})

test('what cannot be told is refused in a sentence', { timeout: 120_000 }, async () => {
  const ask = async (at: string) => {
    const response = await fetch(`${server.url}/v1/jobs?at=${at}`)
    return [response.status, await response.text()]
  }
  expect(await ask('yesterday')).toEqual([
    400,
    '"yesterday" is no past: give seven characters or more of a commit\'s id, or a time such as 2026-11-30T12:00:00Z',
  ])
  expect(await ask('deadbeef')).toEqual([404, 'no commit deadbeef was applied'])
  expect(await ask('2001-01-01')).toEqual([404, expect.stringMatching(/^what is kept begins at 20\d\d-/)])
  const gone = await fetch(`${server.url}/v1/job/site?at=${commits[0]}`)
  expect([gone.status, await gone.text()]).toEqual([404, 'job not found'])
})

test('commands say of when they tell', { timeout: 120_000 }, async () => {
  const { io, said } = captureIo({ env: { DROVER_ADDR: server.url } })
  const run = (...args: readonly string[]) => runProgram(args, io, { version: '0.1.0', commands: [jobsCommand, statusCommand] })
  expect(await run('jobs', '--at', commits[1]!.slice(0, 8), '-o', 'name')).toBe(0)
  expect(said.out).toBe('site\nweb\n')
  expect(said.err).toMatch(new RegExp(`^as of 20\\d\\d-[^ ]+Z, commit ${commits[1]!.slice(0, 12)}\n$`))
  expect(await run('status', 'site', '--at', commits[1]!)).toBe(0)
  expect(await run('status', 'site', '--at', commits[0]!)).toBe(1)
  expect(await run('jobs', '--at', '0s', '-o', 'name')).toBe(0)
  expect(await run('jobs', '--at', '5m', '--watch')).toBe(1)
  expect(said.err).toContain('the past does not change: leave out --watch, or --at')
})

test('a reader that dies is started again', { timeout: 120_000 }, async () => {
  await countsAt(commits[0]!)
  const [pid] = readersOfThePast()
  process.kill(pid!, 'SIGKILL')
  await server.until(`/v1/jobs?at=${commits[0]}`, () => true)
  expect(await countsAt(commits[0]!)).toEqual({ web: 1 })
})
