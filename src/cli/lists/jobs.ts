import { type Listing, listCommand } from '../listing.js'
import { countJob, describeStatus } from '../status/jobs.js'
import { formatAge } from '../table.js'
import type { JobStatusAnswer } from '../wire.js'

const listing: Listing<JobStatusAnswer> = {
  name: 'jobs',
  summary: 'list jobs: what is wanted and what runs',
  completes: 'job',
  nameOf: ({ ID }) => ID,
  namespaceOf: ({ Namespace }) => Namespace,
  columns: [
    { head: 'ID', cell: ({ ID }) => ID },
    { head: 'TYPE', cell: ({ Type }) => Type },
    { head: 'STATUS', cell: describeStatus, isStatus: true },
    { head: 'RUNNING', cell: countJob },
    { head: 'VERSION', cell: ({ Version }) => `v${Version}`, order: ({ Version }) => Version },
    { head: 'AGE', cell: ({ SubmitTime }, nowMs) => formatAge(SubmitTime, nowMs), order: ({ SubmitTime }) => -SubmitTime },
    { head: 'PRIORITY', cell: ({ Priority }) => String(Priority), order: ({ Priority }) => Priority, isWide: true },
    { head: 'POOL', cell: ({ NodePool }) => NodePool, isWide: true },
    { head: 'DATACENTERS', cell: ({ Datacenters }) => (Datacenters ?? []).join(' '), isWide: true },
  ],
  read: async (client, query) =>
    [...(await client.get<readonly JobStatusAnswer[]>('/v1/jobs/statuses', query))].sort((a, b) =>
      a.Namespace === b.Namespace ? (a.ID < b.ID ? -1 : 1) : a.Namespace < b.Namespace ? -1 : 1,
    ),
}

export const jobsCommand = listCommand(listing)
