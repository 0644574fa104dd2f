/**
 * Calls a node down when it has been silent for its TTL: counted only while this server could have heard it.
 *
 * I12 Nobody is called down because the control plane was away. When a tick comes as late as a whole TTL (SIGSTOP, laptop lid), or the broker was
 *     away, everyone has one full TTL from then. So it is under a new leader. A shorter pause (two intervals and two seconds at least: a busy machine,
 *     a long collection) does not count as silence, and who is about to be silent then is waited for a little longer, once.
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
/** Of the TTL: long enough for whoever is well to be heard after a pause. */
const SPARED_SHARE = 2 / 3
/** As long as a broker may take to answer before it is taken for away: below the shortest TTL that anybody would set. */
const PING_WITHIN_MS = 500
/** Who learns that much later that there was no answer has not listened for one. */
const NOT_LISTENED_MS = 100

interface Deadline {
  readonly atMs: number
  /** It was waited for a little longer since it was heard last. */
  readonly isSpared: boolean
}

export class HeartbeatMonitor {
  readonly #clock: Clock
  readonly #bus: Pick<Bus, 'isConnected' | 'onConnectionChange' | 'ping'>
  readonly #options: HeartbeatMonitorOptions
  readonly #onSilent: OnSilent
  readonly #deadlines = new Map<string, Deadline>()
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
    this.#deadlines.set(nodeId, { atMs: this.#clock.monotonicMs() + this.#options.ttlMs(), isSpared: false })
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
    this.#forgivePause()
    this.#tickedMs = this.#clock.monotonicMs()
    void this.#ask()
  }

  /** By how much the next tick is late; 0 while it is no later than it may be on a busy machine now and then. */
  get #pauseMs(): number {
    const { tickMs } = this.#options
    const lateMs = this.#clock.monotonicMs() - this.#tickedMs - tickMs
    return lateMs > Math.max(2 * tickMs, LATE_MS_MIN) ? lateMs : 0
  }

  /** @returns whether there was a pause */
  #forgivePause(): boolean {
    const pauseMs = this.#pauseMs
    if (pauseMs === 0) return false
    if (pauseMs >= this.#options.ttlMs()) this.#startOver()
    else this.#passOver(pauseMs)
    return true
  }

  #startOver(): void {
    for (const nodeId of this.#deadlines.keys()) this.heard(nodeId)
  }

  /** A machine that is busy for minutes pauses again and again: whole TTLs would hide that somebody has died. */
  #passOver(pauseMs: number): void {
    const sparedMs = this.#clock.monotonicMs() + SPARED_SHARE * this.#options.ttlMs()
    for (const [nodeId, { atMs, isSpared }] of this.#deadlines)
      this.#deadlines.set(nodeId, { atMs: isSpared ? atMs + pauseMs : Math.max(atMs + pauseMs, sparedMs), isSpared: true })
  }

  /** The hosts are silent, and not the broker, where the broker has answered all the time. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const askedMs = this.#clock.monotonicMs()
    const isThere = this.#bus.isConnected() && (await this.#bus.ping(PING_WITHIN_MS))
    this.#isAsking = false
    if (this.#isStopped) return
    // Whoever stood still while the broker answered may see its answer before the beats that came meanwhile, and before the next tick.
    if (this.#forgivePause()) this.#tickedMs = this.#clock.monotonicMs()
    const hasListened = isThere || this.#clock.monotonicMs() - askedMs <= PING_WITHIN_MS + NOT_LISTENED_MS
    if (!hasListened && this.#bus.isConnected()) return
    if (!isThere || this.#wasDeaf) this.#startOver()
    this.#wasDeaf = !isThere
    if (isThere) this.#tellSilent()
  }

  #tellSilent(): void {
    const nowMs = this.#clock.monotonicMs()
    const silent = [...this.#deadlines].filter(([, { atMs }]) => atMs <= nowMs).map(([nodeId]) => nodeId)
    if (silent.length === 0) return
    for (const nodeId of silent) this.#deadlines.delete(nodeId)
    const missingFromMs = nowMs + this.#options.ttlMs() * (1 - MISSING_SHARE)
    let missing = 0
    for (const { atMs } of this.#deadlines.values()) if (atMs <= missingFromMs) missing++
    this.#onSilent(silent.sort(), missing)
  }
}
