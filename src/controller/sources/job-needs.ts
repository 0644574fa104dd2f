/** What a job asks for that its namespace or its source may forbid. */
import type { Job, JobNeeds, JobOrder } from '../../domain/index.js'
import { privilegesOf } from './privileges.js'

export function needsOf(
  { NodePool, Priority, TaskGroups }: Pick<Job, 'NodePool' | 'Priority' | 'TaskGroups'>,
  order: JobOrder | undefined,
): JobNeeds {
  return {
    nodePool: NodePool,
    priority: Priority,
    hostVolumes: TaskGroups.flatMap(({ Volumes }) => Object.entries(Volumes ?? {})).flatMap(([name, { Type, Source }]) =>
      Type === 'host' ? [{ name, source: Source }] : [],
    ),
    tasks: TaskGroups.flatMap(({ Tasks }) => Tasks).map((task) => ({
      name: task.Name,
      driver: task.Driver,
      privileges: privilegesOf(task),
    })),
    hookNamespaces: (order?.hooks ?? []).map(({ target }) => target.namespace),
  }
}
