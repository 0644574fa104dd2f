/**
 * B12: what sleeping tasks cost beyond themselves: memory and processes of agent, supervisor and wrappers, and how fast they start.
 * Memory is PSS (shared pages counted once), read from outside.
 */
import { until } from '../test/acceptance/cluster.js'
import { startEmptyCluster } from './empty-cluster.js'
import { type Bench, type BenchOptions, type Measurement, measurement } from './measurement.js'
import { processes, pssOf } from './processes.js'
import { sleepingJob } from './sleeping-job.js'

/** What the burst of starts has left is given back every twenty seconds. */
const SETTLED_AFTER_MS = 45_000
const RUNNING_WITHIN_MS = 120_000
const MARK = '86399'
const SLEEPERS = { name: 'sleepers', driver: 'raw_exec', config: ['command = "/bin/sleep"', `args = ["${MARK}"]`], cpuMhz: 1, memoryMb: 10 }

export const b12: Bench = {
  name: 'B12',
  summary: 'cost of sleeping tasks: memory, processes, starts a second',
  async *run({ quick }: BenchOptions): AsyncIterable<Measurement> {
    for (const count of quick ? [20] : [100, 500]) yield* cost(count, quick ? 0 : SETTLED_AFTER_MS)
  },
}

async function* cost(count: number, settledAfterMs: number): AsyncIterable<Measurement> {
  const cluster = await startEmptyCluster()
  try {
    cluster.write('jobs/sleepers.nomad.hcl', sleepingJob({ ...SLEEPERS, count }))
    cluster.git('add', '-A')
    const began = performance.now()
    cluster.git('commit', '-q', '-m', 'sleepers')
    await until('all sleep', RUNNING_WITHIN_MS, () => processes((line) => line === `/bin/sleep ${MARK}`).length >= count)
    const name = `tasks=${count}`
    yield measurement('B12', name, 'commit-to-all-running', 'ms', [performance.now() - began])
    const own = processes((line) => line.includes(cluster.folder))
    const agent = own.filter(({ line }) => line.includes('agent --config'))
    const supervisor = own.filter(({ line }) => line.includes('supervisor.js'))
    const wrappers = own.filter(({ line }) => line.includes('drover-run'))
    const memory = function* (of: string): Iterable<Measurement> {
      yield measurement('B12', of, 'agent-pss', 'bytes', [pssOf(agent)])
      yield measurement('B12', of, 'supervisor-pss', 'bytes', [pssOf(supervisor)])
      yield measurement('B12', of, 'agent-and-supervisor-pss', 'bytes', [pssOf([...agent, ...supervisor])])
    }
    yield* memory(name)
    yield measurement('B12', name, 'wrapper-pss-a-task', 'bytes', [pssOf(wrappers) / count])
    yield measurement('B12', name, 'processes-a-task-beyond-itself', 'count', [wrappers.length / count])
    await new Promise((resolve) => setTimeout(resolve, settledAfterMs))
    if (settledAfterMs > 0) yield* memory(`${name},settled`)
  } finally {
    await cluster.remove()
  }
}
