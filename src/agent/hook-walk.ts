/** The hooks of one task at work: made when they are first needed, told what becomes of the task, closed with it. */
import { explainError } from '../domain/index.js'
import type { TaskMount } from './driver.js'
import { type HookContext, type HookEnvironment, HookFailure, type HookRow, type TaskHook } from './hooks/hook.js'
import { HOOKS } from './hooks/table.js'
import type { TaskInput, TaskRecord } from './task-record.js'

export class HookWalk {
  readonly #context: HookContext
  readonly #hooks = new Map<string, TaskHook>()
  #underWay: { readonly hook: string; readonly controller: AbortController } | undefined

  constructor(context: HookContext) {
    this.#context = context
  }

  /** Carries out one row before a start; yields what the machine hears of it. */
  async prestart(name: string): Promise<TaskInput> {
    const controller = new AbortController()
    this.#underWay = { hook: name, controller }
    try {
      await this.#hook(name).prestart(controller.signal)
      return { kind: 'hook-done', hook: name }
    } catch (error) {
      return this.#failed(name, error)
    } finally {
      if (this.#underWay?.controller === controller) this.#underWay = undefined
    }
  }

  #failed(name: string, error: unknown): TaskInput {
    if (!(error instanceof HookFailure)) {
      const text = `${name}: ${explainError(error)}`
      return {
        kind: 'hook-failed',
        hook: name,
        event: this.#context.event('Setup Failure', { fact: 'setup_error', text }),
        isRecoverable: true,
      }
    }
    if (error.isFinal) return { kind: 'fail', event: error.event }
    return { kind: 'hook-failed', hook: name, event: error.event, isRecoverable: error.isRecoverable }
  }

  /** After each event: what the machine does not wait for any more is given up, and what is over is closed. */
  follow(record: TaskRecord): void {
    if (this.#underWay !== undefined && record.hook !== this.#underWay.hook) {
      this.#underWay.controller.abort()
      this.#underWay = undefined
    }
    if (record.phase === 'dead') this.close()
  }

  running(): void {
    for (const { name } of this.#rows()) this.#hook(name).running?.()
  }

  environment(): HookEnvironment {
    const gains = this.#rows().map(({ name }) => this.#hooks.get(name)?.environment?.() ?? {})
    const identity = gains.find((gain) => gain.identity !== undefined)?.identity
    return {
      ...(identity === undefined ? {} : { identity }),
      hook: Object.assign({}, ...gains.map(({ hook }) => hook)) as NonNullable<HookEnvironment['hook']>,
      device: Object.assign({}, ...gains.map(({ device }) => device)) as NonNullable<HookEnvironment['device']>,
      template: Object.assign({}, ...gains.map(({ template }) => template)) as NonNullable<HookEnvironment['template']>,
    }
  }

  mounts(): readonly TaskMount[] {
    return this.#rows().flatMap(({ name }) => this.#hooks.get(name)?.mounts?.() ?? [])
  }

  devices(): readonly string[] {
    return this.#rows().flatMap(({ name }) => this.#hooks.get(name)?.devices?.() ?? [])
  }

  close(): void {
    this.#underWay?.controller.abort()
    this.#underWay = undefined
    for (const hook of this.#hooks.values()) hook.close?.()
    this.#hooks.clear()
  }

  #rows(): readonly HookRow[] {
    return HOOKS.filter((row) => row.appliesTo(this.#context.task(), this.#context.group()))
  }

  #hook(name: string): TaskHook {
    const known = this.#hooks.get(name)
    if (known !== undefined) return known
    const made = HOOKS.find((row) => row.name === name)!.create(this.#context)
    this.#hooks.set(name, made)
    return made
  }
}
