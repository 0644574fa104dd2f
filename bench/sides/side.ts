/** A system that runs jobs, as a benchmark sees it: Drover or a peer, both through the same API. */
import type { Process } from '../processes.js'

export interface JobText {
  readonly id: string
  readonly text: string
}

/** What only those can do with its processes who have started them. */
export interface SidePrograms {
  /** kill -9 of its programs, and where `tasks` is true of all that they run. */
  kill(options: { readonly tasks: boolean }): Promise<void>
  /** Resolves when the API answers. */
  start(): Promise<void>
  /** `programs`: what there is once. `helpers`: what there is beside each task, and is none. */
  processes(): { readonly programs: readonly Process[]; readonly helpers: readonly Process[] }
}

export interface Side {
  /** As it stands in a line of output. */
  readonly name: string
  readonly url: string
  /** Undefined: it was there before. */
  readonly programs: SidePrograms | undefined
  /** Does all that comes before the jobs are handed over. @returns what hands them over */
  prepare(jobs: readonly JobText[]): Promise<() => Promise<void>>
  /** Takes all jobs away, and waits until none of them runs. */
  clear(): Promise<void>
  remove(): Promise<void>
}

interface SeenAllocation {
  readonly ID: string
  readonly JobID: string
  readonly ClientStatus: string
  readonly DesiredStatus: string
}

const LOOK_EVERY_MS = 50
const WITHIN_MS = 300_000

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}

/** Ids of the allocations that are told to be running and are meant to. */
export async function runningIds({ url }: Side): Promise<readonly string[]> {
  const rows = await getJson<readonly SeenAllocation[]>(`${url}/v1/allocations`)
  return rows.filter(({ ClientStatus, DesiredStatus }) => ClientStatus === 'running' && DesiredStatus === 'run').map(({ ID }) => ID)
}

/** Resolves when so many are told to be running, no more and no less. */
export function untilRunning(side: Side, count: number): Promise<void> {
  return untilSo(`${count} run on ${side.name}`, async () => (await runningIds(side)).length === count)
}

export async function untilSo(what: string, holds: () => boolean | Promise<boolean>, everyMs = LOOK_EVERY_MS): Promise<void> {
  const endMs = performance.now() + WITHIN_MS
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${WITHIN_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
