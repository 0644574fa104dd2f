/**
 * Volumes of the host in the task's root. A driver without a root of its own sees a link at the destination, as on a Nomad client;
 * read-only cannot be enforced by a link, which the host's file says for the whole volume.
 */
import type { Task, TaskGroup, VolumeMount } from '../../domain/index.js'
import type { TaskMount } from '../driver.js'
import { type HookContext, HookFailure, type HookRow, type TaskHook } from './hook.js'

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

const PROPAGATIONS: Readonly<Record<string, TaskMount['propagation']>> = {
  'host-to-task': 'host-to-task',
  bidirectional: 'bidirectional',
}

class Volumes implements TaskHook {
  readonly #context: HookContext
  #mounts: readonly TaskMount[] = []

  constructor(context: HookContext) {
    this.#context = context
  }

  async prestart(): Promise<void> {
    const { task, ports, directories, isolation } = this.#context
    this.#mounts = (task().VolumeMounts ?? []).map((mount) => this.#mountOf(mount))
    if (isolation() !== 'none') return
    for (const { source, target } of this.#mounts) await ports.files.link({ root: directories.task, path: target, target: source })
  }

  mounts(): readonly TaskMount[] {
    return this.#mounts
  }

  #mountOf(mount: VolumeMount): TaskMount {
    const { task, group, node } = this.#context
    if (!mountsOf(task(), group()).includes(mount))
      throw this.#refusal(`volume "${mount.Volume}" is not a volume of group "${group().Name}"`)
    const name = sourceOf(mount, this.#context)
    const volume = node().HostVolumes?.[name]
    if (volume === undefined) throw this.#refusal(`host volume "${name}" is not on this host`)
    return {
      source: volume.Path,
      target: mount.Destination,
      isReadOnly: mount.ReadOnly || volume.ReadOnly || group().Volumes?.[mount.Volume]?.ReadOnly === true,
      propagation: PROPAGATIONS[mount.PropagationMode] ?? 'private',
    }
  }

  #refusal(text: string): HookFailure {
    return new HookFailure(this.#context.event('Setup Failure', { fact: 'setup_error', text }), false)
  }
}

export const VOLUMES: HookRow = {
  name: 'volumes',
  runs: 'each-start',
  appliesTo: (task) => (task.VolumeMounts ?? []).length > 0,
  create: (context) => new Volumes(context),
}
