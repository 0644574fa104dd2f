/** B10, the whole server: a commit of thousands of new jobs, from the look at the repository until it is applied, and who waits meanwhile. */
import { jobspecText } from './jobspec-text.js'
import { type BenchOptions, type Measurement, measurement } from './measurement.js'
import { PauseMeter } from './pause-meter.js'
import { BenchRepository, startBenchServer } from './repository.js'

export async function* serverScan({ quick }: BenchOptions): AsyncIterable<Measurement> {
  const count = quick ? 500 : 5_000
  const repository = await BenchRepository.create()
  repository.write('jobs/first.nomad.hcl', jobspecText(count))
  await repository.commit('first')
  const server = await startBenchServer({ repository: repository.folder })
  try {
    for (let at = 0; at < count; at++) repository.write(`jobs/job-${at}.nomad.hcl`, jobspecText(at))
    await repository.commit('many')
    const meter = new PauseMeter()
    const began = performance.now()
    const synced = server.synced()
    server.server.server.sources.lookAt('default')
    await synced
    const tookMs = performance.now() - began
    const { clockMs, processorMs } = meter.take()
    meter.stop()
    const name = `server, new-files=${count}`
    yield measurement('B10', name, 'registered', '1', [server.server.server.leader.state.jobs.count - 1])
    yield measurement('B10', name, 'applied', 'ms', [tookMs])
    yield measurement('B10', name, 'longest-pause', 'ms', [clockMs])
    yield measurement('B10', name, 'longest-pause-processor', 'ms', [processorMs])
    yield measurement('B10', name, 'rss', 'bytes', [process.memoryUsage().rss])
  } finally {
    await server.stop()
    repository.remove()
  }
}
