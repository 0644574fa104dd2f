/** What Nomad takes without a word and nobody can have meant. */
import type { Job } from '../domain/index.js'
import { nextLaunch } from './next-launch.js'

/** The thirty-first of February, a range that runs backwards, or, as Nomad has it, one of those after others. */
export function periodicWarnings({ Periodic }: Pick<Job, 'Periodic'>): readonly string[] {
  if (Periodic === null || !Periodic.Enabled || (Periodic.Spec === '' && (Periodic.Specs ?? []).length === 0)) return []
  const next = nextLaunch(Periodic, 0)
  const isNever = next.kind === 'at' && next.atMs === null
  return isNever ? ['periodic names no time that ever comes: the job is launched by force only'] : []
}
