/** How long evaluations wait until they are worked on, and how long the scheduler takes for them, since the start of this server. */
import type { EvaluationStage, EvaluationTime } from '../domain/index.js'

export class EvaluationTimes {
  readonly #times = new Map<string, EvaluationTime>()

  note(stage: EvaluationStage, type: string, ms: number): void {
    const key = `${stage} ${type}`
    const known = this.#times.get(key)
    this.#times.set(key, {
      stage,
      type,
      count: (known?.count ?? 0) + 1,
      sumMs: (known?.sumMs ?? 0) + ms,
      leastMs: Math.min(known?.leastMs ?? ms, ms),
      mostMs: Math.max(known?.mostMs ?? ms, ms),
    })
  }

  /** By stage and type. */
  get all(): readonly EvaluationTime[] {
    return [...this.#times.keys()].sort().map((key) => this.#times.get(key)!)
  }
}
