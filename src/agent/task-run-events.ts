/** What a task's machine tells of its ends and new starts. */
import { formatDuration, MILLISECOND, type Task, type TaskEvent } from '../domain/index.js'
import type { TaskExit } from './driver.js'
import { type TaskFact, taskEvent } from './task-events.js'

export function terminatedEvent(exit: TaskExit, wallMs: number): TaskEvent {
  const facts: TaskFact[] = [
    { fact: 'exit_code', number: exit.exitCode },
    { fact: 'signal', number: exit.signal },
    { fact: 'oom_killed', isOutOfMemory: exit.isOutOfMemory },
  ]
  if (exit.error !== undefined) facts.push({ fact: 'exit_message', text: exit.error })
  return taskEvent('Terminated', wallMs, facts)
}

export function restartingEvent(delayMs: number, reason: string, wallMs: number): TaskEvent {
  return taskEvent('Restarting', wallMs, [
    { fact: 'restart_delay', delay: Math.round(delayMs) * MILLISECOND },
    { fact: 'restart_reason', text: reason },
  ])
}

export function notRestartingEvent(reason: string, wallMs: number): TaskEvent {
  return taskEvent('Not Restarting', wallMs, [{ fact: 'restart_reason', text: reason }, { fact: 'fails_task' }])
}

/** @param why told instead of the signal */
export function killingEvent(task: Task, killTimeoutMsMax: number, why: string | undefined, wallMs: number): TaskEvent {
  const told: readonly TaskFact[] = why === undefined ? [] : [{ fact: 'display_message', text: why }]
  const timeoutMax = killTimeoutMsMax * MILLISECOND
  return taskEvent('Killing', wallMs, [{ fact: 'kill_timeout', timeout: task.KillTimeout, timeoutMax }, ...told])
}

/** @param isSkipped there is no time for it */
export function shutdownDelayEvent(task: Task, isSkipped: boolean, wallMs: number): TaskEvent {
  const delay = formatDuration(task.ShutdownDelay)
  const [type, text] = isSkipped
    ? ['Skipping shutdown delay', `Skipping shutdown_delay of ${delay} before killing the task.`]
    : ['Waiting for shutdown delay', `Waiting for shutdown_delay of ${delay} before killing the task.`]
  return taskEvent(type, wallMs, [{ fact: 'display_message', text }])
}

export function notRestoredEvent(wallMs: number): TaskEvent {
  return taskEvent('Failed Restoring Task', wallMs, [
    { fact: 'display_message', text: 'failed to restore task; will not run until server is contacted' },
  ])
}
