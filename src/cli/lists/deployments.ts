import { type Listing, listCommand } from '../listing.js'
import { formatAge, shortId } from '../table.js'
import type { DeploymentAnswer } from '../wire.js'

const listing: Listing<DeploymentAnswer> = {
  name: 'deployments',
  summary: 'list deployments: how roll-outs go, and how they went',
  nameOf: ({ ID }) => ID,
  namespaceOf: ({ Namespace }) => Namespace,
  columns: [
    { head: 'ID', cell: ({ ID }) => shortId(ID) },
    { head: 'JOB', cell: ({ JobID }) => JobID },
    { head: 'VERSION', cell: ({ JobVersion }) => `v${JobVersion}`, order: ({ JobVersion }) => JobVersion },
    { head: 'STATUS', cell: ({ Status }) => Status, isStatus: true },
    {
      head: 'HEALTHY',
      cell: (row) => `${sumOf(row, 'HealthyAllocs')}/${sumOf(row, 'DesiredTotal')}`,
      order: (row) => sumOf(row, 'HealthyAllocs'),
    },
    { head: 'AGE', cell: ({ CreateTime }, nowMs) => formatAge(CreateTime, nowMs), order: ({ CreateTime }) => -CreateTime },
    { head: 'DESCRIPTION', cell: ({ StatusDescription }) => StatusDescription },
  ],
  read: async (client, query) =>
    [...(await client.get<readonly DeploymentAnswer[]>('/v1/deployments', query))].sort((a, b) => b.CreateIndex - a.CreateIndex),
}

function sumOf({ TaskGroups }: DeploymentAnswer, member: 'HealthyAllocs' | 'DesiredTotal'): number {
  return Object.values(TaskGroups ?? {}).reduce((sum, group) => sum + group[member], 0)
}

export const deploymentsCommand = listCommand(listing)
