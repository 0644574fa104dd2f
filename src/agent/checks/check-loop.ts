/** Makes the checks of one allocation: each at its own interval, and asks for a restart where one is unhealthy for too long. */
import { type Clock, parseRfc3339Ms, type TaskEvent, type TaskState } from '../../domain/index.js'
import type { CheckResult } from '../health.js'
import type { CheckAnswer, CheckPort, ProgramResult, TaskProgram } from '../ports.js'
import type { TaskFact } from '../task-events.js'
import type { CheckSpec } from './check-spec.js'

export interface CheckLoopDeps {
  readonly clock: Clock
  readonly port: CheckPort
  /** Inside a task; rejects when it does not run. */
  readonly run: (task: string, program: TaskProgram) => Promise<ProgramResult>
  readonly stateOf: (task: string) => TaskState | undefined
  readonly taskNames: () => readonly string[]
  readonly event: (type: string, ...facts: readonly TaskFact[]) => TaskEvent
  readonly restart: (task: string, event: TaskEvent) => void
  /** Something that is known of a check has changed. */
  readonly onChange: () => void
}

export interface CheckReading {
  readonly spec: CheckSpec
  readonly status: 'pending' | 'success' | 'failure'
  readonly isWarning: boolean
  readonly output: string
  readonly statusCode: number
  /** 0: never made. */
  readonly atMs: number
}

interface Running {
  reading: CheckReading
  cancel: () => void
  isClosed: boolean
  /** Monotonic; since when it has been unhealthy without a break, by what a restart goes by. */
  unhealthySinceMs: number | undefined
}

const WATCH_RESTART_MS = 1_000
const WARNING_EXIT_CODE = 1

export class CheckLoop {
  readonly #deps: CheckLoopDeps
  readonly #running = new Map<string, Running>()
  #cancelWatch: (() => void) | undefined

  constructor(deps: CheckLoopDeps) {
    this.#deps = deps
  }

  get readings(): readonly CheckReading[] {
    return [...this.#running.values()].map(({ reading }) => reading)
  }

  /** For the health of a deployment. */
  get results(): Readonly<Record<string, CheckResult>> {
    return Object.fromEntries(
      this.readings.map(({ spec, status, isWarning }) => {
        const isTolerated = isWarning && spec.toleratesWarnings
        return [spec.id, { status: isTolerated ? 'success' : status, isReadiness: spec.isReadiness }] as const
      }),
    )
  }

  /** These and no others are made from now on. */
  sync(specs: readonly CheckSpec[]): void {
    const wanted = new Map(specs.map((spec) => [spec.id, spec]))
    let isChanged = false
    for (const [id, running] of this.#running) {
      if (wanted.has(id)) continue
      this.#end(id, running)
      isChanged = true
    }
    for (const [id, spec] of wanted) {
      const known = this.#running.get(id)
      if (known !== undefined) known.reading = { ...known.reading, spec }
      else {
        this.#begin(spec)
        isChanged = true
      }
    }
    if (isChanged) this.#deps.onChange()
  }

  close(): void {
    for (const [id, running] of this.#running) this.#end(id, running)
    this.#cancelWatch?.()
    this.#cancelWatch = undefined
  }

  #begin(spec: CheckSpec): void {
    const reading: CheckReading = { spec, status: 'pending', isWarning: false, output: 'nomad: waiting to run', statusCode: 0, atMs: 0 }
    const running: Running = { reading, cancel: () => {}, isClosed: false, unhealthySinceMs: undefined }
    this.#running.set(spec.id, running)
    this.#schedule(running, spec.intervalMs / 2)
    if (spec.restart !== null) this.#watchRestarts()
  }

  #end(id: string, running: Running): void {
    running.isClosed = true
    running.cancel()
    this.#running.delete(id)
  }

