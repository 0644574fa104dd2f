/**
 * What templates read from the server: one question for the whole host, held by the server until an answer has changed. Answers are
 * kept as long as somebody watches them; while the server is silent they stay what they were.
 */
import { type Clock, explainError, type Logger } from '../domain/index.js'
import { answerValue, questionOf } from './data-answers.js'
import type { TemplateData } from './hooks/hook.js'
import { type DataAnswer, type DataQuestion, type DataRequest, dataKey } from './protocol.js'
import type { Found, Query, Value } from './template/index.js'

export interface DataWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Answers that are not of the version given, once there are any. Rejects when no server answers. */
  readonly ask: (questions: DataRequest['questions']) => Promise<readonly DataAnswer[]>
}

interface Watched {
  readonly question: DataQuestion
  readonly watchers: Set<() => void>
  answer: DataAnswer | undefined
}

const AGAIN_MS_MIN = 100
const AGAIN_MS_MAX = 5_000

export class DataWatch {
  readonly #deps: DataWatchDeps
  readonly #watched = new Map<string, Watched>()
  #isClosed = false
  /** Of the asking that is under way: a question that is new begins another, which the server answers in place of the one that it holds. */
  #round = 0

  constructor(deps: DataWatchDeps) {
    this.#deps = deps
  }

  of(namespace: string): TemplateData {
    return {
      find: (query) => this.#find(query, namespace),
      watch: (queries, onChange) => this.#watch(queries, namespace, onChange),
    }
  }

  close(): void {
    this.#isClosed = true
    this.#watched.clear()
  }

  #find(query: Query, namespace: string): Found<Value> {
    const question = questionOf(query, namespace)
    if (question === undefined) return { kind: 'absent' }
    const answer = this.#watched.get(dataKey(question))?.answer
    if (answer === undefined) return { kind: 'unknown' }
    const value = answerValue(query, answer.found)
    return value === undefined ? { kind: 'absent' } : { kind: 'value', value }
  }

  #watch(queries: readonly Query[], namespace: string, onChange: () => void): () => void {
    const keys = new Set<string>()
    for (const query of queries) {
      const question = questionOf(query, namespace)
      if (question === undefined) continue
      keys.add(dataKey(question))
      this.#begin(question).watchers.add(onChange)
    }
    return () => {
      for (const key of keys) this.#watched.get(key)?.watchers.delete(onChange)
      // Who watches the same again in this turn keeps the answer.
      queueMicrotask(() => this.#forgetUnwatched(keys))
    }
  }

  #begin(question: DataQuestion): Watched {
    const key = dataKey(question)
    const known = this.#watched.get(key)
    if (known !== undefined) return known
    const watched: Watched = { question, watchers: new Set(), answer: undefined }
    this.#watched.set(key, watched)
    void this.#askOn(++this.#round)
    return watched
  }

  #forgetUnwatched(keys: ReadonlySet<string>): void {
    for (const key of keys) if (this.#watched.get(key)?.watchers.size === 0) this.#watched.delete(key)
  }

  async #askOn(round: number): Promise<void> {
    // All that begins in one turn is one question.
    await Promise.resolve()
    for (let failures = 0; round === this.#round && this.#watched.size > 0 && !this.#isClosed; ) {
      failures = (await this.#askOnce()) ? 0 : failures + 1
      if (failures > 0) await this.#pause(Math.min(AGAIN_MS_MIN * 2 ** failures, AGAIN_MS_MAX))
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.after(ms, resolve))
  }

  async #askOnce(): Promise<boolean> {
    try {
      const questions = [...this.#watched.values()].map(({ question, answer }) => [question, answer?.version ?? ''] as const)
      for (const answer of await this.#deps.ask(questions)) this.#take(answer)
      return true
    } catch (error) {
      this.#deps.logger.debug({ error: explainError(error) }, 'data could not be asked for')
      return false
    }
  }

  #take(answer: DataAnswer): void {
    const watched = this.#watched.get(answer.key)
    if (watched === undefined || watched.answer?.version === answer.version) return
    watched.answer = answer
    for (const watcher of [...watched.watchers]) watcher()
  }
}
