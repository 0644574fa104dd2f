/** Which of the sources of a cluster the repository is that somebody stands in. */
import type { Client } from './client.js'
import { CommandError } from './command.js'
import type { SourceAnswer } from './wire.js'

/** Whether the repository has a commit. */
export type Knows = (commitId: string) => Promise<boolean>

/**
 * The named one, the only one, or the only one whose applied commit is known here.
 * @throws CommandError where that cannot be told
 */
export async function ownSource(client: Client, named: string | undefined, knows: Knows): Promise<SourceAnswer | undefined> {
  const sources = (await client.get<readonly SourceAnswer[]>('/drover/v1/source')).filter(({ isFollowed }) => isFollowed)
  if (named !== undefined) {
    const found = sources.find(({ id }) => id === named)
    if (found === undefined) throw new CommandError(`the server follows no source "${named}"; there are: ${namesOf(sources)}`)
    return found
  }
  if (sources.length < 2) return sources[0]
  const known: SourceAnswer[] = []
  for (const source of sources) if (source.commit !== null && (await knows(source.commit.id))) known.push(source)
  if (known.length === 1) return known[0]
  const cause =
    known.length === 0
      ? 'this repository has the newest commit of none of them (git fetch may help)'
      : `this repository has the commits of ${namesOf(known)}`
  throw new CommandError(`the server follows ${namesOf(sources)}, and ${cause}; name one with --source`)
}

function namesOf(sources: readonly SourceAnswer[]): string {
  return sources.map(({ id }) => id).join(', ')
}
