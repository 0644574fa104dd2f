/** What an agent is given. */
import type { Bus, Clock, Logger, Node, Random } from '../domain/index.js'
import type { Driver } from './driver.js'
import type { TemplateEngine } from './driver-config.js'
import { COLLECTION_DEFAULTS, type CollectionRules, type DiskShare } from './ended-allocations.js'
import type { AllocationDirectories, AllocationFiles, Fingerprint, HookPorts, HostUsage, LocalStore, Signer, Verify } from './ports.js'

export interface AgentOptions {
  readonly region: string
  /** Longest time that a task may take to end, ms. */
  readonly killTimeoutMsMax: number
  /** Of what has ended, for those who look. */
  readonly collection: CollectionRules
  readonly requestTimeoutMs: number
}

export const AGENT_DEFAULTS: AgentOptions = {
  region: 'global',
  killTimeoutMsMax: 30_000,
  collection: COLLECTION_DEFAULTS,
  requestTimeoutMs: 2_000,
}

export interface AgentDeps {
  /** The id that goes with the host's key. */
  readonly nodeId: string
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly store: LocalStore
  readonly directories: AllocationDirectories
  readonly files: AllocationFiles
  readonly drivers: readonly Driver[]
  readonly fingerprint: Fingerprint
  readonly hostUsage: HostUsage
  readonly diskShare: () => Promise<DiskShare>
  /** What keeps this host's disk from taking new work, in a sentence; null: nothing. */
  readonly diskProblem: () => string | null
  readonly signer: Signer
  readonly verify: Verify
  /** Keys of servers to believe, before and besides those that this host learns when it joins. */
  readonly serverKeys: readonly string[]
  readonly templates: TemplateEngine
  readonly hookPorts: HookPorts
  readonly options: AgentOptions
  /** A bug, or a refusal that trying again cannot mend: the process should end. */
  readonly onFatal: (error: unknown) => void
  /** With the node as the server has declared it; each time that it is let in. */
  readonly onJoined?: (node: Node) => void
  readonly onRefused?: (reason: string, remedy: string) => void
  /** @param awayMs how long the broker was away; undefined: it has just been lost */
  readonly onBroker?: (awayMs: number | undefined) => void
  /** The disk takes no new work from now on, or does again where it is null. */
  readonly onDiskProblem?: (problem: string | null) => void
}

export interface StopOptions {
  /** `keep`: they run on and are found again. `end`: politely, bounded by their kill timeouts; they start again with the agent. */
  readonly tasks: 'keep' | 'end'
}
