/** Recorded stories: what `test/vectors/data/lifecycle/*.json` hold. Their README says what every field means. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type StoryKind = 'lifecycle' | 'docker'

function folderOf(kind: StoryKind): string {
  return fileURLToPath(new URL(`../vectors/data/${kind}/`, import.meta.url))
}

export interface StoryNode {
  readonly name: string
  readonly late?: boolean
  readonly class?: string
  readonly pool?: string
  readonly meta?: Readonly<Record<string, string>>
  /** MHz; as a rule 2000. */
  readonly cpu?: number
  /** MB; as a rule 1000. */
  readonly memory?: number
  /** It isolates tasks. */
  readonly exec?: boolean
  /** It has an engine, with the image `local/box:1`. */
  readonly docker?: boolean
}

export interface Step {
  readonly do: string
  readonly [field: string]: unknown
}

export interface RecordedEvent {
  readonly type: string
  readonly message: string
  readonly details: Readonly<Record<string, string>>
  readonly fails_task?: boolean
}

export interface RecordedTask {
  readonly state: string
  readonly failed: boolean
  readonly restarts: number
  readonly started: boolean
  readonly finished: boolean
  readonly events: readonly RecordedEvent[]
}

export interface RecordedAllocation {
  readonly alloc: string
  readonly gone?: boolean
  readonly tasks?: Readonly<Record<string, RecordedTask>>
  readonly [field: string]: unknown
}

export interface StoryRecord {
  readonly steps: readonly {
    readonly step: number
    readonly http?: number
    readonly error?: string
    readonly reached?: boolean
    readonly child?: string
  }[]
  readonly observations: readonly { readonly as: string; readonly [what: string]: unknown }[]
  readonly allocations: readonly RecordedAllocation[]
  readonly deployments: readonly Readonly<Record<string, unknown>>[]
  readonly jobs: readonly Readonly<Record<string, unknown>>[]
  readonly services: readonly unknown[]
  readonly evaluations?: readonly Readonly<Record<string, unknown>>[]
  /** Object → types of its events. */
  readonly stream?: Readonly<Record<string, readonly string[]>>
  readonly service_events?: readonly unknown[]
  readonly timings?: readonly StoryTiming[]
}

/** From one event of a task to another; `['Started', 3]` is the third of its type. */
export interface StoryTiming {
  readonly alloc: string
  readonly task: string
  readonly from: string | readonly [type: string, number: number]
  readonly to: string | readonly [type: string, number: number]
  /** One number a recording. */
  readonly seconds: readonly number[]
}

/** How long a host may be silent, in two parts: `10s`. */
export interface StoryServer {
  readonly min_heartbeat_ttl: string
  readonly heartbeat_grace: string
}

export interface Story {
  readonly name: string
  readonly category: string
  readonly why: string
  readonly cluster: { readonly nodes: readonly StoryNode[]; readonly server?: StoryServer }
  readonly jobs: Readonly<Record<string, readonly string[]>>
  readonly steps: readonly Step[]
  readonly record: StoryRecord
  readonly unstable?: readonly string[]
}

export function storyNames(kind: StoryKind = 'lifecycle'): readonly string[] {
  return readdirSync(folderOf(kind))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort()
}

/** @param name of a recorded story, or a path of a file of that format */
export function readStory(name: string): Story {
  return JSON.parse(
    readFileSync(name.endsWith('.json') ? name : `${folderOf(name.startsWith('docker-') ? 'docker' : 'lifecycle')}${name}.json`, 'utf8'),
  ) as Story
}
