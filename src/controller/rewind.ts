/** A commit that does not descend from the applied one waits for somebody's word, unless the source follows whatever its ref names. */
import type { Commit, Held } from '../domain/index.js'
import { ALLOW_REWIND, isTrailer } from './trailers.js'

export interface RewindRules {
  readonly rewind: 'hold' | 'follow'
  /** The clone lacks older history, and may only seem to be rewritten. */
  readonly isShallow: boolean
}

/** An id shortened to less than this names nothing for sure. */
const ID_LENGTH_MIN = 7

/** @returns null where the rewind is followed */
export function guardRewind(
  appliedId: string,
  commitId: string,
  trailers: Commit['trailers'],
  { rewind, isShallow }: RewindRules,
): Held | null {
  const names = trailers.filter((trailer) => isTrailer(trailer, ALLOW_REWIND)).map(({ value }) => value)
  if (rewind === 'follow' || names.some((name) => name.length >= ID_LENGTH_MIN && appliedId.startsWith(name))) return null
  const cause = isShallow ? 'this clone is shallow, so its history may only seem to be rewritten: run git fetch --unshallow in it; or ' : ''
  const remedy = `${cause}commit with the trailer "${ALLOW_REWIND}: ${appliedId}", or bring ${appliedId.slice(0, 12)} back into the history`
  return { reason: 'rewind', commit: commitId, jobs: [], remedy }
}
