/** The HTTP API without HTTP: a request in, an answer or an ApiError out. */
import type { Clock, Random } from '../domain/index.js'
import type { Reading } from './blocking.js'
import { badRequest, requestFailed, unknownPath, wrongMethod } from './errors.js'
import type { JobRequests } from './job-requests.js'
import { Parameters } from './parameters.js'
import type {
  Actor,
  AgentCaller,
  ApiSettings,
  AuditLog,
  BusHealth,
  CommitMemory,
  CommitPlanner,
  Garbage,
  JobHealth,
  Past,
  Planner,
  PrometheusText,
  RefReader,
  SchedulingHealth,
  SourceHealth,
  SourceTexts,
  StateReader,
  Turns,
  WaitingChanges,
  Webhooks,
} from './ports.js'
import { ReadingCache } from './reading-cache.js'
import { RefPlans } from './ref-plans.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { type ApiSocket, type RouteMatch, Router } from './router.js'
import { absentRoutes } from './routes/absent.js'
import { agentInfoRoutes } from './routes/agent-info.js'
import { allocationRoutes } from './routes/allocations.js'
import { auditRoutes } from './routes/audit.js'
import { clientRoutes } from './routes/client.js'
import { commitPlanRoutes } from './routes/commit-plan.js'
import { deploymentRoutes } from './routes/deployments.js'
import { evaluationRoutes } from './routes/evaluations.js'
import { eventRoutes } from './routes/events.js'
import { hookRoutes } from './routes/hooks.js'
import { jobRoutes } from './routes/job.js'
import { jobsRoutes } from './routes/jobs.js'
import { jobspecRoutes } from './routes/jobspec.js'
import { metricsRoutes } from './routes/metrics.js'
import { nodeRoutes } from './routes/nodes.js'
import { operatorRoutes } from './routes/operator.js'
import { scalingRoutes } from './routes/scaling.js'
import { searchRoutes } from './routes/search.js'
import { serviceRoutes } from './routes/services.js'
import { sourceRoutes } from './routes/source.js'
import { uiRoutes } from './routes/ui.js'
import { variableRoutes } from './routes/variables.js'
import { workloadIdentityRoutes } from './routes/workload-identity.js'
import { operationRoutes } from './writes/operations.js'
import { refusedRoutes } from './writes/refuse.js'
import { runtimeRoutes } from './writes/runtime.js'

export interface ApiDeps {
  readonly reader: StateReader
  readonly agents: AgentCaller
  readonly planner: Planner
  readonly actor: Actor
  readonly garbage: Garbage
  readonly commitPlanner: CommitPlanner
  readonly refReader: RefReader
  readonly jobRequests: JobRequests
  readonly sourceTexts: SourceTexts
  readonly sourceHealth: SourceHealth
  readonly waitingChanges: WaitingChanges
  readonly commitMemory: CommitMemory
  readonly webhooks: Webhooks
  readonly past: Past
  readonly audit: AuditLog
  readonly busHealth: BusHealth
  readonly schedulingHealth: SchedulingHealth
  readonly jobHealth: JobHealth
  readonly prometheus: PrometheusText
  readonly settings: ApiSettings
  readonly clock: Clock
  readonly random: Random
  readonly turns: Turns
}

export class Api {
  readonly #router: Router
  readonly #region: string
  readonly #past: Past

  constructor(given: ApiDeps) {
    const deps = { ...given, readings: new ReadingCache<Reading>() }
    this.#region = deps.settings.region
    this.#past = deps.past
    this.#router = new Router([
      ...refusedRoutes(deps.reader),
      ...operationRoutes(deps),
      ...absentRoutes(deps),
      ...jobsRoutes(deps),
      ...jobRoutes(deps),
      ...jobspecRoutes(deps),
      ...allocationRoutes(deps),
      ...evaluationRoutes(deps),
      ...deploymentRoutes(deps),
      ...nodeRoutes(deps),
      ...serviceRoutes(deps),
      ...variableRoutes(deps),
      ...scalingRoutes(deps),
      ...searchRoutes(deps),
      ...clientRoutes(deps),
      ...agentInfoRoutes(deps),
      ...operatorRoutes(deps),
      ...metricsRoutes(deps),
      ...eventRoutes(deps),
      ...sourceRoutes(deps),
      ...commitPlanRoutes({ ...deps, refPlans: new RefPlans(deps) }),
      ...hookRoutes(deps),
      ...auditRoutes(deps),
      ...workloadIdentityRoutes(deps),
      ...uiRoutes,
      ...(deps.settings.writes === 'runtime' ? runtimeRoutes(deps) : []),
    ])
  }

  /** The route of a path as sent, and the id in it. @throws ApiError UNKNOWN_PATH */
  find(path: string): RouteMatch {
    const match = this.#router.find(decodePath(path))
    if (match === undefined) throw unknownPath()
    return match
  }

  /** @throws ApiError, and whatever the ports throw: to be told as the reason why the socket is closed */
  async converse(request: ApiRequest, socket: ApiSocket): Promise<void> {
    const { route, id } = this.find(request.path)
    if (route.socket === undefined) throw unknownPath()
    await route.socket({ request, id, parameters: this.#parameters(request) }, socket)
  }

  /** @param match of the request's path, as `find` gave it @throws ApiError, and whatever the ports throw */
  async answer(request: ApiRequest, { route, id }: RouteMatch): Promise<ApiResponse> {
    const handler = route.methods[request.method] ?? route.methods['*']
    if (handler === undefined) throw wrongMethod()
    const parameters = this.#parameters(request)
    const at = parameters.get('at')
    if (at === undefined) return handler({ request, id, parameters })
    if (handler.readsPast === undefined) throw badRequest(`${request.path} cannot be asked of the past: leave out "at"`)
    return this.#past.answer(at, request)
  }

  /** @throws ApiError */
  #parameters({ query }: ApiRequest): Parameters {
    const parameters = new Parameters(query)
    const region = parameters.text('region')
    if (region !== '' && region !== this.#region) throw requestFailed('No path to region')
    return parameters
  }
}

/** Encoded and raw slashes are the same. @throws ApiError UNKNOWN_PATH for broken escapes */
function decodePath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    throw unknownPath()
  }
}
