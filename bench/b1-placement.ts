/** B1: from evaluation to finished plan, by size of cluster and job (`B1` of docs/benchmarks.md). Plans are not applied. */
import { createScheduler, type Scheduler } from '../src/scheduler/index.js'
import { type ClusterFile, loadCluster, placementEvaluation } from './cluster/cluster-file.js'
import { type ClusterShape, generateCluster } from './cluster/generated-cluster.js'
import { type Bench, type BenchOptions, type Measurement, measurement, quantile } from './measurement.js'

const GRID: readonly ClusterShape[] = [
  ...shapes(200, 50, [1, 50]),
  ...shapes(500, 0, [1, 50, 300]),
  ...shapes(1_000, 0, [1, 50, 300]),
  ...shapes(5_000, 0, [1, 50, 600, 1_200]),
  ...shapes(10_000, 0, [1, 600]),
  ...shapes(100_000, 0, [1, 600]),
]
const QUICK: readonly ClusterShape[] = [...shapes(200, 50, [1]), ...shapes(5_000, 0, [600])]

const RUN_MS = 300
/** Each breaks ties in another way. */
const EVALUATIONS = 64

function shapes(nodeCount: number, filledCount: number, counts: readonly number[]): readonly ClusterShape[] {
  return counts.flatMap((count) =>
    [false, true].flatMap((hasSpread) =>
      (['none', 'half'] as const).map((constraint) => ({ nodeCount, filledCount, count, hasSpread, constraint })),
    ),
  )
}

export const b1Placement: Bench = {
  name: 'B1',
  summary: 'nanoseconds and bytes a placement, evaluation to plan',
  async *run({ quick, cluster }: BenchOptions): AsyncIterable<Measurement> {
    const runs = quick ? 3 : 5
    if (cluster === undefined) for (const shape of quick ? QUICK : GRID) yield* measure(nameOf(shape), generateCluster(shape), runs)
    else yield* measure(`file,nodes=${cluster.nodes.length},allocations=${cluster.allocations.length}`, cluster, runs)
  },
}

function nameOf({ nodeCount, filledCount, count, hasSpread, constraint }: ClusterShape): string {
  return `nodes=${nodeCount},filled=${filledCount},count=${count},spread=${hasSpread},constraint=${constraint}`
}

/** Places the last job of the file, again and again. */
function* measure(name: string, cluster: ClusterFile, runs: number): Iterable<Measurement> {
  const placed = cluster.jobs.at(-1)!
  const count = placed.TaskGroups.reduce((sum, group) => sum + group.Count, 0)
  const scheduler = createScheduler(loadCluster(cluster))
  // Frozen, as the table holds them: what is not frozen is slower to copy.
  const evaluations = Array.from({ length: EVALUATIONS }, (_, at) => Object.freeze(placementEvaluation(placed, at)))
  let made = 0
  const once = () => placeOnce(scheduler, evaluations[made++ % EVALUATIONS]!, count)
  repeat(once, RUN_MS)
  const timings = Array.from({ length: runs }, () => repeat(once, RUN_MS))
  const sizes = Array.from({ length: runs }, () => allocatedBytes(once))
  yield measurement(
    'B1',
    name,
    'ns/placement',
    'ns',
    timings.map((ns) => Math.round(ns / count)),
  )
  yield measurement(
    'B1',
    name,
    'bytes/placement',
    'B',
    sizes.map((bytes) => Math.round(bytes / count)),
  )
}

function placeOnce(scheduler: Scheduler, evaluation: ReturnType<typeof placementEvaluation>, count: number): void {
  let ids = 0
  const { plan } = scheduler.schedule(evaluation, { nowMs: 1_767_323_045_000, newId: () => `id-${ids++}` })
  if (plan.Placements.length !== count) throw new Error(`${plan.Placements.length} of ${count} placed`)
}

/** Nanoseconds a call, the mean over about `durationMs`. */
function repeat(once: () => void, durationMs: number): number {
  let calls = 0
  let elapsedMs = 0
  const start = performance.now()
  do {
    once()
    calls++
    elapsedMs = performance.now() - start
  } while (elapsedMs < durationMs)
  return (elapsedMs * 1e6) / calls
}

/** Bytes a call, the median of a few; a collection in between shows as a loss and is left out. */
function allocatedBytes(once: () => void): number {
  const sizes: number[] = []
  for (let call = 0; call < 20; call++) {
    const before = process.memoryUsage().heapUsed
    once()
    const grown = process.memoryUsage().heapUsed - before
    if (grown > 0) sizes.push(grown)
  }
  return quantile(sizes, 0.5)
}
