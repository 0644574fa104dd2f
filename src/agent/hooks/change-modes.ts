/** What templates ask for when their file has changed while the task runs, all of it together once the splay is over. */
import { explainError, type Template } from '../../domain/index.js'
import { interpolate } from '../environment.js'
import type { HookContext } from './hook.js'

const NANOSECONDS_PER_MS = 1e6

export class ChangeModes {
  readonly #context: HookContext
  #changed: Template[] = []
  #isRunning = false
  #cancel: (() => void) | undefined

  constructor(context: HookContext) {
    this.#context = context
  }

  /** The task does not run: it will see the files as they are when it does. */
  pause(): void {
    this.#isRunning = false
    this.#cancel?.()
    this.#cancel = undefined
    this.#changed = []
  }

  resume(): void {
    this.#isRunning = true
  }

  add(template: Template): void {
    if (!this.#isRunning || template.ChangeMode === 'noop') return
    this.#changed.push(template)
    const splayMs = Math.max(...this.#changed.map(({ Splay }) => Splay)) / NANOSECONDS_PER_MS
    this.#cancel ??= this.#context.clock.after(splayMs * this.#context.fraction(), () => this.#carryOut())
  }

  #carryOut(): void {
    const changed = this.#changed
    this.#changed = []
    this.#cancel = undefined
    if (!this.#isRunning) return
    const signals = new Set(changed.filter(({ ChangeMode }) => ChangeMode === 'signal').map(({ ChangeSignal }) => ChangeSignal))
    for (const signal of signals) this.#signal(signal)
    for (const template of changed) if (template.ChangeMode === 'script') void this.#runScript(template)
    if (changed.some(({ ChangeMode }) => ChangeMode === 'restart')) this.#restart()
  }

  #signal(signal: string): void {
    const { post, event } = this.#context
    const told = event(
      'Signaling',
      { fact: 'task_signal', text: signalText(signal) },
      { fact: 'display_message', text: 'Template re-rendered' },
    )
    post({ kind: 'signal', signal, event: told })
  }

  #restart(): void {
    const { post, event } = this.#context
    const told = event('Restart Signaled', { fact: 'display_message', text: 'Template with change_mode restart re-rendered' })
    post({ kind: 'restart', event: told, includesDead: false, isFailure: false })
  }

  async #runScript({ ChangeScript }: Template): Promise<void> {
    if (ChangeScript === null) return
    const { run, environment, post, event } = this.#context
    const fill = (text: string) => interpolate(text, environment())
    const command = fill(ChangeScript.Command)
    const args = (ChangeScript.Args ?? []).map(fill)
    const shown = `[${args.join(' ')}]`
    const tell = (type: string, text: string) => post({ kind: 'note', event: event(type, { fact: 'display_message', text }) })
    const problem = await run({ command, args, timeoutMs: ChangeScript.Timeout / NANOSECONDS_PER_MS }).then(
      ({ exitCode }) => (exitCode === 0 ? undefined : `on change but it exited with code: ${exitCode}`),
      (error: unknown) => `on change but it failed: ${explainError(error)}`,
    )
    if (problem === undefined) {
      return tell('Task hook message', `Template successfully ran script ${command} with arguments: ${shown}. Exit code: 0`)
    }
    tell('Task hook failed', `Template ran script ${command} with arguments ${shown} ${problem}`)
    if (!ChangeScript.FailOnError) return
    const text = 'Template script failed, task is being killed'
    post({ kind: 'fail', event: event('Killing', { fact: 'display_message', text }, { fact: 'fails_task' }) })
  }
}

const SIGNAL_TEXTS: Readonly<Record<string, string>> = {
  SIGABRT: 'aborted',
  SIGALRM: 'alarm clock',
  SIGCONT: 'continued',
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGQUIT: 'quit',
  SIGSTOP: 'stopped (signal)',
  SIGTERM: 'terminated',
  SIGUSR1: 'user defined signal 1',
  SIGUSR2: 'user defined signal 2',
  SIGWINCH: 'window changed',
}

/** Signals as they are told, in the words of Go's runtime. */
export function signalText(name: string): string {
  return SIGNAL_TEXTS[name] ?? name
}
