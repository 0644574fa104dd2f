/** What may be asked of tasks that run, and what is said where they do not. */
import { OrchestratorError } from '../domain/index.js'
import type { AllocationShell } from './allocation-shell.js'
import type { Driver } from './driver.js'
import type { SignalRequest } from './rpc.js'

const OK = { ok: true } as const

type Shell = Pick<AllocationShell, 'id' | 'runner' | 'post'>

/** To one task, or to all that run. @throws OrchestratorError TASK_NOT_RUNNING, SIGNAL_REFUSED when not all of them take signals */
export function signalTasks(shell: Shell, drivers: ReadonlyMap<string, Driver>, { task, signal }: SignalRequest): typeof OK {
  if (task !== undefined) demandRunning(shell, task, 'Task not found')
  const asked = task === undefined ? shell.runner.tasks.map(({ Name }) => Name).filter((name) => isRunning(shell, name)) : [task]
  if (asked.length === 0) throw notRunning(shell.id, notSignalled(shell.runner.tasks.map(({ Name }) => [Name, 'Task not running'])))
  const deaf = asked.flatMap((name) => {
    const why = drivers.get(shell.runner.task(name)!.task.Driver)?.takesNoSignals
    return why === undefined ? [] : [[name, why] as const]
  })
  for (const name of asked) if (!deaf.some(([one]) => one === name)) shell.post({ kind: 'signal', task: name, signal })
  if (deaf.length === 0) return OK
  throw new OrchestratorError('SIGNAL_REFUSED', task === undefined ? notSignalled(deaf) : deaf[0]![1], { allocationId: shell.id })
}

/** As Nomad lists what went wrong with each task. */
function notSignalled(tasks: readonly (readonly [name: string, why: string])[]): string {
  const mistakes = tasks.map(([name, why]) => `\t* Failed to signal task: ${name}, err: ${why}\n`)
  const head = mistakes.length === 1 ? '1 error' : `${mistakes.length} errors`
  return `${head} occurred:\n${mistakes.join('')}\n`
}

export function demandRunning(shell: Shell, task: string, unknown: string): void {
  if (shell.runner.task(task) === undefined) throw notRunning(shell.id, unknown)
  if (!isRunning(shell, task)) throw notRunning(shell.id)
}

export function isRunning(shell: Shell, task: string): boolean {
  return shell.runner.task(task)?.record.phase === 'running'
}

export function notRunning(allocationId: string, message = 'Task not running'): OrchestratorError {
  return new OrchestratorError('TASK_NOT_RUNNING', message, { allocationId })
}
