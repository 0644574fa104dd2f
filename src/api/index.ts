/** The HTTP API: Nomad's routes and Drover's own, answered from a view of the state. */
export { Api, type ApiDeps } from './api.js'
export { ApiError, type ApiErrorCode, badRequest, notFound, requestFailed, tooMany } from './errors.js'
export { answerJobRequest, type JobAnswer, type JobRequest, type JobRequests } from './job-requests.js'
export type { Family, SummaryReading } from './metrics/family.js'
export type {
  AgentCaller,
  ApiSettings,
  AuditLog,
  HookOutcome,
  JobspecParser,
  Past,
  PastRequest,
  Planner,
  PrometheusText,
  SourceTexts,
  StateReader,
  WatchKey,
  Webhooks,
} from './ports.js'
export { type RefPlan, RefPlans, type RefPlansDeps } from './ref-plans.js'
export type { ApiRequest, ApiResponse } from './request.js'
export type { ApiSocket, Route, RouteMatch } from './router.js'
