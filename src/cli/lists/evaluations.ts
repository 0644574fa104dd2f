import { type Listing, listCommand } from '../listing.js'
import { formatAge, shortId } from '../table.js'
import type { EvaluationAnswer } from '../wire.js'

const listing: Listing<EvaluationAnswer> = {
  name: 'evaluations',
  aliases: ['evals'],
  summary: 'list evaluations: why jobs were looked at, and what came of it',
  nameOf: ({ ID }) => ID,
  namespaceOf: ({ Namespace }) => Namespace,
  columns: [
    { head: 'ID', cell: ({ ID }) => shortId(ID) },
    { head: 'JOB', cell: ({ JobID }) => JobID },
    { head: 'TRIGGER', cell: ({ TriggeredBy }) => TriggeredBy },
    { head: 'STATUS', cell: ({ Status }) => Status, isStatus: true },
    { head: 'UNPLACED', cell: ({ FailedTGAllocs }) => Object.keys(FailedTGAllocs ?? {}).join(' ') || '-' },
    { head: 'PRIORITY', cell: ({ Priority }) => String(Priority), order: ({ Priority }) => Priority, isWide: true },
    { head: 'AGE', cell: ({ CreateTime }, nowMs) => formatAge(CreateTime, nowMs), order: ({ CreateTime }) => -CreateTime },
    { head: 'DESCRIPTION', cell: ({ StatusDescription }) => StatusDescription ?? '', isWide: true },
  ],
  read: async (client, query) =>
    [...(await client.get<readonly EvaluationAnswer[]>('/v1/evaluations', query))].sort((a, b) => b.CreateIndex - a.CreateIndex),
}

export const evaluationsCommand = listCommand(listing)
