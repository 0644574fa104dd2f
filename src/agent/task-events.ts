/**
 * What an agent tells of a task: an event with the facts that belong to it, each as a typed member and as an entry of
 * `Details`, and the sentence people read. Source: Nomad API docs, "Allocations".
 */
import { formatDuration, MILLISECOND, type Nanoseconds, TASK_EVENTS_MAX, type TaskEvent } from '../domain/index.js'

/** One fact of an event. Durations in nanoseconds. */
export type TaskFact =
  | { readonly fact: TextFact; readonly text: string }
  | { readonly fact: 'fails_task' }
  | { readonly fact: 'exit_code' | 'signal' | 'disk_limit'; readonly number: number }
  | { readonly fact: 'oom_killed'; readonly isOutOfMemory: boolean }
  | { readonly fact: 'restart_delay'; readonly delay: Nanoseconds }
  | { readonly fact: 'kill_timeout'; readonly timeout: Nanoseconds; readonly timeoutMax: Nanoseconds }
  /** The sentence itself, when it is known better than from the other facts. */
  | { readonly fact: 'display_message'; readonly text: string }
  /** Only an entry of `Details`. */
  | { readonly fact: 'detail'; readonly name: string; readonly text: string }

/** Facts that are one text: the name in `Details` and the typed member that holds the same. */
const TEXT_MEMBERS = {
  message: 'Message',
  exit_message: 'Message',
  setup_error: 'SetupError',
  driver_error: 'DriverError',
  validation_error: 'ValidationError',
  download_error: 'DownloadError',
  vault_error: 'VaultError',
  kill_reason: 'KillReason',
  kill_error: 'KillError',
  restart_reason: 'RestartReason',
  failed_sibling: 'FailedSibling',
  task_signal: 'TaskSignal',
  task_signal_reason: 'TaskSignalReason',
  driver_message: 'DriverMessage',
} as const

export type TextFact = keyof typeof TEXT_MEMBERS

export const BARE_TASK_EVENT: TaskEvent = {
  Type: '',
  Time: 0,
  Message: '',
  DisplayMessage: '',
  Details: null,
  FailsTask: false,
  RestartReason: '',
  SetupError: '',
  DriverError: '',
  ExitCode: 0,
  Signal: 0,
  KillTimeout: 0,
  KillError: '',
  KillReason: '',
  StartDelay: 0,
  DownloadError: '',
  ValidationError: '',
  DiskLimit: 0,
  FailedSibling: '',
  VaultError: '',
  TaskSignalReason: '',
  TaskSignal: '',
  DriverMessage: '',
  GenericSource: '',
}

export function taskEvent(type: string, wallMs: number, facts: readonly TaskFact[] = []): TaskEvent {
  const bare: TaskEvent = { ...BARE_TASK_EVENT, Type: type, Time: Math.round(wallMs) * MILLISECOND, Details: {} }
  return withDisplayMessage(facts.reduce(withFact, bare))
}

/** The newest `TASK_EVENTS_MAX` events, oldest first. */
export function appendTaskEvents(events: readonly TaskEvent[], ...added: readonly TaskEvent[]): readonly TaskEvent[] {
  return [...events, ...added].slice(-TASK_EVENTS_MAX)
}

export function withFact(event: TaskEvent, fact: TaskFact): TaskEvent {
  const detail = (name: string, text: string) => ({ Details: { ...event.Details, [name]: text } })
  switch (fact.fact) {
    case 'fails_task':
      return { ...event, FailsTask: true, ...detail('fails_task', 'true') }
    case 'exit_code':
      return { ...event, ExitCode: fact.number, ...detail('exit_code', String(fact.number)) }
    case 'signal':
      return { ...event, Signal: fact.number, ...detail('signal', String(fact.number)) }
    case 'disk_limit':
      return { ...event, DiskLimit: fact.number, ...detail('disk_limit', String(fact.number)) }
    case 'oom_killed':
      return { ...event, ...detail('oom_killed', String(fact.isOutOfMemory)) }
    case 'restart_delay':
      return { ...event, StartDelay: fact.delay, ...detail('start_delay', String(fact.delay)) }
    case 'kill_timeout': {
      const timeout = Math.min(fact.timeout, fact.timeoutMax)
      return { ...event, KillTimeout: timeout, ...detail('kill_timeout', formatDuration(timeout)) }
    }
    case 'display_message':
      return { ...event, DisplayMessage: fact.text }
    case 'detail':
      return { ...event, ...detail(fact.name, fact.text) }
    default:
      return { ...event, [TEXT_MEMBERS[fact.fact]]: fact.text, ...detail(fact.fact, fact.text) }
  }
}

