/**
 * One process of the simulated world: its clock stands still while it is paused and nothing of it runs once it is dead.
 * Its wall clock may jump; its monotonic one never does.
 */
import type { Clock } from '../../src/domain/index.js'
import type { VirtualTime } from './virtual-time.js'

export class SimulatedProcess {
  readonly name: string
  readonly clock: Clock
  isAlive = true
  #pausedUntilMs = 0
  /** What waits for it to be awake again, which nobody knows when. */
  readonly #held: (() => void)[] = []
  readonly #time: VirtualTime
  readonly #wallOffsetMs: () => number

  constructor(name: string, time: VirtualTime, wallOffsetMs: () => number) {
    this.name = name
    this.#time = time
    this.#wallOffsetMs = wallOffsetMs
    this.clock = {
      wallMs: () => EPOCH_MS + Math.floor(time.nowMs) + this.#wallOffsetMs(),
      monotonicMs: () => time.nowMs,
      after: (delayMs, callback) => time.after(delayMs, () => this.deliver(callback)),
    }
  }

  get isPaused(): boolean {
    return this.#time.nowMs < this.#pausedUntilMs
  }

  pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#time.nowMs + forMs)
  }

  /** SIGSTOP, until it is thawed. */
  freeze(): void {
    this.#pausedUntilMs = Number.POSITIVE_INFINITY
  }

  thaw(): void {
    this.#pausedUntilMs = 0
    for (const work of this.#held.splice(0)) this.#time.after(0, () => this.deliver(work))
  }

  /** kill -9: whatever was about to happen in it does not. */
  kill(): void {
    this.isAlive = false
  }

  /** Runs `work` inside the process: now, or when it is awake again, or never. */
  deliver(work: () => void): void {
    if (!this.isAlive) return
    if (!this.isPaused) return work()
    if (this.#pausedUntilMs === Number.POSITIVE_INFINITY) this.#held.push(work)
    else this.#time.after(this.#pausedUntilMs - this.#time.nowMs, () => this.deliver(work))
  }
}

/** 2026-01-01: instants in the simulated state are ordinary ones. */
const EPOCH_MS = 1_767_225_600_000
