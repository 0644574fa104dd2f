/**
 * Calls a node down when it has been silent for its TTL: counted only while this server could have heard it.
 *
 * I12 Nobody is called down because the control plane was away. When a tick comes more than two intervals and two seconds late (SIGSTOP, laptop
 *     lid, long collection), or the broker was away, everyone has one full TTL from then. So it is under a new leader.
 *     test/controller/heartbeat-monitor.test.ts, test/simulation
 */
import type { Bus, Clock } from '../domain/index.js'

export interface HeartbeatMonitorOptions {
  /** Asked at each sign of life. */
  readonly ttlMs: () => number
  readonly tickMs: number
}

/** Hosts that are silent together; `missing` others have missed so many beats that they are as good as silent. */
export type OnSilent = (nodeIds: readonly string[], missing: number) => void

/** A busy machine is late now and then: that little says nothing of who could have been heard. */
const LATE_MS_MIN = 2_000
/** Of the TTL, without a sign of life. Whoever is well is heard several times a TTL. */
const MISSING_SHARE = 0.7
/** As long as a broker may take to answer before it is taken for away: below the shortest TTL that anybody would set. */
const PING_WITHIN_MS = 500

export class HeartbeatMonitor {
  readonly #clock: Clock
  readonly #bus: Pick<Bus, 'isConnected' | 'onConnectionChange' | 'ping'>
  readonly #options: HeartbeatMonitorOptions
  readonly #onSilent: OnSilent
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
    onSilent: OnSilent,
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
    this.#deadlines.set(nodeId, this.#clock.monotonicMs() + this.#options.ttlMs())
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

  /** The next tick is more than two intervals late, and more than a busy machine is late now and then. */
  get #hasStoodStill(): boolean {
    const { tickMs } = this.#options
    return this.#clock.monotonicMs() - this.#tickedMs > tickMs + Math.max(2 * tickMs, LATE_MS_MIN)
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
    if (silent.length === 0) return
    for (const nodeId of silent) this.#deadlines.delete(nodeId)
    const missingFromMs = nowMs + this.#options.ttlMs() * (1 - MISSING_SHARE)
    let missing = 0
    for (const deadlineMs of this.#deadlines.values()) if (deadlineMs <= missingFromMs) missing++
    this.#onSilent(silent.sort(), missing)
  }
}