/** The event as it is shown: its sentence is made from the typed members, never from `Details`. */
export function withDisplayMessage(event: TaskEvent): TaskEvent {
  return event.DisplayMessage === '' ? { ...event, DisplayMessage: displayMessage(event) } : event
}

function displayMessage(event: TaskEvent): string {
  switch (event.Type) {
    case 'Received':
      return 'Task received by client'
    case 'Started':
      return 'Task started by client'
    case 'Downloading Artifacts':
      return 'Client is downloading artifacts'
    case 'Failed Artifact Download':
      return event.DownloadError || 'Failed to download artifacts'
    case 'Failed Validation':
      return event.ValidationError || 'Validation of task failed'
    case 'Setup Failure':
      return event.SetupError || 'Task setup failed'
    case 'Driver':
      return event.DriverMessage
    case 'Driver Failure':
      return event.DriverError || 'Failed to start task'
    case 'Terminated':
      return terminatedMessage(event)
    case 'Restarting':
      return restartingMessage(event)
    case 'Not Restarting':
      return event.RestartReason || 'Task exceeded restart policy'
    case 'Restart Signaled':
      return event.RestartReason || 'Task signaled to restart'
    case 'Signaling':
      return signalingMessage(event)
    case 'Killing':
      return killingMessage(event)
    case 'Killed':
      return event.KillError || 'Task successfully killed'
    case 'Sibling Task Failed':
      return event.FailedSibling === '' ? "Task's sibling failed" : `Task's sibling ${quote(event.FailedSibling)} failed`
    case 'Leader Task Dead':
      return 'Leader Task in Group dead'
    case 'Main Tasks Dead':
      return 'Main tasks in the group died'
    case 'Reconnected':
      return 'Client reconnected'
    default:
      return event.Message
  }
}

function terminatedMessage(event: TaskEvent): string {
  const parts = [`Exit Code: ${event.ExitCode}`]
  if (event.Signal !== 0) parts.push(`Signal: ${event.Signal}`)
  if (event.Message !== '') parts.push(`Exit Message: ${quote(event.Message)}`)
  return parts.join(', ')
}

function restartingMessage(event: TaskEvent): string {
  const text = `Task restarting in ${formatDuration(event.StartDelay)}`
  const isOrdinary = event.RestartReason === '' || event.RestartReason === RESTART_WITHIN_POLICY
  return isOrdinary ? text : `${event.RestartReason} - ${text}`
}

function signalingMessage({ TaskSignal, TaskSignalReason }: TaskEvent): string {
  if (TaskSignal === '' && TaskSignalReason === '') return 'Task being sent a signal'
  if (TaskSignal === '') return TaskSignalReason
  return TaskSignalReason === '' ? `Task being sent signal ${TaskSignal}` : `Task being sent signal ${TaskSignal}: ${TaskSignalReason}`
}

function killingMessage(event: TaskEvent): string {
  if (event.KillReason !== '') return event.KillReason
  return event.KillTimeout === 0 ? 'Sent interrupt' : `Sent interrupt. Waiting ${formatDuration(event.KillTimeout)} before force killing`
}

/** As Go's `%q` prints a text: quotes, backslashes and what cannot be seen are escaped. */
function quote(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '"': '\\"',
    '\\': '\\\\',
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
  }
  const escaped = text.replace(
    /["\\\u0000-\u001f\u007f]/g,
    (char) => escapes[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `"${escaped}"`
}

export const RESTART_WITHIN_POLICY = 'Restart within policy'
