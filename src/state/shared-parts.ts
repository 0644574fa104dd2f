/**
 * A child is made from its parent and has its parts, which take a hundred times what it has of its own. Read from a log or a snapshot it has
 * copies: thousands of children of one parent would take a multiple of what they took before the restart.
 */
import { type Job, namespacedKey } from '../domain/index.js'
import { jobKey } from './schema.js'
import type { StateView } from './state.js'

type Parts = Readonly<Record<string, unknown>>

/** The job, with those parts of `relative` that say the same. */
export function shareParts(job: Job, relative: Job | undefined): Job {
  if (relative === undefined) return job
  const [own, others] = [job as unknown as Parts, relative as unknown as Parts]
  const copied = Object.keys(own).filter((name) => isObject(own[name]) && own[name] !== others[name] && isSame(own[name], others[name]))
  return copied.length === 0 ? job : { ...job, ...Object.fromEntries(copied.map((name) => [name, others[name]])) }
}

export function parentOf(view: StateView, { Namespace, ParentID }: Job): Job | undefined {
  return ParentID === '' ? undefined : view.jobs.get(namespacedKey(Namespace, ParentID))
}

/** Rows of a snapshot as they were before it was written: the current version of a job and the job are one object, and children share parts. */
export class RestoredJobs {
  readonly #view: StateView
  readonly #newestChildren = new Map<string, Job>()

  constructor(view: StateView) {
    this.#view = view
  }

  job(row: Job): Job {
    if (row.ParentID === '') return row
    const parentKey = namespacedKey(row.Namespace, row.ParentID)
    // A child may be older than what its parent is now, and then has as much in common with the child before it.
    const shared = shareParts(shareParts(row, parentOf(this.#view, row)), this.#newestChildren.get(parentKey))
    this.#newestChildren.set(parentKey, shared)
    return shared
  }

  version(row: Job): Job {
    const current = this.#view.jobs.get(jobKey(row))
    const isCurrent = current?.CreateIndex === row.CreateIndex && current.Version === row.Version
    return isCurrent ? current : shareParts(row, current)
  }
}

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null
}

function isSame(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return Object.is(a, b)
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
}
