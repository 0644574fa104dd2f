/** Dependencies that can never be met are mistakes of the files that ask for them: on jobs that no file defines, and in circles. */
import {
  type FrozenFile,
  type JobOrder,
  type JobRef,
  type Mistake,
  mistakeOfFile,
  namespacedKey,
  parseNamespacedKey,
  refText,
} from '../../domain/index.js'

/** A job of the commit, as far as its order is concerned. */
export interface OrderedJob {
  readonly path: string
  readonly blob: string
  readonly order: JobOrder | undefined
}

/**
 * @param jobs of the commit by key
 * @param isDefined whether a file defines the job, be it one that cannot be read
 * @param beside those of other sources: circles may lead through them, and their files are no part of this commit
 * @returns files with mistakes, ordered by path
 */
export function checkDependencies(
  jobs: ReadonlyMap<string, OrderedJob>,
  isDefined: (key: string) => boolean,
  beside: ReadonlyMap<string, OrderedJob> = new Map(),
): readonly FrozenFile[] {
  const circles = findCircles(edgesOf(new Map([...beside, ...jobs])))
  const frozen: FrozenFile[] = []
  for (const [key, job] of jobs) {
    const { dependsOn = [], hooks = [] } = job.order ?? {}
    const missing = [...dependsOn, ...hooks.map(({ target }) => target)].filter((on) => !isDefined(keyOf(on)))
    const mistakes = missing.map((on) => unknownMistake(key, job, on))
    const circle = circles.get(key)
    if (circle !== undefined) mistakes.push(circleMistake(job, circle))
    if (mistakes.length > 0) frozen.push({ ...freeze(key, job, mistakes), ...(missing.length === 0 ? {} : { missing }) })
  }
  return frozen.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What each job waits for: what it depends on, and hooks that come before it. */
type Edges = ReadonlyMap<string, readonly string[]>

function edgesOf(jobs: ReadonlyMap<string, OrderedJob>): Edges {
  const edges = new Map<string, string[]>()
  const add = (from: string, to: string) => edges.set(from, [...(edges.get(from) ?? []), to])
  for (const [key, { order }] of jobs) {
    for (const on of order?.dependsOn ?? []) add(key, keyOf(on))
    for (const { phase, target } of order?.hooks ?? []) if (phase === 'before') add(keyOf(target), key)
  }
  return edges
}

/** Each job that is in a circle, with one that it is in. */
function findCircles(edges: Edges): ReadonlyMap<string, readonly string[]> {
  const circles = new Map<string, readonly string[]>()
  const suspects = leadingNowhere(edges)
  for (const start of suspects) {
    if (circles.has(start)) continue
    const circle = circleThrough(edges, start, suspects)
    for (const key of circle) circles.set(key, circle)
  }
  return circles
}

/** What is left when jobs are taken away that wait for nothing in the end: circles, and what waits for them. */
function leadingNowhere(edges: Edges): ReadonlySet<string> {
  const open = new Map([...edges].map(([key, on]) => [key, on.filter((other) => edges.has(other)).length]))
  const waiting = new Map<string, string[]>()
  for (const [key, on] of edges) for (const other of on) waiting.set(other, [...(waiting.get(other) ?? []), key])
  const met = [...open].filter(([, count]) => count === 0).map(([key]) => key)
  for (const key of met) {
    for (const other of waiting.get(key) ?? []) {
      open.set(other, open.get(other)! - 1)
      if (open.get(other) === 0) met.push(other)
    }
  }
  const isMet = new Set(met)
  return new Set([...edges.keys()].filter((key) => !isMet.has(key)))
}

/** The shortest way from `start` back to it; empty: it only leads to circles. */
function circleThrough(edges: Edges, start: string, suspects: ReadonlySet<string>): readonly string[] {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const key of queue) {
    for (const next of edges.get(key) ?? []) {
      if (next === start) return [start, ...wayTo(key, start, cameFrom)]
      if (cameFrom.has(next) || !suspects.has(next)) continue
      cameFrom.set(next, key)
      queue.push(next)
    }
  }
  return []
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way: string[] = []
  for (let key = end; key !== start; key = cameFrom.get(key)!) way.push(key)
  return way.reverse()
}

function unknownMistake(key: string, { path }: OrderedJob, on: JobRef): Mistake {
  const [namespace] = parseNamespacedKey(key)
  const name = refText(on, namespace)
  const detail = 'Write the id of a job, or <namespace>/<id> for one of another namespace; until then the job stays as it is.'
  return mistakeOfFile(path, `the job names ${name} in its meta "drover", which no file defines`, detail)
}

/** Longer ones are told in short. */
const CIRCLE_TOLD_MAX = 10

function circleMistake({ path }: OrderedJob, circle: readonly string[]): Mistake {
  const [namespace] = parseNamespacedKey(circle[0]!)
  const names = circle.slice(0, CIRCLE_TOLD_MAX).map((key) => {
    const [ns, id] = parseNamespacedKey(key)
    return refText({ namespace: ns, jobId: id }, namespace)
  })
  const more = circle.length > CIRCLE_TOLD_MAX ? [`${circle.length - CIRCLE_TOLD_MAX} more`] : []
  const detail = 'Take one of the dependencies, or a hook that comes before, out; until then they stay as they are.'
  return mistakeOfFile(path, `jobs wait for each other in a circle: ${[...names, ...more, names[0]].join(' → ')}`, detail)
}

function freeze(key: string, { path, blob, order }: OrderedJob, mistakes: readonly Mistake[]): FrozenFile {
  const [namespace, jobId] = parseNamespacedKey(key)
  return { path, blob, namespace, jobId, ...bundleMember(order?.bundle), mistakes }
}

/** As files with mistakes carry it. */
export function bundleMember(bundle: string | undefined): Pick<FrozenFile, 'bundle'> {
  return bundle === undefined || bundle === '' ? {} : { bundle }
}

function keyOf({ namespace, jobId }: JobRef): string {
  return namespacedKey(namespace, jobId)
}
