/**
 * B5: how long after `git commit` the process of the new version runs. Real `drover dev`, real raw_exec, stamps taken outside: the
 * task writes the generation it was started with into a file that the benchmark watches.
 */
import { existsSync, mkdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, until } from '../test/acceptance/cluster.js'
import { startEmptyCluster } from './empty-cluster.js'
import { type Bench, type BenchOptions, type Measurement, measurement, quantile } from './measurement.js'

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
  async *run(options: BenchOptions): AsyncIterable<Measurement> {
    yield* changes(options.quick ? 20 : 300)
    yield* burst(options.quick ? 20 : 100, options.quick ? 1 : 3)
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

/** Many new jobs in one commit, until the last of them runs. */
async function* burst(count: number, rounds: number): AsyncIterable<Measurement> {
  const runs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const { cluster, stamps } = await startCluster()
    try {
      const ids = Array.from({ length: count }, (_, at) => `burst-${at}`)
      for (const id of ids) cluster.write(`jobs/${id}.nomad.hcl`, jobFile(id, stamps, 1))
      cluster.git('add', '-A')
      const began = performance.now()
      cluster.git('commit', '-q', '-m', `${count} jobs`)
      await until('all of the burst runs', 4 * RUNNING_WITHIN_MS, () => ids.every((id) => existsSync(join(stamps, id))))
      runs.push(performance.now() - began)
    } finally {
      await cluster.remove()
    }
  }
  yield measurement('B5', `burst=${count}`, 'commit-to-all-running', 'ms', runs)
}

async function startCluster(): Promise<{ readonly cluster: Cluster; readonly stamps: string }> {
  const cluster = await startEmptyCluster()
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
    const watcher = watch(path, () => {
      if (readFileSync(path, 'utf8').trim() !== text) return
      clearTimeout(give)
      watcher.close()
      resolve(performance.now())
    })
  })
}
