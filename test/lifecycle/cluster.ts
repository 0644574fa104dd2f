/** A cluster on which a story is told: real programs, or simulated ones on virtual time. What both have in common is here. */

import { Names, type SeenAllocation, type SeenDeployment, type SeenJob } from './names.js'
import { Recording } from './recording.js'
import type { Story, StoryNode } from './story.js'

export interface StoryAnswer {
  readonly status: number
  readonly text: string
}

/** What a web server answers that stories fetch from and check. */
export interface FixtureAnswer {
  readonly status?: number
  readonly body?: string
  readonly base64?: string
  readonly location?: string
  /** Seconds. */
  readonly delay?: number
}

export interface StoryFixture {
  readonly port: number
  add(routes: Readonly<Record<string, FixtureAnswer>>): void
}

/** A file of the repository that the server refuses. */
export interface FrozenFile {
  readonly path: string
  readonly mistakes: readonly { readonly place: string; readonly summary: string; readonly detail: string }[]
}

export type NodeAct = 'start' | 'kill' | 'terminate' | 'freeze' | 'thaw'
/** In words of the reference: by how long nobody has been heard. */
const HEARTBEAT_SECONDS = 3

export abstract class StoryCluster {
  readonly story: Story
  readonly names = new Names()
  readonly recording = new Recording()
  /** What ended without having been asked. */
  readonly ends: string[] = []
  /** Job → version → the file that it came from. */
  readonly #files = new Map<string, Map<number, string>>()
  abstract readonly fixture: StoryFixture
  /** How often it is asked what is waited for. */
  protected abstract readonly lookEveryMs: number
  /** Nothing listens there. */
  abstract readonly staticPort: number
  /** The folder that tasks and story share. */
  abstract readonly flags: string

  protected constructor(story: Story) {
    this.story = story
  }

  abstract send(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object): Promise<StoryAnswer>
  /** Of the clock that the cluster lives by. */
  abstract nowMs(): number
  abstract pause(ms: number): Promise<void>
  /** @param changes by path of the repository; null deletes @returns the commit's id */
  abstract commit(changes: Readonly<Record<string, string | null>>): string
  /** A file of the allocation's folder; undefined where there is none. */
  abstract fileOf(allocation: SeenAllocation, path: string): string | undefined
  /** On a real disk. @throws NeedsProcesses where there is none */
  abstract folderOf(allocation: SeenAllocation): string
  abstract flag(name: string): string | undefined
  /** @param text undefined: it goes */
  abstract setFlag(name: string, text: string | undefined): void
  abstract actOnNode(name: string, act: NodeAct): Promise<void>
  abstract actOnServer(act: NodeAct): Promise<void>
  abstract killTaskProcesses(node: string): void
  /** Where to look at it while it is kept. */
  abstract readonly place: string
  abstract dataFolder(node: string): string
  /** Ends everything with its tasks, and removes what was written. */
  abstract remove(): Promise<void>

  /** Lines of a job file with the placeholders filled in. */
  fill(text: string): string {
    return text
      .replaceAll('@FIXTURE@', `127.0.0.1:${this.fixture.port}`)
      .replaceAll('@FIXTURE_PORT@', String(this.fixture.port))
      .replaceAll('@STATIC_PORT@', String(this.staticPort))
      .replaceAll('@FLAGS@', this.flags)
  }

  /** Texts of this run and what the record calls them, the longer before those that are part of them. */
  placeholders(): readonly (readonly [text: string, name: string])[] {
    return [
      [this.flags, '<flags>'],
      ...this.story.cluster.nodes.map(({ name }) => [this.dataFolder(name), `<data ${name}>`] as const),
      [`127.0.0.1:${this.fixture.port}`, '<fixture>'],
      [String(this.fixture.port), '<fixture port>'],
      [String(this.staticPort), '<static port>'],
    ]
  }

