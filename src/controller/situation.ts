import type { SyncOutcome } from './git-reconciler.js'

/** Stands for all that people are told of a commit: what is as it was, in whatever order it was found, is told once. */
export function situationOf({ commit, held, frozen }: Pick<SyncOutcome, 'commit' | 'held' | 'frozen'>): string {
  return JSON.stringify([commit.id, held, frozen.map(({ path, blob }) => `${path} ${blob}`).sort()])
}
