/** Answers what the server asks of this host: logs, files, statistics, and the two acts on running tasks. */
import { type Bus, type BusMessage, type Clock, type Logger, OrchestratorError } from '../domain/index.js'
import type { AllocationShell } from './allocation-shell.js'
import type { Driver } from './driver.js'
import type { DroppedMessages } from './dropped-messages.js'
import { ExecSessions } from './exec-sessions.js'
import { streamFile, streamLogs } from './file-stream.js'
import type { HostSeals } from './host-seals.js'
import { decodeValue } from './messages.js'
import type { AllocationFiles, HostUsage } from './ports.js'
import { type RpcMethod, subjects } from './protocol.js'
import type {
  AllocationStats,
  CheckReport,
  ChecksRequest,
  CollectRequest,
  RestartRequest,
  RpcParts,
  RpcRequests,
  StatsRequest,
  TaskStats,
} from './rpc.js'
import { RPC_METHODS } from './rpc.js'
import { demandRunning, isRunning, notRunning, signalTasks } from './running-tasks.js'
import type { CallAnswer, Seal } from './seal.js'

export interface RpcServerDeps {
  readonly bus: Bus
  readonly clock: Clock
  readonly logger: Logger
  readonly region: string
  readonly nodeId: string
  readonly seals: HostSeals
  readonly dropped: DroppedMessages
  readonly files: AllocationFiles
  readonly hostUsage: HostUsage
  readonly drivers: ReadonlyMap<string, Driver>
  readonly findShell: (allocationId: string) => AllocationShell | undefined
  /** Folders of what has ended go. */
  readonly collect: (allocationId: string | undefined) => void
}

type Handlers = {
  readonly [Method in RpcMethod]: (request: RpcRequests[Method], signal: AbortSignal) => AsyncIterable<RpcParts[Method]>
}

const OK = { ok: true } as const

type Sample = { readonly cpuTimeMs: number; readonly atMs: number }

export class RpcServer {
  readonly #deps: RpcServerDeps
  readonly #unsubscribe: readonly (() => void)[]
  /** By allocation and task: what the share of a core is reckoned from. */
  readonly #samples = new Map<string, Sample>()
  readonly #handlers: Handlers
  readonly #exec: ExecSessions

