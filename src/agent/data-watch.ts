/**
 * What templates read from the server: one question for the whole host, held by the server until an answer has changed. Answers are
 * kept as long as somebody watches them; while the server is silent they stay what they were. What is encrypted in them is opened here.
 */
import { type Clock, explainError, type Logger, type VariableReader } from '../domain/index.js'
import { answerValue, questionOf } from './data-answers.js'
import { describeDenied, type OpenedValues, openAll, sealedIn, withOpened } from './encrypted-data.js'
import type { TemplateData } from './hooks/hook.js'
import type { ValueOpener } from './ports.js'
import { type DataAnswer, type DataQuestion, type DataRequest, dataKey } from './protocol.js'
import type { Found, Query, Value } from './template/index.js'

export interface DataWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly opener: ValueOpener
  /** Answers that are not of the version given, once there are any. Rejects when no server answers. */
  readonly ask: (questions: DataRequest['questions']) => Promise<readonly DataAnswer[]>
}

interface Watched {
  readonly question: DataQuestion
  readonly watchers: Map<() => void, VariableReader>
  /** The newest that was heard. */
  answer: DataAnswer | undefined
  /** What templates see of it: the one before stays until the newest is opened. */
  shown: Shown | undefined
}

interface Shown {
  readonly answer: DataAnswer
  readonly sealed: ReturnType<typeof sealedIn>
  /** Undefined while nobody who watches it may have it. */
  readonly opened: OpenedValues | undefined
}

const AGAIN_MS_MIN = 100
const AGAIN_MS_MAX = 5_000
/** What could not be opened is tried again: the host may have been given its key meanwhile. */
const OPEN_AGAIN_MS = 15_000

export class DataWatch {
  readonly #deps: DataWatchDeps
  readonly #watched = new Map<string, Watched>()
  #isClosed = false
  /** Of the asking that is under way: a question that is new begins another, which the server answers in place of the one that it holds. */
  #round = 0

  constructor(deps: DataWatchDeps) {
    this.#deps = deps
  }

  of(reader: VariableReader): TemplateData {
    return {
      find: (query) => this.#find(query, reader),
      watch: (queries, onChange) => this.#watch(queries, reader, onChange),
    }
  }

  close(): void {
    this.#isClosed = true
    this.#watched.clear()
  }

  #find(query: Query, reader: VariableReader): Found<Value> {
    const question = questionOf(query, reader.namespace)
    if (question === undefined) return { kind: 'absent' }
    const shown = this.#watched.get(dataKey(question))?.shown
    if (shown === undefined) return { kind: 'unknown' }
    const { answer, sealed, opened } = shown
    const denied = sealed.find((value) => !value.mayOpen(reader))
    if (denied !== undefined) return { kind: 'unknown', reason: describeDenied(denied, reader) }
    const plain =
      sealed.length === 0 ? { found: answer.found } : opened === undefined ? undefined : withOpened(answer.found, sealed, opened)
    if (plain === undefined) return { kind: 'unknown' }
    if ('reason' in plain) return { kind: 'unknown', reason: plain.reason }
    const value = answerValue(query, plain.found)
    if (value === undefined) return { kind: 'absent' }
    return sealed.length === 0 ? { kind: 'value', value } : { kind: 'value', value, isSecret: true }
  }

  #watch(queries: readonly Query[], reader: VariableReader, onChange: () => void): () => void {
    const keys = new Set<string>()
    for (const query of queries) {
      const question = questionOf(query, reader.namespace)
      if (question === undefined) continue
      const key = dataKey(question)
      keys.add(key)
      const watched = this.#begin(key, question)
      watched.watchers.set(onChange, reader)
      // Nobody who watched it before may have been granted it.
      if (watched.shown !== undefined && watched.shown.sealed.length > 0 && watched.shown.opened === undefined)
        void this.#show(key, watched)
    }
    return () => {
      for (const key of keys) this.#watched.get(key)?.watchers.delete(onChange)
      // Who watches the same again in this turn keeps the answer.
      queueMicrotask(() => this.#forgetUnwatched(keys))
    }
  }

  #begin(key: string, question: DataQuestion): Watched {
    const known = this.#watched.get(key)
    if (known !== undefined) return known
    const watched: Watched = { question, watchers: new Map(), answer: undefined, shown: undefined }
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
    void this.#show(answer.key, watched)
  }

  /** Lets templates see the newest answer, once what they may read of it is open. */
  async #show(key: string, watched: Watched): Promise<void> {
    const { answer } = watched
    if (answer === undefined) return
    const sealed = sealedIn(watched.question.namespace, answer.found)
    const isWanted = [...watched.watchers.values()].some((reader) => sealed.every((value) => value.mayOpen(reader)))
    if (sealed.length > 0 && !isWanted && watched.shown?.answer === answer) return
    const opened = sealed.length > 0 && isWanted ? await openAll(sealed, this.#deps.opener) : undefined
    if (watched.answer !== answer || this.#watched.get(key) !== watched) return
    if ([...(opened?.values() ?? [])].some(({ kind }) => kind === 'refused')) this.#showAgain(key, watched, answer)
    const { shown } = watched
    watched.shown = { answer, sealed, opened }
    if (shown?.answer === answer && isEqual(shown.opened, opened)) return
    for (const watcher of [...watched.watchers.keys()]) watcher()
  }

  #showAgain(key: string, watched: Watched, answer: DataAnswer): void {
    this.#deps.clock.after(OPEN_AGAIN_MS, () => {
      if (!this.#isClosed && watched.answer === answer && this.#watched.get(key) === watched) void this.#show(key, watched)
    })
  }
}

function isEqual(one: OpenedValues | undefined, other: OpenedValues | undefined): boolean {
  return JSON.stringify([...(one ?? [])]) === JSON.stringify([...(other ?? [])])
}
