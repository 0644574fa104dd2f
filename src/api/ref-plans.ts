/** What a commit of the repository would change here: what becomes of each job, and of new and changed ones where their allocations would go. */
import { type Job, type Mistake, namespacedKey, placeText } from '../domain/index.js'
import { type JobPlanDeps, planOfJob } from './job-plan.js'
import type { CommitPlanner, RefReader, Turns } from './ports.js'

export interface RefPlansDeps extends JobPlanDeps {
  readonly refReader: RefReader
  readonly commitPlanner: CommitPlanner
  readonly turns: Turns
}

/** In the form that `/drover/v1/plan?ref=` answers. */
export type RefPlan = Awaited<ReturnType<RefPlans['plan']>>

/** Jobs whose placements are asked about; a commit that changes more is told without them for the rest. */
const PLACED_MAX = 200

export class RefPlans {
  readonly #deps: RefPlansDeps

  constructor(deps: RefPlansDeps) {
    this.#deps = deps
  }

  /** @throws OrchestratorError GIT_* for a ref that is none, TOO_BUSY, UNKNOWN_SOURCE */
  async plan(sourceId: string, ref: string) {
    const { refReader, commitPlanner, turns } = this.#deps
    const { commit, appliedId, summary, jobs, mistakes } = await refReader.read(sourceId, ref)
    const plan = await commitPlanner.plan(summary)
    const planned: (Omit<(typeof plan.jobs)[number], 'plan'> & { readonly plan: object | null })[] = []
    let left = PLACED_MAX
    for (const each of plan.jobs) {
      const sound = jobs.get(namespacedKey(each.namespace, each.id))
      const isPlaced = (each.change === 'new' || each.change === 'changed') && sound !== undefined && left-- > 0
      if (isPlaced) await turns.pass()
      planned.push({ ...each, plan: isPlaced ? await this.#place(sound.job, sound.warnings) : null })
    }
    const { id, author, subject, atMs } = commit
    const { refusals, ...told } = plan
    const all = [...mistakes, ...refusals].map(describeMistake)
    return { source: sourceId, ref, commit: { id, author, subject, atMs }, appliedId, ...told, jobs: planned, mistakes: all }
  }

  async #place(job: Job, warnings: readonly string[]): Promise<object> {
    const { json } = await planOfJob(this.#deps, { job, warnings, isDiffWanted: true, isExplained: false, isUsageWanted: true })
    return JSON.parse(new TextDecoder().decode(json)) as object
  }
}

function describeMistake(mistake: Mistake): object {
  const { snippet: _, ...told } = mistake
  return { ...told, place: placeText(mistake) }
}
