/**
 * B5: how long after `git commit` the process of the new version runs. Real `drover dev`, real raw_exec, stamps taken outside: the
 * task writes the generation it was started with into a file that the benchmark watches. Beside it, in turn with local commits: how long after
 * a push to a remote whose webhook is sent then.
 */
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, until } from '../test/acceptance/cluster.js'
import { besidePeer } from './b5-beside-peer.js'
import { startEmptyCluster } from './empty-cluster.js'
import { type Bench, type BenchOptions, type Line, type Measurement, measurement, quantile } from './measurement.js'

const RUNNING_WITHIN_MS = 30_000

function jobFile(id: string, stampFolder: string, generation: number): string {
  return `job "${id}" {
  type = "service"
  group "main" {
    update { min_healthy_time = "0s" }
    task "sleep" {
      driver      = "raw_exec"
      kill_signal = "SIGKILL"
      config {
        command = "/bin/sh"
        args    = ["-c", "echo $GENERATION > ${join(stampFolder, id)}; exec sleep 100000"]
      }
      env { GENERATION = "${generation}" }
      resources {
        cpu    = 5
        memory = 10
      }
    }
  }
}
`
}

export const b5: Bench = {
  name: 'B5',
  summary: 'git commit → process of the new version running',
  async *run(options: BenchOptions): AsyncIterable<Line> {
    yield* besidePeer(options)
    yield* changes(options.quick ? 20 : 300)
    yield* pushes(options.quick ? 20 : 100)
  },
}

/** One job of ten changes with each commit. */
async function* changes(commits: number): AsyncIterable<Measurement> {
  const { cluster, stamps } = await startCluster()
  try {
    const ids = Array.from({ length: 10 }, (_, at) => `job-${at}`)
    for (const id of ids) cluster.write(`jobs/${id}.nomad.hcl`, jobFile(id, stamps, 0))
    cluster.commit('ten jobs')
    await until('all jobs run', RUNNING_WITHIN_MS, () => ids.every((id) => existsSync(join(stamps, id))))
    const fromStart: number[] = []
    const fromEnd: number[] = []
    for (let generation = 1; generation <= commits; generation++) {
      const id = ids[generation % ids.length]!
      cluster.write(`jobs/${id}.nomad.hcl`, jobFile(id, stamps, generation))
      cluster.git('add', '-A')
      const seen = whenStamped(join(stamps, id), String(generation))
      const began = performance.now()
      cluster.git('commit', '-q', '-m', `${id} generation ${generation}`)
      const committed = performance.now()
      const running = await seen
      fromStart.push(running - began)
      fromEnd.push(Math.max(0, running - committed))
    }
    const name = `jobs=10,commits=${commits}`
    for (const share of [0.5, 0.9, 0.99]) {
      yield { ...measurement('B5', name, `commit-start-to-process-p${share * 100}`, 'ms', fromStart), value: quantile(fromStart, share) }
      yield { ...measurement('B5', name, `commit-end-to-process-p${share * 100}`, 'ms', fromEnd), value: quantile(fromEnd, share) }
    }
  } finally {
    await cluster.remove()
  }
}

const SECRET = 'of this benchmark'
/** Pushes that follow each other faster wait for each other in the end: a remote is asked twice a second. */
const PUSH_EVERY_MS = 500

