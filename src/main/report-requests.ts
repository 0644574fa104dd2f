/** Requests to merge are told on their forge what they would do: the reporter, put together from the server's parts. */

import type { RemoteMirror } from '../adapters/git/remote/remote-mirror.js'
import { type RefPlan, RefPlans, type RefPlansDeps } from '../api/index.js'
import { formatPlanMarkdown } from '../cli/plan-markdown.js'
import { changeCounts, type PlanToPrint, planToPrint } from '../cli/plan-texts.js'
import type { RefPlanAnswer } from '../cli/wire.js'
import { type RequestPlan, RequestReporter, type RequestReporterDeps } from '../controller/index.js'
import type { Clock, Logger } from '../domain/index.js'
import type { StateView } from '../state/index.js'
import { forgeOf, type SourceConfig } from './source-config.js'

/** By source. */
export type Reporters = Map<string, RequestReporter>

export interface ReportingDeps {
  readonly view: StateView
  readonly plans: RefPlansDeps
  readonly clock: Clock
  readonly logger: Logger
}

/** Fills `reporters` with one for each source that tells a forge. */
export function startReporters(
  reporters: Reporters,
  sources: readonly { readonly id: string; readonly source: SourceConfig; readonly remote: RemoteMirror | undefined }[],
  { view, plans, clock, logger }: ReportingDeps,
): void {
  for (const { id, source, remote } of sources) {
    const forge = forgeOf(source, () => clock.wallMs())
    if (forge === undefined || remote === undefined) continue
    const branch = source.ref.slice('refs/heads/'.length)
    const everyMs = 1000 * source.forge!.poll_seconds
    const appliedId = () => view.sources.get(id)?.commit?.id ?? null
    reporters.set(id, startReporter({ id, forge, remote, branch, plans, clock, logger: logger.with({ source: id }), everyMs, appliedId }))
  }
}

interface ReportRequestsDeps extends Omit<RequestReporterDeps, 'plan'> {
  readonly id: string
  readonly remote: RemoteMirror
  readonly plans: RefPlansDeps
}

function startReporter({ id, remote, plans, ...deps }: ReportRequestsDeps): RequestReporter {
  const refPlans = new RefPlans(plans)
  const plan = async (ref: string): Promise<RequestPlan> => {
    const merged = await remote.mergeOther(ref)
    if (merged.kind === 'conflict') return conflictOf(merged.headId, merged.paths)
    if (merged.kind === 'refused') return refusedOf(merged.headId, merged.why)
    return planOf(merged.headId, await refPlans.plan(id, merged.id))
  }
  const reporter = new RequestReporter({ ...deps, plan })
  reporter.lookNow()
  return reporter
}

/** What merging would make of the cluster; it is told of the commit that people know. */
function planOf(headId: string, answer: RefPlan): RequestPlan {
  const plan = planToPrint(JSON.parse(JSON.stringify(answer)) as RefPlanAnswer)
  const told = { ...plan, commit: { ...answer.commit, id: headId } }
  return {
    headId,
    markdown: formatPlanMarkdown(told),
    status: { state: isSound(plan) ? 'success' : 'failure', description: describe(plan) },
  }
}

function isSound({ held, mistakes, jobs }: PlanToPrint): boolean {
  return held === null && mistakes.length === 0 && jobs.every(({ change }) => change !== 'frozen')
}

function describe(plan: PlanToPrint): string {
  const unplaced = plan.jobs.filter((job) => Object.keys(job.plan?.FailedTGAllocs ?? {}).length > 0).length
  return [
    changeCounts(plan),
    ...(unplaced === 0 ? [] : [`${unplaced} find no room`]),
    ...(plan.mistakes.length === 0 ? [] : [`${plan.mistakes.length} mistake(s)`]),
    ...(plan.held === null ? [] : [`held (${plan.held.reason})`]),
  ].join(', ')
}

function conflictOf(headId: string, paths: readonly string[]): RequestPlan {
  const list = paths.slice(0, 50).map((path) => `- ${JSON.stringify(path).replaceAll('`', "'")}`)
  const markdown = `### Drover: no plan of \`${headId.slice(0, 12)}\`\n\nIt cannot be merged as it is; these files are in conflict:\n\n\`\`\`\n${list.join('\n')}\n\`\`\`\n`
  return { headId, markdown, status: { state: 'failure', description: `conflicts in ${paths.length} file(s)` } }
}

function refusedOf(headId: string, why: string): RequestPlan {
  const markdown = `### Drover: no plan of \`${headId.slice(0, 12)}\`\n\n${why}.\n`
  return { headId, markdown, status: { state: 'failure', description: why } }
}
