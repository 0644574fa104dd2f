/**
 * Calls a node down when it has been silent for its TTL: counted only while this server could have heard it.
 *
 * I12 Nobody is called down because the control plane was away. When a tick comes more than two intervals late (SIGSTOP, laptop
 *     lid, long collection), or the broker was away, everyone has one full TTL from then. So it is under a new leader.
 *     test/controller/heartbeat-monitor.test.ts, test/simulation
 */
import type { Bus, Clock } from '../domain/index.js'

export interface HeartbeatMonitorOptions {
  readonly ttlMs: number
  readonly tickMs: number
}

/** As long as a broker may take to answer before it is taken for away: below the shortest TTL that anybody would set. */
const PING_WITHIN_MS = 500

export class HeartbeatMonitor {
  readonly #clock: Clock
  readonly #bus: Pick<Bus, 'isConnected' | 'onConnectionChange' | 'ping'>
  readonly #options: HeartbeatMonitorOptions
  readonly #onSilent: (nodeId: string) => void
  readonly #deadlines = new Map<string, number>()
  readonly #unsubscribe: () => void
  /** The broker was away since it last answered, if only for a moment. */
  #wasDeaf = false
  #isAsking = false
  #isStopped = false
  #tickedMs: number
  #cancel: () => void = () => {}

  constructor(
    clock: Clock,
    bus: Pick<Bus, 'isConnected' | 'onConnectionChange' | 'ping'>,
    options: HeartbeatMonitorOptions,
    onSilent: (nodeId: string) => void,
  ) {
    this.#clock = clock
    this.#bus = bus
    this.#options = options
    this.#onSilent = onSilent
    this.#tickedMs = clock.monotonicMs()
    this.#unsubscribe = bus.onConnectionChange(() => {
      this.#wasDeaf = true
    })
    this.#schedule()
  }

  /** The node was heard: it has a full TTL from now. */
  heard(nodeId: string): void {
    this.#deadlines.set(nodeId, this.#clock.monotonicMs() + this.#options.ttlMs)
  }

  forget(nodeId: string): void {
    this.#deadlines.delete(nodeId)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
    this.#unsubscribe()
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#options.tickMs, () => {
      this.#tick()
      this.#schedule()
    })
  }

  #tick(): void {
    if (this.#hasStoodStill) this.#startOver()
    this.#tickedMs = this.#clock.monotonicMs()
    void this.#ask()
  }

  /** The next tick is more than two intervals late. */
  get #hasStoodStill(): boolean {
    return this.#clock.monotonicMs() - this.#tickedMs > 3 * this.#options.tickMs
  }

  #startOver(): void {
    for (const nodeId of this.#deadlines.keys()) this.heard(nodeId)
  }

  /** The hosts are silent, and not the broker, where the broker has answered all the time. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const isThere = this.#bus.isConnected() && (await this.#bus.ping(PING_WITHIN_MS))
    this.#isAsking = false
    if (this.#isStopped) return
    // Whoever stood still while the broker answered may see its answer before the beats that came meanwhile, and before the next tick.
    if (!isThere || this.#wasDeaf || this.#hasStoodStill) this.#startOver()
    this.#wasDeaf = !isThere
    if (isThere) this.#tellSilent()
  }

  #tellSilent(): void {
    const nowMs = this.#clock.monotonicMs()
    const silent = [...this.#deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs).map(([nodeId]) => nodeId)
    for (const nodeId of silent.sort()) {
      this.#deadlines.delete(nodeId)
      this.#onSilent(nodeId)
    }
  }
}
