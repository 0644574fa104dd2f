/**
 * B12 for tasks with a root of their own: what a task of `exec` takes beyond itself, and what one of `docker` takes of the agent, with the
 * time to start some beside `docker run` of the same image in a loop. Both need root; docker needs its engine, of which one is started.
 */
import { execFileSync } from 'node:child_process'
import { type Cluster, until } from '../test/acceptance/cluster.js'
import { IMAGE, TestEngine, whyNoEngine } from '../test/adapters/drivers/docker-engine.js'
import { startEmptyCluster } from './empty-cluster.js'
import { type BenchOptions, type Measurement, measurement } from './measurement.js'
import { processes, pssOf } from './processes.js'
import { type SleepingJob, sleepingJob } from './sleeping-job.js'

const RUNNING_WITHIN_MS = 180_000
const SECONDS = '86397'
const ARGS = `args = ["${SECONDS}"]`

/** @returns milliseconds from the commit until all of it runs */
async function runJob(cluster: Cluster, job: Pick<SleepingJob, 'name' | 'count' | 'driver' | 'config'>): Promise<number> {
  const { name, count } = job
  cluster.write(`jobs/${name}.nomad.hcl`, sleepingJob({ ...job, cpuMhz: 10, memoryMb: 16 }))
  const began = performance.now()
  cluster.commit(name)
  await until(`all of ${name} run`, RUNNING_WITHIN_MS, async () => {
    const all = await cluster.get<readonly { ClientStatus: string }[]>(`/v1/job/${name}/allocations`).catch(() => [])
    return all.filter(({ ClientStatus }) => ClientStatus === 'running').length >= count
  })
  return performance.now() - began
}

function agentPss(cluster: Cluster): number {
  return pssOf(processes((line) => line.includes(cluster.folder) && line.includes('agent --config')))
}

export async function* sandboxCost({ quick }: BenchOptions): AsyncIterable<Measurement> {
  if (process.getuid?.() !== 0) return
  const count = quick ? 10 : 100
  const cluster = await startEmptyCluster()
  try {
    const job = { driver: 'exec', config: ['command = "/bin/sleep"', ARGS] }
    // The first loads what all have in common.
    await runJob(cluster, { name: 'first', count: 1, ...job })
    const before = agentPss(cluster)
    const tookMs = await runJob(cluster, { name: 'sandboxes', count, ...job })
    const helpers = processes((line) => line.includes(cluster.folder) && (line.includes('drover-run') || line.includes('bwrap')))
    const name = `exec,tasks=${count}`
    yield measurement('B12', name, 'commit-to-all-running', 'ms', [tookMs])
    yield measurement('B12', name, 'agent-pss-a-task', 'bytes', [(agentPss(cluster) - before) / count])
    yield measurement('B12', name, 'helpers-a-task', 'count', [helpers.length / (count + 1)])
    yield measurement('B12', name, 'helper-pss-a-task', 'bytes', [pssOf(helpers) / (count + 1)])
  } finally {
    await cluster.remove()
  }
}

export async function* containerCost({ quick }: BenchOptions): AsyncIterable<Measurement> {
  if (whyNoEngine() !== undefined) return
  const count = quick ? 4 : 20
  const engine = await TestEngine.start()
  const hostBefore = process.env['DOCKER_HOST']
  process.env['DOCKER_HOST'] = engine.endpoint
  try {
    const loopMs = runInLoop(engine, count)
    const cluster = await startEmptyCluster()
    try {
      const job = { driver: 'docker', config: [`image = "${IMAGE}"`, 'network_mode = "none"', 'command = "sleep"', ARGS] }
      await runJob(cluster, { name: 'first', count: 1, ...job })
      const before = agentPss(cluster)
      const tookMs = await runJob(cluster, { name: 'containers', count, ...job })
      const name = `docker,tasks=${count}`
      yield measurement('B12', name, 'docker-run-in-a-loop', 'ms', [loopMs])
      yield measurement('B12', name, 'commit-to-all-running', 'ms', [tookMs])
      yield measurement('B12', name, 'commit-to-all-running.times-the-loop', 'ratio', [tookMs / loopMs])
      yield measurement('B12', name, 'agent-pss-a-task', 'bytes', [(agentPss(cluster) - before) / count])
    } finally {
      await cluster.remove()
    }
  } finally {
    if (hostBefore === undefined) delete process.env['DOCKER_HOST']
    else process.env['DOCKER_HOST'] = hostBefore
    await engine.remove()
  }
}

/** @returns milliseconds */
function runInLoop(engine: TestEngine, count: number): number {
  const docker = (...words: string[]) => execFileSync('docker', ['-H', engine.endpoint, ...words], { encoding: 'utf8' }).trim()
  const ids: string[] = []
  const began = performance.now()
  for (let n = 0; n < count; n++) ids.push(docker('run', '-d', '--network', 'none', '--memory', '16m', IMAGE, 'sleep', SECONDS))
  const tookMs = performance.now() - began
  docker('rm', '-f', ...ids)
  return tookMs
}