  #schedule(running: Running, afterMs: number): void {
    running.cancel = this.#deps.clock.after(afterMs, () => void this.#make(running))
  }

  async #make(running: Running): Promise<void> {
    const answer = await this.#probe(running.reading.spec)
    if (running.isClosed) return
    const before = running.reading
    // Not before it has been answered: one that answers late is not asked by several at once.
    this.#schedule(running, before.spec.intervalMs)
    running.reading = {
      spec: before.spec,
      status: answer.isPassing ? 'success' : 'failure',
      isWarning: answer.isWarning,
      output: answer.output,
      statusCode: answer.statusCode,
      atMs: this.#deps.clock.wallMs(),
    }
    if (before.status !== running.reading.status || before.isWarning !== running.reading.isWarning) this.#deps.onChange()
  }

  async #probe({ probe, timeoutMs }: CheckSpec): Promise<CheckAnswer & { readonly isWarning: boolean }> {
    const { port } = this.#deps
    switch (probe.kind) {
      case 'http': {
        const { Method, Header, Body, TLSSkipVerify, TLSServerName } = probe.check
        const asked = {
          url: probe.url,
          method: Method || 'GET',
          headers: Header ?? {},
          body: Body,
          timeoutMs,
          isTlsVerified: !TLSSkipVerify,
          tlsServerName: TLSServerName,
        }
        return { ...(await port.http(asked)), isWarning: false }
      }
      case 'tcp':
        return { ...(await port.tcp({ host: probe.host, port: probe.port, timeoutMs })), isWarning: false }
      case 'grpc': {
        const { GRPCService, GRPCUseTLS, TLSSkipVerify } = probe.check
        const asked = {
          host: probe.host,
          port: probe.port,
          service: GRPCService,
          isTls: GRPCUseTLS,
          isTlsVerified: !TLSSkipVerify,
          timeoutMs,
        }
        return { ...(await port.grpc(asked)), isWarning: false }
      }
      case 'script':
        return this.#runScript(probe, timeoutMs)
    }
  }

  async #runScript(probe: Extract<CheckSpec['probe'], { kind: 'script' }>, timeoutMs: number) {
    try {
      const { exitCode, output } = await this.#deps.run(probe.task, { command: probe.command, args: probe.args, timeoutMs })
      return { isPassing: exitCode === 0, isWarning: exitCode === WARNING_EXIT_CODE, output, statusCode: 0 }
    } catch (error) {
      return { isPassing: false, isWarning: false, output: error instanceof Error ? error.message : String(error), statusCode: 0 }
    }
  }

  #watchRestarts(): void {
    this.#cancelWatch ??= this.#deps.clock.after(WATCH_RESTART_MS, () => {
      this.#cancelWatch = undefined
      for (const running of this.#running.values()) if (running.reading.spec.restart !== null) this.#lookAtRestart(running)
      if ([...this.#running.values()].some(({ reading }) => reading.spec.restart !== null)) this.#watchRestarts()
    })
  }

  /** Unhealthy for `limit` checks in a row, the grace behind the start of the task left out. */
  #lookAtRestart(running: Running): void {
    const { spec, status, isWarning, atMs } = running.reading
    const rule = spec.restart!
    const tasks = rule.task === '' ? this.#deps.taskNames() : [rule.task]
    const { clock } = this.#deps
    const startedMs = Math.max(...tasks.map((task) => this.#startedMs(task)))
    const isHealthy = status !== 'failure' || (isWarning && rule.ignoresWarnings)
    // What was seen before the newest start, or while its grace lasts, is not held against it.
    if (isHealthy || !Number.isFinite(startedMs) || clock.wallMs() < startedMs + rule.graceMs || atMs < startedMs + rule.graceMs) {
      running.unhealthySinceMs = undefined
      return
    }
    running.unhealthySinceMs ??= clock.monotonicMs()
    if (clock.monotonicMs() < running.unhealthySinceMs + spec.intervalMs * (rule.limit - 1)) return
    running.unhealthySinceMs = undefined
    const event = this.#deps.event('Restart Signaled', {
      fact: 'restart_reason',
      text: `healthcheck: check ${JSON.stringify(spec.name)} unhealthy`,
    })
    for (const task of tasks) this.#deps.restart(task, event)
  }

  /** Wall ms; infinity while it does not run. */
  #startedMs(task: string): number {
    const state = this.#deps.stateOf(task)
    return state?.State === 'running' ? (parseRfc3339Ms(state.StartedAt) ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
  }
}