  constructor(deps: RpcServerDeps) {
    this.#deps = deps
    this.#exec = new ExecSessions({ clock: deps.clock, shellOf: (id) => this.#shellOf(id) })
    this.#handlers = {
      logs: (request, signal) => streamLogs(this.#fileSource(request.allocationId, request.task), request, signal),
      'fs-list': (request) => once(() => this.#deps.files.list(this.#shellOf(request.allocationId).id, request.path)),
      'fs-stat': (request) => once(() => this.#deps.files.stat(this.#shellOf(request.allocationId).id, request.path)),
      'fs-read': (request, signal) => streamFile(this.#fileSource(request.allocationId), request, signal),
      stats: (request) => once(() => this.#stats(request)),
      restart: (request) => once(() => this.#restart(request)),
      signal: (request) => once(async () => signalTasks(this.#shellOf(request.allocationId), this.#deps.drivers, request)),
      checks: (request) => once(() => this.#checks(request)),
      exec: (request, signal) => this.#exec.run(request, signal),
      'exec-input': (request) => once(() => this.#exec.tell(request).then(() => OK)),
      gc: (request) => once(() => this.#collect(request)),
    }
    this.#unsubscribe = RPC_METHODS.map((method) =>
      deps.bus.subscribe(subjects(deps.region).rpc(deps.nodeId, method), (message) => this.#onCall(method, message)),
    )
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#exec.close()
  }

  async #checks({ allocationId }: ChecksRequest): Promise<readonly CheckReport[]> {
    return this.#shellOf(allocationId).checks.map(({ spec, status, statusCode, output, atMs }) => {
      const { id, name, service, task, isReadiness } = spec
      return { id, name, service, task, isReadiness, status, statusCode, output, atMs }
    })
  }

  #onCall(method: RpcMethod, message: BusMessage): void {
    const { dropped, seals } = this.#deps
    dropped.guard(message.subject, () => {
      const { call, body } = seals.openCall(method, message.payload)
      void this.#answer(method, call, decodeValue(body), message)
    })
  }

  async #answer(method: RpcMethod, call: Seal, request: unknown, message: BusMessage): Promise<void> {
    let sequence = 0
    const send = (outcome: CallAnswer[1], value: unknown) => {
      for (const part of this.#deps.seals.sealCallAnswer(call, [sequence, outcome, value])) message.stream(part)
      sequence++
    }
    try {
      const handler = this.#handlers[method] as (request: unknown, signal: AbortSignal) => AsyncIterable<unknown>
      for await (const part of handler(request, message.signal)) {
        if (message.signal.aborted) return
        send('part', part)
        await message.drained()
      }
      send('end', null)
    } catch (error) {
      const isKnown = error instanceof OrchestratorError
      if (!isKnown) this.#deps.logger.error({ method, error: String(error) }, 'question could not be answered')
      send('error', { code: isKnown ? error.code : 'INTERNAL', message: error instanceof Error ? error.message : String(error) })
    }
    message.endStream()
  }

  #shellOf(allocationId: string): AllocationShell {
    const shell = this.#deps.findShell(allocationId)
    if (shell !== undefined) return shell
    throw new OrchestratorError('UNKNOWN_ALLOCATION', `allocation ${allocationId} is not on this host`, { allocationId })
  }

  #fileSource(allocationId: string, task?: string) {
    const shell = this.#shellOf(allocationId)
    if (task !== undefined && shell.runner.task(task) === undefined) throw unknownTask(allocationId, task)
    const isOver = () => {
      if (task === undefined) return shell.runner.hasEnded
      return shell.runner.task(task)?.record.phase === 'dead'
    }
    return { files: this.#deps.files, clock: this.#deps.clock, allocationId, isOver }
  }

  async #stats({ allocationId }: StatsRequest): Promise<AllocationStats | RpcParts['stats']> {
    if (allocationId === undefined) return this.#deps.hostUsage()
    const shell = this.#shellOf(allocationId)
    const tasks: Record<string, TaskStats> = {}
    for (const { Name } of shell.runner.tasks) {
      const stats = await this.#taskStats(shell, Name)
      if (stats !== undefined) tasks[Name] = stats
    }
    return { kind: 'allocation', atMs: this.#deps.clock.wallMs(), tasks }
  }

  async #taskStats(shell: AllocationShell, taskName: string): Promise<TaskStats | undefined> {
    const { task, record } = shell.runner.task(taskName)!
    const driver = this.#deps.drivers.get(task.Driver)
    if (driver === undefined || record.handle === null) return undefined
    const usage = await driver.stats(record.handle)
    const atMs = this.#deps.clock.monotonicMs()
    const cpuTimeMs = usage.userTimeMs + usage.systemTimeMs
    const key = `${shell.id}/${taskName}/${record.attempt}`
    const before = this.#samples.get(key)
    this.#samples.set(key, { cpuTimeMs, atMs })
    const cpuPercent = before === undefined || atMs <= before.atMs ? 0 : ((cpuTimeMs - before.cpuTimeMs) / (atMs - before.atMs)) * 100
    return { ...usage, cpuPercent }
  }

  async #collect({ allocationId }: CollectRequest): Promise<typeof OK> {
    if (allocationId !== undefined && !this.#shellOf(allocationId).runner.hasEnded)
      throw new OrchestratorError('BAD_REQUEST', 'allocation is still running')
    this.#deps.collect(allocationId)
    return OK
  }

  async #restart({ allocationId, task, allTasks }: RestartRequest): Promise<typeof OK> {
    const shell = this.#shellOf(allocationId)
    if (shell.runner.hasEnded || shell.runner.record.want === 'stop')
      throw new OrchestratorError('ALLOCATION_ENDED', 'restart of an alloc that should not run', { allocationId })
    if (task !== undefined) demandRunning(shell, task, `Could not find task runner for task: ${task}`)
    else if (!allTasks && !shell.runner.tasks.some(({ Name }) => isRunning(shell, Name))) throw notRunning(allocationId)
    shell.post({ kind: 'restart', task: task ?? null, allTasks })
    return OK
  }
}

function unknownTask(allocationId: string, task: string): OrchestratorError {
  return new OrchestratorError('UNKNOWN_TASK', `allocation ${allocationId} has no task ${JSON.stringify(task)}`, { allocationId, task })
}

async function* once<Part>(compute: () => Promise<Part>): AsyncIterable<Part> {
  yield await compute()
}
