/** `taskevent.json`: an event with the facts that an agent attaches, as it is served. */
import { BARE_TASK_EVENT, type TaskFact, withDisplayMessage, withFact } from '../../../src/agent/task-events.js'
import type { TaskEvent } from '../../../src/domain/index.js'
import { compareJson } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

interface Setter {
  readonly set: string
  readonly text?: string
  readonly num?: number
  readonly num2?: number
}

interface Case {
  readonly name: string
  readonly event: Partial<TaskEvent>
  readonly setters?: readonly Setter[]
  readonly result: TaskEvent
}

export const pureTaskEvent: VectorKind = {
  kind: 'pure/taskevent',
  *run(content) {
    for (const each of content as readonly Case[]) yield runCase(each)
  },
}

function runCase({ name, event, setters = [], result }: Case): CaseResult {
  const bare: TaskEvent = { ...BARE_TASK_EVENT, ...event }
  return { name, mismatches: compareJson(result, withDisplayMessage(setters.map(factOf).reduce(withFact, bare))) }
}

function factOf({ set, text = '', num = 0, num2 = 0 }: Setter): TaskFact {
  switch (set) {
    case 'fails_task':
      return { fact: set }
    case 'exit_code':
    case 'signal':
    case 'disk_limit':
      return { fact: set, number: num }
    case 'oom_killed':
      return { fact: set, isOutOfMemory: num !== 0 }
    case 'restart_delay':
      return { fact: set, delay: num }
    case 'kill_timeout':
      return { fact: set, timeout: num, timeoutMax: num2 }
    default:
      return { fact: set as 'message', text }
  }
}
