/** Signals to tasks of an allocation: who gets them, and what is said of those who do not. */
import { expect, test } from 'vitest'
import type { Driver } from '../../src/agent/index.js'
import { signalTasks } from '../../src/agent/running-tasks.js'

const DRIVERS = new Map([
  ['raw_exec', {} as Driver],
  ['qemu', { takesNoSignals: 'no signals here' } as Driver],
])

/** @param phases of each task, by the name of its driver */
function ask(phases: Readonly<Record<string, string>>, task?: string) {
  const posted: unknown[] = []
  const shell = {
    id: 'a1',
    post: (input: unknown) => posted.push(input),
    runner: {
      tasks: Object.keys(phases).map((Name) => ({ Name })),
      task: (name: string) => (name in phases ? { task: { Driver: name }, record: { phase: phases[name] } } : undefined),
    },
  }
  const act = () => signalTasks(shell as never, DRIVERS, { allocationId: 'a1', signal: 'SIGHUP', ...(task === undefined ? {} : { task }) })
  return { act, posted }
}

test('a signal goes to every task that runs', () => {
  const { act, posted } = ask({ raw_exec: 'running', qemu: 'dead' })
  expect(act()).toEqual({ ok: true })
  expect(posted).toEqual([{ kind: 'signal', task: 'raw_exec', signal: 'SIGHUP' }])
})

test('a task that takes none is told of, and the others get it', () => {
  const { act, posted } = ask({ raw_exec: 'running', qemu: 'running' })
  expect(act).toThrow('1 error occurred:\n\t* Failed to signal task: qemu, err: no signals here\n')
  expect(posted).toEqual([{ kind: 'signal', task: 'raw_exec', signal: 'SIGHUP' }])
  expect(ask({ qemu: 'running' }, 'qemu').act).toThrow(/^no signals here$/)
})

test('where nothing runs each task is told of', () => {
  expect(ask({ raw_exec: 'dead', qemu: 'preparing' }).act).toThrow(
    '2 errors occurred:\n\t* Failed to signal task: raw_exec, err: Task not running\n\t* Failed to signal task: qemu, err: Task not running\n',
  )
  expect(ask({ raw_exec: 'dead' }, 'raw_exec').act).toThrow('Task not running')
  expect(ask({ raw_exec: 'running' }, 'none').act).toThrow('Task not found')
})
