import { type Listing, listCommand } from '../listing.js'
import { shortId } from '../table.js'
import type { ServiceAnswer, ServicesAnswer } from '../wire.js'

const listing: Listing<ServiceAnswer> = {
  name: 'services',
  summary: 'list services: every instance with its address',
  nameOf: ({ ServiceName }) => ServiceName,
  namespaceOf: ({ Namespace }) => Namespace,
  columns: [
    { head: 'SERVICE', cell: ({ ServiceName }) => ServiceName },
    { head: 'ADDRESS', cell: ({ Address, Port }) => (Address.includes(':') ? `[${Address}]:${Port}` : `${Address}:${Port}`) },
    { head: 'TAGS', cell: ({ Tags }) => (Tags ?? []).join(' ') || '-' },
    { head: 'JOB', cell: ({ JobID }) => JobID },
    { head: 'ALLOCATION', cell: ({ AllocID }) => shortId(AllocID) },
    { head: 'NODE', cell: ({ NodeID }) => shortId(NodeID), isWide: true },
    { head: 'DATACENTER', cell: ({ Datacenter }) => Datacenter, isWide: true },
  ],
  async read(client, query) {
    const byNamespace = await client.get<readonly ServicesAnswer[]>('/v1/services')
    const names = byNamespace.flatMap(({ Namespace, Services }) => Services.map(({ ServiceName }) => [Namespace, ServiceName] as const))
    const instances = await Promise.all(
      names.map(([namespace, name]) =>
        client.get<readonly ServiceAnswer[]>(`/v1/service/${encodeURIComponent(name)}`, { ...query, namespace }),
      ),
    )
    return instances.flat()
  },
}

export const servicesCommand = listCommand(listing)
