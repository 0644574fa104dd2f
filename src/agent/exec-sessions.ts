/**
 * Programs that people talk to beside a task: one call starts one and streams what it says, further calls bring what it is told. Whoever
 * goes away ends it.
 */
import { type Clock, OrchestratorError } from '../domain/index.js'
import type { AllocationShell } from './allocation-shell.js'
import type { ExecSession } from './driver.js'
import type { ExecInputRequest, ExecPart, ExecRpcRequest } from './rpc.js'

export interface ExecSessionsDeps {
  readonly clock: Clock
  /** @throws OrchestratorError UNKNOWN_ALLOCATION */
  readonly shellOf: (allocationId: string) => AllocationShell
}

/** Of one host, at the same time. */
const SESSIONS_MAX = 64
/** A program that says nothing is there all the same. */
const IDLE_MS = 15_000

export class ExecSessions {
  readonly #deps: ExecSessionsDeps
  /** By the id that whoever asked has given it; undefined while it is being started. */
  readonly #sessions = new Map<string, ExecSession | undefined>()

  constructor(deps: ExecSessionsDeps) {
    this.#deps = deps
  }

  close(): void {
    for (const session of this.#sessions.values()) session?.end()
  }

  /** @throws OrchestratorError UNKNOWN_ALLOCATION, UNKNOWN_TASK, TASK_NOT_RUNNING, PROGRAM, TOO_MANY_SESSIONS, BAD_REQUEST */
  async *run({ execId, allocationId, task, command, terminal }: ExecRpcRequest, signal: AbortSignal): AsyncIterable<ExecPart> {
    const shell = this.#deps.shellOf(allocationId)
    if (this.#sessions.has(execId)) throw new OrchestratorError('BAD_REQUEST', 'this program was asked for before')
    if (this.#sessions.size >= SESSIONS_MAX)
      throw new OrchestratorError('TOO_MANY_SESSIONS', `${SESSIONS_MAX} programs run beside tasks of this host: end one of them`)
    this.#sessions.set(execId, undefined)
    let session: ExecSession | undefined
    const end = () => session?.end()
    signal.addEventListener('abort', end, { once: true })
    try {
      session = await shell.exec(task, terminal === undefined ? { command } : { command, terminal })
      if (signal.aborted) return
      this.#sessions.set(execId, session)
      yield { kind: 'started' }
      yield* this.#outputOf(session)
      yield { kind: 'exited', exitCode: await session.exitCode }
    } finally {
      signal.removeEventListener('abort', end)
      session?.end()
      this.#sessions.delete(execId)
    }
  }

  /** Resolves when more may be said. @throws OrchestratorError UNKNOWN_SESSION */
  async tell({ execId, input }: ExecInputRequest): Promise<void> {
    const session = this.#sessions.get(execId)
    if (session === undefined) throw new OrchestratorError('UNKNOWN_SESSION', 'the program has ended')
    if (input.kind === 'data') await session.write(input.data)
    else if (input.kind === 'end') session.endInput()
    else await session.resize(input.size)
  }

  async *#outputOf(session: ExecSession): AsyncIterable<ExecPart> {
    const pieces = session.output[Symbol.asyncIterator]()
    let next = pieces.next()
    for (;;) {
      const idle = this.#idle()
      const piece = await Promise.race([next, idle.over])
      idle.cancel()
      if (piece === undefined) yield { kind: 'idle' }
      else if (piece.done === true) return
      else {
        yield { kind: 'output', ...piece.value }
        next = pieces.next()
      }
    }
  }

  #idle(): { readonly over: Promise<undefined>; readonly cancel: () => void } {
    let cancel = () => {}
    const over = new Promise<undefined>((resolve) => {
      cancel = this.#deps.clock.after(IDLE_MS, () => resolve(undefined))
    })
    return { over, cancel }
  }
}