/** A local commit and a push with a webhook in turn, to two sources of one cluster. */
async function* pushes(rounds: number): AsyncIterable<Measurement> {
  const { cluster, stamps } = await startCluster((folder) => {
    const bare = join(folder, 'pushed.git')
    execFileSync('git', ['clone', '-q', '--bare', folder, bare], { stdio: 'ignore' })
    writeFileSync(join(folder, 'hook'), SECRET)
    const allow = { namespaces: ['pushed'], node_pools: ['*'], drivers: ['*'], privileged: true, host_volumes: [], priority_max: 100 }
    const webhook = { forge: 'generic', secret_file: join(folder, 'hook') }
    const pushed = { repository: `file://${bare}`, ref: 'refs/heads/main', poll_seconds: 3_600, webhook, allow }
    writeFileSync(join(folder, 'sources.json'), JSON.stringify({ pushed }))
    return ['--sources', join(folder, 'sources.json')]
  })
  try {
    const clone = join(cluster.folder, 'clone')
    execFileSync('git', ['clone', '-q', join(cluster.folder, 'pushed.git'), clone], { stdio: 'ignore' })
    const git = (...words: string[]) => execFileSync('git', ['-C', clone, '-c', 'user.name=x', '-c', 'user.email=x@example.org', ...words])
    const change = {
      local: (generation: number) => {
        cluster.write('jobs/local.nomad.hcl', jobFile('local', stamps, generation))
        cluster.git('add', 'jobs')
        cluster.git('commit', '-q', '-m', `generation ${generation}`)
      },
      pushed: (generation: number) => {
        mkdirSync(join(clone, 'jobs/pushed'), { recursive: true })
        writeFileSync(join(clone, 'jobs/pushed/pushed.nomad.hcl'), jobFile('pushed', stamps, generation))
        git('add', '-A')
        git('commit', '-q', '-m', `generation ${generation}`)
        git('push', '-q', 'origin', 'HEAD:main')
      },
    }
    const call = async () => {
      const body = '{}'
      const proof = createHmac('sha256', SECRET).update(body).digest('hex')
      const url = `${cluster.url}/drover/v1/hooks/pushed`
      const { status } = await fetch(url, { method: 'POST', body, headers: { 'x-signature': `sha256=${proof}` } })
      if (status !== 202) throw new Error(`the webhook was answered ${status}`)
    }
    for (const id of ['local', 'pushed'] as const) change[id](0)
    await call()
    await until('both run', RUNNING_WITHIN_MS, () => ['local', 'pushed'].every((id) => existsSync(join(stamps, id))))
    const times = { local: [] as number[], pushed: [] as number[] }
    const fetchTimes: number[] = []
    const mirrored = join(cluster.folder, '.drover/server/sources/pushed/mirror/refs/drover/followed')
    for (let generation = 1; generation <= rounds; generation++) {
      const next = performance.now() + PUSH_EVERY_MS
      for (const id of ['local', 'pushed'] as const) {
        const seen = whenStamped(join(stamps, id), String(generation))
        change[id](generation)
        const pushedId = git('rev-parse', 'HEAD').toString().trim()
        const done = performance.now()
        if (id === 'pushed') {
          const fetched = whenStamped(mirrored, pushedId)
          void fetched.then((at) => fetchTimes.push(at - done))
          await call()
        }
        times[id].push(Math.max(0, (await seen) - done))
      }
      await sleep(Math.max(0, next - performance.now()))
    }
    yield measurement('B5', `webhook,rounds=${rounds}`, 'push-end-to-fetched-p50', 'ms', fetchTimes)
    for (const id of ['local', 'pushed'] as const)
      for (const share of [0.5, 0.9, 0.99]) {
        const metric = id === 'local' ? 'commit-end-to-process' : 'push-end-to-process'
        yield {
          ...measurement('B5', `webhook,rounds=${rounds}`, `${metric}-p${share * 100}`, 'ms', times[id]),
          value: quantile(times[id], share),
        }
      }
  } finally {
    await cluster.remove()
  }
}

/** @param prepare gives further flags */
async function startCluster(
  prepare: (folder: string) => readonly string[] = () => [],
): Promise<{ readonly cluster: Cluster; readonly stamps: string }> {
  const cluster = await startEmptyCluster(prepare)
  const stamps = join(cluster.folder, 'stamps')
  mkdirSync(stamps)
  return { cluster, stamps }
}

/** The moment at which the file says `text`. */
function whenStamped(path: string, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const give = setTimeout(() => {
      watcher.close()
      reject(new Error(`${path} did not become ${text} within ${RUNNING_WITHIN_MS} ms`))
    }, RUNNING_WITHIN_MS)
    // git puts another file in its place.
    const watcher = watch(dirname(path), () => {
      if (!existsSync(path) || readFileSync(path, 'utf8').trim() !== text) return
      clearTimeout(give)
      watcher.close()
      resolve(performance.now())
    })
  })
}
