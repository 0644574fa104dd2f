/**
 * Calls a node down when it has been silent for its TTL: counted only while this server itself was awake.
 *
 * I12 Nobody is called down because the server slept: when a tick comes more than two intervals late (SIGSTOP, laptop
 *     lid, long collection) everyone has one full TTL from then. So it is under a new leader.
 *     test/controller/heartbeat-monitor.test.ts, test/simulation
 */
import type { Clock } from '../domain/index.js'

export interface HeartbeatMonitorOptions {
  readonly ttlMs: number
  readonly tickMs: number
}

export class HeartbeatMonitor {
  readonly #clock: Clock
  readonly #options: HeartbeatMonitorOptions
  readonly #onSilent: (nodeId: string) => void
  readonly #deadlines = new Map<string, number>()
  #tickedMs: number
  #cancel: () => void = () => {}

  constructor(clock: Clock, options: HeartbeatMonitorOptions, onSilent: (nodeId: string) => void) {
    this.#clock = clock
    this.#options = options
    this.#onSilent = onSilent
    this.#tickedMs = clock.monotonicMs()
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
    this.#cancel()
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#options.tickMs, () => {
      this.#tick()
      this.#schedule()
    })
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs()
    const lateMs = nowMs - this.#tickedMs - this.#options.tickMs
    this.#tickedMs = nowMs
    if (lateMs > 2 * this.#options.tickMs) {
      for (const nodeId of this.#deadlines.keys()) this.heard(nodeId)
      return
    }
    const silent = [...this.#deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs).map(([nodeId]) => nodeId)
    for (const nodeId of silent.sort()) {
      this.#deadlines.delete(nodeId)
      this.#onSilent(nodeId)
    }
  }
}
