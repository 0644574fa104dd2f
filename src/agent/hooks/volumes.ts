/**
 * Volumes of the host in the task's folder. A driver without mounts of its own sees a link at the destination, as on a Nomad client;
 * read-only cannot be enforced by a link, which the host's file says for the whole volume.
 */
import type { Task, TaskGroup, VolumeMount } from '../../domain/index.js'
import { type HookContext, HookFailure, type HookRow } from './hook.js'

/** What the volume is called on the node: one for each allocation when it is asked for so. */
function sourceOf(mount: VolumeMount, { group, allocation }: HookContext): string {
  const request = group().Volumes?.[mount.Volume]
  if (request === undefined) return ''
  const index = /\[(\d+)\]$/.exec(allocation().Name)?.[0] ?? ''
  return request.PerAlloc ? `${request.Source}${index}` : request.Source
}

function mountsOf(task: Task, group: TaskGroup): readonly VolumeMount[] {
  return (task.VolumeMounts ?? []).filter(({ Volume }) => group.Volumes?.[Volume] !== undefined)
}

export const VOLUMES: HookRow = {
  name: 'volumes',
  runs: 'each-start',
  appliesTo: (task) => (task.VolumeMounts ?? []).length > 0,
  create: (context) => ({
    async prestart() {
      const { task, group, ports, directories, node, event } = context
      const refuse = (text: string): never => {
        throw new HookFailure(event('Setup Failure', { fact: 'setup_error', text }), false)
      }
      for (const mount of task().VolumeMounts ?? []) {
        if (!mountsOf(task(), group()).includes(mount)) refuse(`volume "${mount.Volume}" is not a volume of group "${group().Name}"`)
        const source = sourceOf(mount, context)
        const volume = node().HostVolumes?.[source] ?? refuse(`host volume "${source}" is not on this host`)
        await ports.files.link({ root: directories.task, path: mount.Destination, target: volume.Path })
      }
    },
  }),
}
