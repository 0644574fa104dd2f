/** Dependencies that can never be met are mistakes of the files that ask for them: on jobs that no file defines, and in circles. */
import {
  type FrozenFile,
  type JobOrder,
  type JobRef,
  type Mistake,
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
 * @returns files with mistakes, ordered by path
 */
export function checkDependencies(jobs: ReadonlyMap<string, OrderedJob>, isDefined: (key: string) => boolean): readonly FrozenFile[] {
  const ordered = new Map([...jobs].filter(([, { order }]) => (order?.dependsOn.length ?? 0) > 0))
  const circles = findCircles(ordered)
  const frozen: FrozenFile[] = []
  for (const [key, job] of ordered) {
    const mistakes = job.order!.dependsOn.filter((on) => !isDefined(keyOf(on))).map((on) => unknownMistake(key, job, on))
    const circle = circles.get(key)
    if (circle !== undefined) mistakes.push(circleMistake(job, circle))
    if (mistakes.length > 0) frozen.push(freeze(key, job, mistakes))
  }
  return frozen.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Each job that is in a circle, with one that it is in. */
function findCircles(jobs: ReadonlyMap<string, OrderedJob>): ReadonlyMap<string, readonly string[]> {
  const circles = new Map<string, readonly string[]>()
  const suspects = leadingNowhere(jobs)
  for (const start of suspects) {
    if (circles.has(start)) continue
    const circle = circleThrough(jobs, start, suspects)
    for (const key of circle) circles.set(key, circle)
  }
  return circles
}

/** What is left when jobs are taken away whose dependencies are all met in the end: circles, and what depends on them. */
function leadingNowhere(jobs: ReadonlyMap<string, OrderedJob>): ReadonlySet<string> {
  const open = new Map([...jobs].map(([key, { order }]) => [key, order!.dependsOn.map(keyOf).filter((on) => jobs.has(on)).length]))
  const dependents = new Map<string, string[]>()
  for (const [key, { order }] of jobs)
    for (const on of order!.dependsOn.map(keyOf)) dependents.set(on, [...(dependents.get(on) ?? []), key])
  const met = [...open].filter(([, count]) => count === 0).map(([key]) => key)
  for (const key of met) {
    for (const dependent of dependents.get(key) ?? []) {
      open.set(dependent, open.get(dependent)! - 1)
      if (open.get(dependent) === 0) met.push(dependent)
    }
  }
  const isMet = new Set(met)
  return new Set([...jobs.keys()].filter((key) => !isMet.has(key)))
}

/** The shortest way from `start` back to it; empty: it only leads to circles. */
function circleThrough(jobs: ReadonlyMap<string, OrderedJob>, start: string, suspects: ReadonlySet<string>): readonly string[] {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const key of queue) {
    for (const next of (jobs.get(key)?.order?.dependsOn ?? []).map(keyOf)) {
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
  const detail = 'Write depends_on=<job>, or <namespace>/<job> for one of another namespace; until then the job stays as it is.'
  return mistakeOf(path, `the job depends on ${name}, which no file defines`, detail)
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
  const detail = 'Each of them would wait for the next: take one of the dependencies out; until then they stay as they are.'
  return mistakeOf(path, `jobs depend on each other in a circle: ${[...names, ...more, names[0]].join(' → ')}`, detail)
}

function mistakeOf(path: string, summary: string, detail: string): Mistake {
  return { path, line: 0, column: 0, summary, detail, snippet: '' }
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
