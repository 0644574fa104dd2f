/** All that may happen around a task, in the order in which it happens before a start. */
import type { Task, TaskGroup } from '../../domain/index.js'
import type { TaskHookRule } from '../task-record.js'
import { ARTIFACTS } from './artifacts.js'
import { DEVICES } from './devices.js'
import { DISPATCH_PAYLOAD } from './dispatch-payload.js'
import type { HookRow } from './hook.js'
import { IDENTITIES } from './identities.js'
import { NETWORK } from './network.js'
import { TASK_FOLDERS } from './task-folders.js'
import { TEMPLATES } from './templates.js'
import { VALIDATE } from './validate.js'
import { VOLUMES } from './volumes.js'

export const HOOKS: readonly HookRow[] = [
  VALIDATE,
  TASK_FOLDERS,
  NETWORK,
  IDENTITIES,
  DISPATCH_PAYLOAD,
  VOLUMES,
  DEVICES,
  ARTIFACTS,
  TEMPLATES,
]

/** The rows that a task has, for its machine. */
export function hooksOf(task: Task, group: TaskGroup): readonly TaskHookRule[] {
  return HOOKS.filter((row) => row.appliesTo(task, group)).map(({ name, runs }) => ({ name, runs }))
}
