/** A tree in the few words that a server needs to say what would become of it as a commit. */
import { type CommitSummary, type Job, type JobOrder, OrchestratorError } from '../domain/index.js'
import type { AgentsFolder } from './agents/agents-folder.js'
import { bundleMember } from './order/check-dependencies.js'
import type { GitSource } from './ports.js'
import { needsOf } from './sources/job-needs.js'
import { specHash } from './spec-hash.js'

/** A job file as it was read. */
export type TreeFileReading =
  | {
      readonly kind: 'job'
      readonly path: string
      readonly namespace: string
      readonly id: string
      readonly job: object
      readonly order?: object | undefined
    }
  | {
      readonly kind: 'mistakes'
      readonly path: string
      readonly names?: { readonly namespace: string; readonly jobId: string; readonly bundle?: string } | undefined
    }

export interface TreeHistory {
  readonly leaves: string | null
  readonly isShallow: boolean
  readonly trailers: CommitSummary['trailers']
}

const COMMITS_READ = 1_000

/**
 * @param isWhole false: nothing is said of files that were not read
 * @throws OrchestratorError TOO_BUSY when a file was not read this time
 */
export function summarizeTree(
  readings: readonly TreeFileReading[],
  agents: AgentsFolder | null,
  history: TreeHistory,
  isWhole: boolean,
): CommitSummary {
  return {
    ...history,
    isWhole,
    jobs: readings.flatMap((reading) => {
      if (reading.kind !== 'job') return []
      const { path, namespace, id, job, order } = reading
      const { Type, Periodic, ParameterizedJob } = job as Job
      const kind = { type: Type, isPeriodic: Periodic !== null, isParameterized: ParameterizedJob !== null }
      const needs = needsOf(job as Job, order as JobOrder | undefined)
      return [
        { path, namespace, id, spec: specHash(job as Job), ...kind, needs, ...(order === undefined ? {} : { order: order as JobOrder }) },
      ]
    }),
    unsound: readings.flatMap((reading) => {
      if (reading.kind !== 'mistakes') return []
      const { path, names } = reading
      return [{ path, namespace: names?.namespace ?? null, jobId: names?.jobId ?? null, ...bundleMember(names?.bundle) }]
    }),
    agents: agents === null ? null : summarizeAgents(agents),
  }
}

function summarizeAgents(agents: AgentsFolder): NonNullable<CommitSummary['agents']> {
  if (agents.aborted.length > 0)
    throw new OrchestratorError('TOO_BUSY', `${agents.aborted.join(', ')} could not be read this time; ask again`)
  const { declarations, pools, isComplete } = agents
  return {
    poolNames: [...agents.poolNames],
    declarations,
    pools,
    configuration: agents.configuration ?? null,
    unsound: agents.frozen.map(({ path }) => path),
    isComplete,
  }
}

/** Of a work tree: what is committed next comes on top of what is there, in words that nobody knows yet. */
export const WORK_TREE_HISTORY: TreeHistory = { leaves: null, isShallow: false, trailers: [] }

/** What lies between the commit that the server stands at and another. */
export async function readHistory(git: GitSource, commitId: string, appliedCommit: string | null): Promise<TreeHistory> {
  const isThere = appliedCommit !== null && (await git.isAncestor(appliedCommit, commitId))
  const commits = appliedCommit === commitId ? [] : await git.commitsBetween(appliedCommit, commitId, COMMITS_READ)
  return {
    leaves: appliedCommit === null || isThere ? null : appliedCommit,
    isShallow: await git.isShallow(),
    trailers: commits.flatMap(({ trailers }) => trailers),
  }
}
