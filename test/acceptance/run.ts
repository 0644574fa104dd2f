/**
 * `npm run acceptance`: the outcomes of the README on a temporary repository, one after the other, with real processes.
 * Prints each with its figures and exits 1 at the first that fails.
 */
import { existsSync } from 'node:fs'
import { Cluster, isAlive, killQuietly, until } from './cluster.js'
import { expectManyCommits } from './many-commits.js'
import { expectRefusals } from './refusals.js'

type Stub = { ID: string; Status: string; JobSummary: { Summary: Record<string, { Running: number }> } }
type AllocationStub = {
  ID: string
  ClientStatus: string
  DesiredStatus: string
  JobVersion: number
  TaskStates: Record<string, { Restarts: number }> | null
}

const LIVE_WITHIN_MS = 1_000

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

function tell(text: string): void {
  console.log(`ok  ${text}`)
}

/** The one process that runs the greeting, found from outside. */
function greeterPid(cluster: Cluster): number | undefined {
  return cluster.tasksOf('echo "$GREETING"')[0]
}

async function running(cluster: Cluster, version: number): Promise<AllocationStub | undefined> {
  const allocations = await cluster.get<AllocationStub[]>('/v1/job/hello/allocations')
  return allocations.find((each) => each.ClientStatus === 'running' && each.DesiredStatus === 'run' && each.JobVersion === version)
}

async function main(cluster: Cluster): Promise<void> {
  await cluster.start()
  tell(`drover dev says: ${cluster.output.trim().split('\n').join(' | ')}`)
  await until('hello runs', 10_000, async () => (await running(cluster, 0)) !== undefined)
  const first = greeterPid(cluster)
  check(first !== undefined, 'no process of hello was found')
  const jobs = await cluster.get<Stub[]>('/v1/jobs')
  check(
    jobs.some((job) => job.ID === 'hello' && job.Status === 'running'),
    '/v1/jobs does not list hello as running',
  )
  tell(`hello runs as process ${first}`)

  const source = cluster.read('jobs/hello.nomad.hcl')
  cluster.write('jobs/hello.nomad.hcl', source.replace('hello from drover', 'good morning'))
  cluster.commit('say good morning')
  const changeMs = await until(
    'the change is live',
    LIVE_WITHIN_MS,
    async () => (await running(cluster, 1)) !== undefined && !isAlive(first!) && greeterPid(cluster) !== undefined,
  )
  const second = greeterPid(cluster)
  tell(`a commit was live after ${changeMs.toFixed(0)} ms: process ${first} is gone, ${second} runs`)

  cluster.git('revert', '--no-edit', 'HEAD')
  const revertMs = await until(
    'the revert is live',
    LIVE_WITHIN_MS,
    async () => (await running(cluster, 2)) !== undefined && !isAlive(second!) && greeterPid(cluster) !== undefined,
  )
  tell(`git revert was live after ${revertMs.toFixed(0)} ms`)

  const third = greeterPid(cluster)!
  const agents = cluster.pidsOf('agent --config').filter(isAlive)
  if (agents.length > 0) {
    for (const pid of agents) killQuietly(pid)
    await until('the agent is back', 15_000, () => cluster.pidsOf('agent --config').some((pid) => isAlive(pid) && !agents.includes(pid)))
    await until('the task is known to run', 15_000, async () => (await running(cluster, 2)) !== undefined)
    check(isAlive(third), 'the task did not survive the kill of its agent')
    check(
      Object.values((await running(cluster, 2))!.TaskStates ?? {}).every((state) => state.Restarts === 0),
      'the task was restarted',
    )
    tell(`kill -9 of the agent ${agents.join(' ')}: process ${third} went on and was attached again`)
  } else tell('kill -9 of the agent: not tried, the agents run inside the server because no nats-server was found')

  const servers = cluster.pidsOf('server --config').filter(isAlive)
  const before = await cluster.get<{ ModifyIndex: number; Version: number }>('/v1/job/hello')
  for (const pid of servers) killQuietly(pid)
  await until('the server is back', 20_000, async () => {
    try {
      return (await cluster.get<{ Version: number }>('/v1/job/hello')).Version === before.Version
    } catch {
      return false
    }
  })
  check(isAlive(third), 'the task did not survive the kill of the server')
  const after = await cluster.get<{ ModifyIndex: number; Version: number; JobModifyIndex: number }>('/v1/job/hello')
  check(after.Version === before.Version && after.ModifyIndex >= before.ModifyIndex, 'the state did not go on from the log')
  tell(
    `kill -9 of the server ${servers.join(' ')}: process ${third} went on, index ${after.ModifyIndex} and version ${after.Version} continue from the log`,
  )

  cluster.write('jobs/hello.nomad.hcl', source.replace('job "hello" {', 'job "hello" {\n  type = = "service"'))
  cluster.commit('a mistake')
  type SourceAnswer = { frozen: { path: string; mistakes: { line: number; column: number; summary: string }[] }[] }
  const readFrozen = async () => (await cluster.get<SourceAnswer[]>('/drover/v1/source'))[0]!.frozen
  await until('the mistake is reported', 5_000, async () => (await readFrozen()).length === 1)
  const [frozen] = await readFrozen()
  const mistake = frozen!.mistakes[0]!
  check(mistake.line > 0 && mistake.column > 0, 'the mistake has no place')
  check(isAlive(third), 'a syntax error stopped the job')
  tell(`a syntax error is reported as ${frozen!.path}:${mistake.line}:${mistake.column} ${mistake.summary}, the job runs on`)

  cluster.git('rm', '-q', 'jobs/hello.nomad.hcl')
  cluster.commit('remove hello')
  await until('the job is stopped', 5_000, () => !isAlive(third))
  const stopped = await cluster.get<{ Stop: boolean }>('/v1/job/hello')
  check(stopped.Stop, 'the job is not marked as stopped')
  tell('deleting the file stopped the job')

  cluster.git('revert', '--no-edit', 'HEAD~1..HEAD')
  cluster.write('jobs/hello.nomad.hcl', source)
  cluster.commit('hello again')
  await until('hello runs again', 10_000, async () => greeterPid(cluster) !== undefined)
  for (const words of [['status'], ['status', 'hello'], ['validate'], ['plan'], ['render', 'jobs/hello.nomad.hcl'], ['logs', 'hello']]) {
    const { stdout, code } = cluster.cli(...words)
    // What is sound, and what changes nothing, is no news: nothing on stdout then.
    check(
      code === 0 && (stdout.trim() !== '' || words[0] === 'validate' || words[0] === 'plan'),
      `drover ${words.join(' ')} ended with ${code}:\n${stdout}`,
    )
  }
  tell('status, validate, plan, render and logs answer')

  await expectManyCommits(cluster, tell)

  const last = greeterPid(cluster)!
  await cluster.stop()
  check(!isAlive(last), 'Ctrl-C left the task running')
  tell('Ctrl-C ended the tasks and the cluster')
  await expectRefusals(cluster, tell)
}

const cluster = new Cluster()
try {
  if (!existsSync('dist/main/cli.js')) throw new Error('dist/ is not built; run npm run build')
  await main(cluster)
} catch (error) {
  console.error(`FAILED ${error instanceof Error ? error.message : String(error)}`)
  console.error(cluster.output.slice(-2_000))
  process.exitCode = 1
} finally {
  await cluster.remove()
}
