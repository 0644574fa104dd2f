import type { Client } from '../client.js'
import { type Listing, listCommand } from '../listing.js'
import type { JobStub, NamespaceAnswer } from '../wire.js'

interface Row extends NamespaceAnswer {
  readonly jobCount: number
  readonly runningCount: number
}

const listing: Listing<Row> = {
  name: 'namespaces',
  summary: 'list namespaces, with the jobs in them',
  nameOf: ({ Name }) => Name,
  columns: [
    { head: 'NAME', cell: ({ Name }) => Name },
    { head: 'JOBS', cell: ({ jobCount }) => String(jobCount), order: ({ jobCount }) => jobCount },
    { head: 'RUNNING', cell: ({ runningCount }) => String(runningCount), order: ({ runningCount }) => runningCount },
    { head: 'DESCRIPTION', cell: ({ Description }) => Description },
  ],
  read: readNamespaces,
}

async function readNamespaces(client: Client): Promise<readonly Row[]> {
  const [namespaces, jobs] = await Promise.all([
    client.get<readonly NamespaceAnswer[]>('/v1/namespaces'),
    client.get<readonly JobStub[]>('/v1/jobs', { namespace: '*' }),
  ])
  return namespaces.map((namespace) => {
    const own = jobs.filter((job) => job.Namespace === namespace.Name)
    return { ...namespace, jobCount: own.length, runningCount: own.filter(({ Status }) => Status === 'running').length }
  })
}

export const namespacesCommand = listCommand(listing)
