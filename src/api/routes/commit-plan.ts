/** `/drover/v1/plan`: what a tree would change if it were committed. */
import { type CommitSummary, OrchestratorError, SOURCE_DEFAULT } from '../../domain/index.js'
import { type JsonObject, readJsonBody } from '../body.js'
import { encodeJson } from '../encode.js'
import { badRequest, notFound } from '../errors.js'
import type { CommitPlanner } from '../ports.js'
import type { RefPlan, RefPlans } from '../ref-plans.js'
import { jsonAnswer } from '../request.js'
import type { Call, Route } from '../router.js'

export interface CommitPlanDeps {
  readonly commitPlanner: CommitPlanner
  readonly refPlans: RefPlans
}

export function commitPlanRoutes({ commitPlanner, refPlans }: CommitPlanDeps): readonly Route[] {
  const ofRef = async ({ parameters }: Call) =>
    jsonAnswer(encodeJson(await planRef(refPlans, parameters.text('source') || SOURCE_DEFAULT, parameters.text('ref'))))
  const handler = async (call: Call) => {
    const summary = readSummary(readJsonBody(call.request.body))
    return jsonAnswer(encodeJson(await explained(() => commitPlanner.plan(summary))))
  }
  return [{ pattern: '/drover/v1/plan', methods: { GET: ofRef, PUT: handler, POST: handler } }]
}

/** @throws ApiError BAD_REQUEST, NOT_FOUND; OrchestratorError GIT_REMOTE, TOO_BUSY */
async function planRef(refPlans: RefPlans, source: string, ref: string): Promise<RefPlan> {
  if (ref === '') throw badRequest('name what is to be planned, as in ?ref=refs/heads/main')
  return explained(() => refPlans.plan(source, ref))
}

async function explained<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof OrchestratorError && CANNOT_BE_PLANNED.has(error.code)) throw badRequest(error.message)
    if (error instanceof OrchestratorError && NOT_FOUND.has(error.code)) throw notFound(error.message)
    throw error
  }
}

/** What is no ref, and a commit with more in it than is ever read. */
const CANNOT_BE_PLANNED: ReadonlySet<string> = new Set(['GIT_REF', 'GIT_TREE'])
const NOT_FOUND: ReadonlySet<string> = new Set(['GIT_UNKNOWN_REF', 'UNKNOWN_SOURCE'])

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
const isTextOrNull: Check = (value) => value === null || isText(value)
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const hasMembers =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]))

const isDeclaration = hasMembers({ name: isText, path: isText, pool: isText, publicKey: isText })
const isAgents = hasMembers({
  poolNames: isListOf(isText),
  declarations: isListOf(isDeclaration),
  pools: isListOf(hasMembers({ Name: isText })),
  configuration: (value) => value === null || isObject(value),
  unsound: isListOf(isText),
  isComplete: isFlag,
})
const isSuspension = hasMembers({ untilMs: (value) => Number.isSafeInteger(value), reason: isText })
const isOrder = hasMembers({
  dependsOn: isListOf(hasMembers({ namespace: isText, jobId: isText })),
  bundle: isText,
  suspend: (value) => value === null || isSuspension(value),
  hooks: isListOf(hasMembers({ phase: isText, target: hasMembers({ namespace: isText, jobId: isText }) })),
})
const isNeeds = hasMembers({
  nodePool: isText,
  priority: (value) => Number.isSafeInteger(value),
  hostVolumes: isListOf(hasMembers({ name: isText, source: isText })),
  tasks: isListOf(hasMembers({ name: isText, driver: isText, privileges: isListOf(isText) })),
  hookNamespaces: isListOf(isText),
})
const SUMMARY: Readonly<Record<keyof CommitSummary, Check>> = {
  source: (value) => value === undefined || isText(value),
  isWhole: isFlag,
  leaves: isTextOrNull,
  isShallow: isFlag,
  trailers: isListOf(hasMembers({ key: isText, value: isText })),
  jobs: isListOf(
    hasMembers({
      path: isText,
      namespace: isText,
      id: isText,
      spec: isText,
      type: isText,
      isPeriodic: isFlag,
      isParameterized: isFlag,
      needs: isNeeds,
      order: (value) => value === undefined || isOrder(value),
    }),
  ),
  unsound: isListOf(
    hasMembers({ path: isText, namespace: isTextOrNull, jobId: isTextOrNull, bundle: (value) => value === undefined || isText(value) }),
  ),
  agents: (value) => value === null || isAgents(value),
}

/** Members of hosts and pools are only compared with what is known. @throws ApiError BAD_REQUEST with the member that is wrong */
function readSummary(body: JsonObject): CommitSummary {
  const wrong = Object.entries(SUMMARY).find(([name, check]) => !check(body[name]))
  if (wrong !== undefined)
    throw badRequest(`the member ${wrong[0]} of the plan is missing, or is not what this server takes; use a drover of its version`)
  return body as unknown as CommitSummary
}
