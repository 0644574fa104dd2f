/** What a task asks for and this agent cannot do yet is told before anything of it is run, rather than left out. */
import type { Task, TaskGroup } from '../../domain/index.js'

/** Undefined: nothing is missing. Otherwise one sentence per thing. */
export function findUnsupported(task: Task, group: TaskGroup): string | undefined {
  const asked: readonly (readonly [name: string, isAsked: boolean])[] = [
    ['artifacts', (task.Artifacts ?? []).length > 0],
    ['templates', (task.Templates ?? []).length > 0],
    ['vault secrets', task.Vault !== null && task.Vault !== undefined],
    ['volume mounts', (task.VolumeMounts ?? []).length > 0],
    ['secrets', (task.Secrets ?? []).length > 0],
    ['devices', (task.Resources.Devices ?? []).length > 0],
    ['network mode', (group.Networks ?? []).some(({ Mode }) => Mode !== undefined && Mode !== '' && Mode !== 'host')],
  ]
  const missing = asked.filter(([, isAsked]) => isAsked).map(([name]) => name)
  return missing.length === 0 ? undefined : `this agent cannot provide ${missing.join(', ')}`
}