  async get<T>(path: string): Promise<T> {
    const { status, text } = await this.send('GET', path)
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`)
    return JSON.parse(text) as T
  }

  /** @returns how long it took, ms @throws after `withinMs` */
  async until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<number> {
    const beganMs = this.nowMs()
    for (;;) {
      if (await holds()) return this.nowMs() - beganMs
      if (this.nowMs() - beganMs > withinMs) throw new Error(`${what}: not within ${withinMs} ms`)
      await this.pause(this.lookEveryMs)
    }
  }

  jobPath(jobId: string): string {
    return `jobs/${encodeURIComponent(jobId)}.nomad.hcl`
  }

  /** Commits, and waits until the server has done what the commit says. @returns files that it refuses */
  async apply(changes: Readonly<Record<string, string | null>>): Promise<readonly FrozenFile[]> {
    const commit = this.commit(changes)
    let frozen: readonly FrozenFile[] = []
    await this.until(`commit ${commit.slice(0, 8)} is applied`, APPLIED_WITHIN_MS, async () => {
      const sources = await this.get<{ readonly frozen: readonly FrozenFile[] }[]>('/drover/v1/source')
      frozen = sources.flatMap((source) => source.frozen)
      return JSON.stringify(sources).includes(commit)
    })
    return frozen
  }

  /** A file that is registered again keeps its version. */
  rememberFile(jobId: string, version: number, text: string): void {
    const versions = this.#files.get(jobId) ?? new Map<number, string>()
    this.#files.set(jobId, versions.set(version, text))
  }

  fileOfVersion(jobId: string, version: number): string | undefined {
    return this.#files.get(jobId)?.get(version)
  }

  async jobs(): Promise<readonly SeenJob[]> {
    const all = await this.get<SeenJob[]>('/v1/jobs?namespace=*')
    this.names.learnJobs(all)
    return all
  }

  /** In order of creation. */
  async allocations(): Promise<readonly SeenAllocation[]> {
    await this.jobs()
    const all = await this.get<SeenAllocation[]>('/v1/allocations?namespace=*')
    // Those of a system job have one name and are made at once.
    const place = ({ Name, NodeName }: SeenAllocation) => `${Name} ${NodeName}`
    all.sort((a, b) => a.CreateIndex - b.CreateIndex || (place(a) < place(b) ? -1 : 1))
    this.names.learnAllocations(all)
    return all
  }

  async deployments(): Promise<readonly SeenDeployment[]> {
    await this.jobs()
    const all = await this.get<SeenDeployment[]>('/v1/deployments?namespace=*')
    all.sort((a, b) => a.CreateIndex - b.CreateIndex)
    this.names.learnDeployments(all)
    return all
  }
}

const APPLIED_WITHIN_MS = 20_000

/** Where a host is declared. */
export function declarationPath(node: StoryNode): string {
  return `agents/${node.pool === undefined ? node.name : `${node.pool}/${node.name}`}.hcl`
}

/** @param publicKey of the host; undefined where it is bound in another way */
/** @param machineMhz what a real host has: what its story does not give it is reserved */
export function declarationOf(node: StoryNode, publicKey: string | undefined, machineMhz = 0): string {
  const meta = Object.entries({ berth: node.name, ...node.meta }).map(([key, value]) => `  ${key} = ${JSON.stringify(value)}`)
  const lines = ['datacenter = "dc1"']
  if (publicKey !== undefined) lines.unshift(`public_key = "${publicKey}"`)
  if (node.class !== undefined) lines.push(`class = ${JSON.stringify(node.class)}`)
  if (node.cpu !== undefined && machineMhz > node.cpu) lines.push('reserved {', `  cpu = ${machineMhz - node.cpu}`, '}')
  return [...lines, 'meta {', ...meta, '}', ''].join('\n')
}

/** How long a host may be silent. */
export function heartbeatSeconds({ cluster: { server } }: Story, usual = HEARTBEAT_SECONDS): number {
  return server === undefined ? usual : Number.parseFloat(server.min_heartbeat_ttl) + Number.parseFloat(server.heartbeat_grace)
}
