/**
 * In which order the tasks of a group begin and end, and when the end of one ends the others: rules over the tasks and what is written
 * down of them. Source: Nomad docs, "Task Lifecycle".
 */
import { type ClientStatus, type Task, type TaskEvent, type TaskState, ZERO_TIME } from '../domain/index.js'
import { taskEvent } from './task-events.js'
import type { TaskRecord } from './task-record.js'

export type RecordOf = (task: Task) => TaskRecord | undefined

const isDead = (record: TaskRecord | undefined) => record?.phase === 'dead'
const isLiving = (record: TaskRecord | undefined) => record !== undefined && record.phase !== 'dead'

/** @param isEnding the group is being ended, and only what comes after that may begin */
export function mayOpen(task: Task, tasks: readonly Task[], recordOf: RecordOf, isEnding: boolean): boolean {
  const others = tasks.filter((other) => other !== task)
  if (isPoststop(task)) return others.every((other) => isPoststop(other) || isDead(recordOf(other)))
  if (isEnding) return false
  switch (task.Lifecycle?.Hook) {
    case 'prestart':
      return true
    case 'poststart':
      return others.filter(isMain).every((main) => hasBegun(recordOf(main)))
    default:
      return others.filter(({ Lifecycle }) => Lifecycle?.Hook === 'prestart').every((other) => isPrestartDone(other, recordOf(other)))
  }
}

/** Leaders first, then all others but sidecars, then the sidecars: each class once the one before is dead. Poststop tasks are left out. */
export function nextToEnd(tasks: readonly Task[], recordOf: RecordOf): readonly Task[] {
  const living = tasks.filter((task) => !isPoststop(task) && isLiving(recordOf(task)))
  const leaders = living.filter(({ Leader }) => Leader)
  const others = living.filter((task) => !isSidecar(task))
  return leaders.length > 0 ? leaders : others.length > 0 ? others : living
}

/** What of its own ends the rest of the group: a failed task, a dead leader, or only sidecars left. As the others are told of it. */
export function reasonToEnd(tasks: readonly Task[], recordOf: RecordOf, wallMs: number): TaskEvent | undefined {
  const dead = tasks.filter((task) => isDead(recordOf(task)))
  const others = tasks.filter((task) => !isPoststop(task) && isLiving(recordOf(task)))
  if (others.length === 0) return undefined
  const failed = dead.find((task) => !isPoststop(task) && recordOf(task)?.state.Failed === true)
  if (failed !== undefined) return taskEvent('Sibling Task Failed', wallMs, [{ fact: 'failed_sibling', text: failed.Name }])
  if (dead.some(({ Leader }) => Leader)) return taskEvent('Leader Task Dead', wallMs)
  const mains = tasks.filter(isMain)
  const areMainsDead = mains.length > 0 && mains.every((task) => isDead(recordOf(task)))
  return areMainsDead && others.every(isSidecar) ? taskEvent('Main Tasks Dead', wallMs) : undefined
}

/** Failed and complete only once all has ended; a group that is being ended because one failed still holds its share. */
export function clientStatusOf(states: readonly TaskState[], hasEnded: boolean): ClientStatus {
  if (hasEnded) return states.some(({ Failed }) => Failed) ? 'failed' : 'complete'
  return states.some(({ State }) => State === 'running') ? 'running' : 'pending'
}

export function isPoststop({ Lifecycle }: Task): boolean {
  return Lifecycle?.Hook === 'poststop'
}

function isSidecar({ Lifecycle }: Task): boolean {
  return Lifecycle?.Sidecar === true && Lifecycle.Hook !== 'poststop'
}

function isMain({ Lifecycle }: Task): boolean {
  return Lifecycle === null || Lifecycle === undefined || Lifecycle.Hook === ''
}

function hasBegun(record: TaskRecord | undefined): boolean {
  return record !== undefined && (record.state.State === 'running' || record.state.StartedAt !== ZERO_TIME)
}

function isPrestartDone(task: Task, record: TaskRecord | undefined): boolean {
  if (record === undefined) return false
  return isSidecar(task) ? hasBegun(record) : record.phase === 'dead' && !record.state.Failed
}
