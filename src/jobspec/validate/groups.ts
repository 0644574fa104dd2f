/** Groups: their own members, then those of their tasks. */
import type { Job, TaskGroup } from '../../domain/index.js'
import { affinityTexts, constraintTexts, spreadTexts } from './constraints.js'
import { networkTexts } from './networks.js'
import { disconnectTexts, migrateTexts, rescheduleTexts, restartTexts, scalingTexts, updateTexts } from './policies.js'
import { quote, wrapTexts } from './problem.js'
import { groupServiceTexts } from './services.js'
import { taskTexts } from './tasks.js'
import { volumeTexts } from './volumes.js'

const DISK_MB_MIN = 10

/** In the order in which Nomad tells them; those of a task under its name. */
export function groupTexts(job: Job, group: TaskGroup): string[] {
  const { Type: type } = job
  const isSystem = type === 'system'
  const texts: string[] = []
  if (group.Name === '') texts.push('Missing task group name')
  else if (group.Name.includes('\0')) texts.push('Task group name contains null character')
  if (group.Count < 0) texts.push("Task group count can't be negative")
  if ((group.Tasks ?? []).length === 0) texts.push('Missing tasks for task group')
  texts.push(...disconnectTexts(type, group.Disconnect), ...runDurationTexts(type, group), ...constraintTexts(group.Constraints))
  texts.push(...(isSystem ? unwanted(group.Affinities, 'System jobs may not have an affinity block') : affinityTexts(group.Affinities)))
  if (group.RestartPolicy === null) texts.push(`Task Group ${group.Name} should have a restart policy`)
  else texts.push(...restartTexts(group.RestartPolicy))
  texts.push(...(isSystem ? unwanted(group.Spreads, 'System jobs may not have a spread block') : spreadTexts(group.Spreads)))
  if (type === 'system' || type === 'sysbatch') {
    if (group.ReschedulePolicy !== null) texts.push('System or sysbatch jobs should not have a reschedule policy')
  } else texts.push(...rescheduleTexts(group.ReschedulePolicy))
  const { SizeMB } = group.EphemeralDisk
  if (SizeMB < DISK_MB_MIN) texts.push(`minimum DiskMB value is ${DISK_MB_MIN}; got ${SizeMB}`)
  texts.push(...strategyTexts(type, group), ...taskNameTexts(group), ...volumeTexts(type, group))
  texts.push(...networkTexts(group), ...groupServiceTexts(group), ...scalingTexts(group))
  for (const task of group.Tasks ?? []) texts.push(...wrapTexts(`Task ${task.Name} validation failed: `, taskTexts(type, group, task)))
  return texts
}

function runDurationTexts(type: string, { MaxRunDuration }: TaskGroup): string[] {
  if (MaxRunDuration === null) return []
  const texts: string[] = []
  if (MaxRunDuration <= 0) texts.push('MaxRunDuration must be greater than zero')
  if (type !== 'batch' && type !== 'sysbatch') texts.push(`Job type ${quote(type)} does not allow max_run_duration`)
  return texts
}

function unwanted(list: readonly unknown[] | null, text: string): string[] {
  return (list ?? []).length > 0 ? [text] : []
}

function strategyTexts(type: string, group: TaskGroup): string[] {
  const texts: string[] = []
  if (group.Update !== null) {
    if (type !== 'service' && type !== 'system') texts.push(`Job type ${quote(type)} does not allow update block`)
    texts.push(...updateTexts(group.Update))
  }
  if (group.Migrate !== null) {
    if (type === 'service') texts.push(...migrateTexts(group.Migrate))
    else texts.push(`Job type ${quote(type)} does not allow migrate block`)
  }
  return texts
}

function taskNameTexts(group: TaskGroup): string[] {
  const texts: string[] = []
  const seen = new Map<string, number>()
  for (const [at, task] of (group.Tasks ?? []).entries()) {
    const other = seen.get(task.Name)
    if (task.Name === '') texts.push(`Task ${at + 1} missing name`)
    else if (other !== undefined) texts.push(`Task ${at + 1} redefines '${task.Name}' from task ${other}`)
    else seen.set(task.Name, at + 1)
  }
  if ((group.Tasks ?? []).filter((task) => task.Leader).length > 1) texts.push('Only one task may be marked as leader')
  return texts
}
