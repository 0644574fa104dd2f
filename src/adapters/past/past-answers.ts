/** The API over the state as it was: what only a running server knows is not answered. */
import { Api, type ApiDeps, ApiError, type ApiSettings, badRequest, notFound } from '../../api/index.js'
import { foldPast, isHealthy, type PastLog, readPastPoint, tellWaiting, tracedJobs } from '../../controller/index.js'
import { explainError, newSeconds, OrchestratorError } from '../../domain/index.js'
import type { State } from '../../state/index.js'
import { systemClock } from '../clock.js'
import { statusOf } from '../http/error-status.js'
import { prometheusText } from '../prometheus.js'
import { systemRandom } from '../random.js'
import type { FromPast, PastQuestion } from './messages.js'

/** What can still change is folded anew after this long. */
const FRESH_MS = 5_000

export class PastAnswers {
  readonly #log: PastLog
  readonly #settings: ApiSettings
  #kept: { readonly at: string; readonly api: Api; readonly state: State; readonly untilMs: number } | undefined

  constructor(log: PastLog, settings: ApiSettings) {
    this.#log = log
    this.#settings = settings
  }

  /** Never rejects. */
  async answer(at: string, question: PastQuestion): Promise<Omit<FromPast, 'number'>> {
    try {
      const { api, state } = await this.#look(at)
      const request = { ...question, host: '', headers: {}, body: Buffer.from(question.body), signal: new AbortController().signal }
      const { status, headers, body } = await api.answer(request, api.find(question.path))
      if (typeof body !== 'string' && !(body instanceof Uint8Array)) throw badRequest(`${question.path} cannot be asked of the past`)
      const told = { 'X-Drover-At': new Date(state.atMs).toISOString(), 'X-Drover-Commit': commitsOf(state) }
      return { status, headers: { ...headers, ...told }, body: Buffer.from(body).toString('utf8') }
    } catch (error) {
      const status = error instanceof OrchestratorError ? statusOf(error.code) : 500
      const headers = error instanceof ApiError ? error.headers : {}
      return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, body: explainError(error) }
    }
  }

  async #look(at: string): Promise<{ readonly api: Api; readonly state: State }> {
    const nowMs = systemClock.wallMs()
    if (this.#kept?.at === at && nowMs < this.#kept.untilMs) return this.#kept
    const point = readPastPoint(at)
    if (point === undefined) throw badRequest(`"${at}" is no past`)
    // One state at a time is enough for the memory of a machine.
    this.#kept = undefined
    const past = await foldPast(this.#log, point, nowMs)
    if (past.kind === 'refused') throw notFound(past.text)
    const { state, isOver } = past
    const kept = { at, state, api: apiOver(state, this.#settings), untilMs: isOver ? Number.POSITIVE_INFINITY : nowMs + FRESH_MS }
    this.#kept = kept
    return kept
  }
}

function commitsOf(state: State): string {
  return state.sources
    .all()
    .flatMap(({ commit }) => (commit === null ? [] : [commit.id]))
    .join(' ')
}

function apiOver(state: State, settings: ApiSettings): Api {
  const never = () => Promise.reject(badRequest('this cannot be asked of the past'))
  const deps: ApiDeps = {
    reader: {
      read: async (query) => query(state),
      changed: async () => {},
      async *events() {},
      isCurrent: () => false,
      isLeader: true,
      lastContactMs: 0,
    },
    agents: {
      // biome-ignore lint/correctness/useYield: no host is asked
      async *call() {
        await never()
      },
    },
    planner: { plan: never, explain: never },
    actor: { perform: never },
    garbage: { collectAll: () => {} },
    commitPlanner: { plan: never },
    refReader: { read: never },
    jobRequests: { answer: never },
    sourceTexts: { read: async () => undefined },
    sourceHealth: {
      sourceHealth: state.sources.all().map(({ id, ref, overlay = null }) => ({
        id,
        ref,
        overlay,
        problem: null,
        remote: null,
        fetchSeconds: null,
        limits: null,
        looks: null,
      })),
    },
    waitingChanges: { waiting: (view) => tellWaiting(view, view.atMs) },
    commitMemory: { tracedJobs: (view, source, id) => tracedJobs(view, source, id, tellWaiting(view, view.atMs)), commitSeconds: {} },
    webhooks: { receive: () => 'refused', counts: new Map() },
    busHealth: { awayMs: 0, droppedMessages: new Map() },
    schedulingHealth: { evaluationTimes: [], assignmentSeconds: newSeconds() },
    jobHealth: { isHealthy },
    prometheus: prometheusText,
    past: { answer: never },
    audit: { kept: () => [], follow: async function* () {} },
    settings,
    clock: systemClock,
    random: systemRandom,
    turns: { pass: async () => {} },
  }
  return new Api(deps)
}
