/** A tree in the few words that a server needs to say what would become of it as a commit. */
import type { CliGitSource } from '../adapters/git/git-source.js'
import { CommandError, type JobFileReading } from '../cli/index.js'
import { type AgentsFolder, specHash } from '../controller/index.js'
import type { CommitSummary, Job } from '../domain/index.js'

export interface TreeHistory {
  readonly leaves: string | null
  readonly isShallow: boolean
  readonly trailers: CommitSummary['trailers']
}

const COMMITS_READ = 1_000

/** @param isWhole false: nothing is said of files that were not read */
export function summarizeTree(
  readings: readonly JobFileReading[],
  agents: AgentsFolder | null,
  history: TreeHistory,
  isWhole: boolean,
): CommitSummary {
  return {
    ...history,
    isWhole,
    jobs: readings.flatMap((reading) => {
      if (reading.kind !== 'job') return []
      const { path, namespace, id, job } = reading
      return [{ path, namespace, id, spec: specHash(job as Job) }]
    }),
    unsound: readings.flatMap((reading) => {
      if (reading.kind !== 'mistakes') return []
      const { path, names } = reading
      return [{ path, namespace: names?.namespace ?? null, jobId: names?.jobId ?? null }]
    }),
    agents: agents === null ? null : summarizeAgents(agents),
  }
}

function summarizeAgents(agents: AgentsFolder): NonNullable<CommitSummary['agents']> {
  if (agents.aborted.length > 0) throw new CommandError(`${agents.aborted.join(', ')} could not be read`)
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

/** What lies between the commit that the server stands at and the one that `git` resolves to. */
export async function readHistory(git: CliGitSource, appliedCommit: string | null): Promise<TreeHistory> {
  const { id } = await git.resolve()
  const isThere = appliedCommit !== null && (await git.isAncestor(appliedCommit, id))
  const commits = appliedCommit === id ? [] : await git.commitsBetween(appliedCommit, id, COMMITS_READ)
  return {
    leaves: appliedCommit === null || isThere ? null : appliedCommit,
    isShallow: await git.isShallow(),
    trailers: commits.flatMap(({ trailers }) => trailers),
  }
}
