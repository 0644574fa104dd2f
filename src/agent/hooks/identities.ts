/**
 * Workload identities: tokens that the server signs for a task, as files and in its environment. A task waits for them before each start;
 * while it runs, those that expire are fetched anew after half of their time, and the task hears of it as it asked to.
 * Source: Nomad docs, "identity Block".
 */
import { explainError, parseRfc3339Ms, type Task, type WorkloadIdentity } from '../../domain/index.js'
import type { IdentityToken } from '../protocol.js'
import { signalText } from './change-modes.js'
import { type HookContext, type HookEnvironment, HookFailure, type HookRow, type TaskHook } from './hook.js'

const DEFAULT = 'default'
const NANOSECONDS_PER_MS = 1e6
const AGAIN_MS_MIN = 500
const AGAIN_MS_MAX = 30_000

export const IDENTITIES: HookRow = {
  name: 'identity',
  runs: 'each-start',
  appliesTo: (task) => wantedOf(task).length > 0,
  create: (context) => new Identities(context),
}

/** The default identity is everybody's, and handed out to those who ask for it. */
function wantedOf({ Identity, Identities }: Task): readonly WorkloadIdentity[] {
  const isWanted = Identity !== null && (Identity.Env || Identity.File)
  return [...(isWanted ? [{ ...Identity, Name: DEFAULT }] : []), ...(Identities ?? [])]
}

class Identities implements TaskHook {
  readonly #context: HookContext
  readonly #tokens = new Map<string, IdentityToken>()
  /** When those that expire are fetched anew, wall ms, by name. */
  readonly #dueMs = new Map<string, number>()
  #isRunning = false
  #isClosed = false
  #failures = 0
  #cancelTimer = () => {}

  constructor(context: HookContext) {
    this.#context = context
  }

  async prestart(signal: AbortSignal): Promise<void> {
    this.#isRunning = false
    this.#cancelTimer()
    while (!this.#isClosed && !signal.aborted) {
      const names = this.#wanted.filter((identity) => this.#isStale(identity)).map(({ Name }) => Name)
      if (names.length === 0 || (await this.#fetch(names))) break
      await this.#pause(signal)
    }
    this.#failures = 0
    for (const identity of this.#wanted) await this.#write(identity)
  }

  running(): void {
    this.#isRunning = true
    this.#arm()
  }

  environment(): HookEnvironment {
    const ofEnvironment = this.#wanted.flatMap(({ Name, Env }) => {
      const token = this.#tokens.get(Name)?.token
      return Env && token !== undefined ? [[Name, token] as const] : []
    })
    const named = Object.fromEntries(ofEnvironment.filter(([name]) => name !== DEFAULT))
    return { identity: { token: ofEnvironment.find(([name]) => name === DEFAULT)?.[1] ?? '', named } }
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer()
  }

  get #wanted(): readonly WorkloadIdentity[] {
    return wantedOf(this.#context.task())
  }

  #isStale({ Name }: WorkloadIdentity): boolean {
    return !this.#tokens.has(Name) || (this.#dueMs.get(Name) ?? Number.POSITIVE_INFINITY) <= this.#context.clock.wallMs()
  }

  /** False while no server answers. @throws HookFailure when it refuses */
  async #fetch(names: readonly string[]): Promise<boolean> {
    const { clock, event, logger, signIdentities } = this.#context
    let tokens: readonly IdentityToken[]
    try {
      tokens = await signIdentities(names)
    } catch (error) {
      if ((error as { readonly code?: string }).code === 'IDENTITY')
        throw new HookFailure(event('Setup Failure', { fact: 'setup_error', text: `identity: ${explainError(error)}` }), true)
      logger.debug({ error: explainError(error) }, 'identities could not be asked for')
      return false
    }
    const nowMs = clock.wallMs()
    for (const token of tokens) {
      this.#tokens.set(token.identity, token)
      if (token.expiresMs !== null) this.#dueMs.set(token.identity, nowMs + Math.max(0, token.expiresMs - nowMs) / 2)
    }
    return true
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const delayMs = Math.min(AGAIN_MS_MIN * 2 ** this.#failures++, AGAIN_MS_MAX)
    await new Promise<void>((resolve) => {
      const cancel = this.#context.clock.after(delayMs, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }

  async #write(identity: WorkloadIdentity): Promise<void> {
    const token = this.#tokens.get(identity.Name)?.token
    if (!identity.File || token === undefined) return
    const { ports, directories, task } = this.#context
    // Everybody whom the folder lets in may read it: in a container the task may be another user than its folder's.
    await ports.files.write({
      root: directories.task,
      path: fileOf(identity),
      content: new TextEncoder().encode(token),
      mode: 0o644,
      owner: task().User,
    })
  }

  /** One timer, for whichever is due first. */
  #arm(): void {
    this.#cancelTimer()
    void this.#recallDue().then((dues) => {
      if (this.#isClosed || !this.#isRunning || dues.length === 0) return
      const { clock } = this.#context
      const backOffMs = this.#failures === 0 ? 0 : Math.min(AGAIN_MS_MIN * 2 ** this.#failures, AGAIN_MS_MAX)
      const delayMs = Math.max(backOffMs, Math.min(...dues) - clock.wallMs(), 0)
      this.#cancelTimer()
      this.#cancelTimer = clock.after(delayMs, () => void this.#renew())
    })
  }

  /** A task that was found again after a restart of the agent has its tokens from the life before: its files tell until when. */
  async #recallDue(): Promise<readonly number[]> {
    for (const identity of this.#wanted) {
      const ttlMs = identity.TTL / NANOSECONDS_PER_MS
      if (ttlMs === 0 || this.#dueMs.has(identity.Name)) continue
      const expiresMs = identity.File ? await this.#readExpiry(identity) : undefined
      const signedMs = expiresMs === undefined ? parseRfc3339Ms(this.#context.state().StartedAt) : expiresMs - ttlMs
      this.#dueMs.set(identity.Name, (signedMs ?? 0) + ttlMs / 2)
    }
    return [...this.#dueMs.values()]
  }

  async #readExpiry(identity: WorkloadIdentity): Promise<number | undefined> {
    const { ports, directories } = this.#context
    try {
      const text = new TextDecoder().decode(await ports.files.read(directories.task, fileOf(identity)))
      const claims = JSON.parse(atob((text.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as { readonly exp?: unknown }
      return typeof claims.exp === 'number' ? claims.exp * 1000 : undefined
    } catch {
      // The task may have put anything there; a new token takes its place.
      return undefined
    }
  }

  async #renew(): Promise<void> {
    const nowMs = this.#context.clock.wallMs()
    const due = this.#wanted.filter(({ Name }) => (this.#dueMs.get(Name) ?? Number.POSITIVE_INFINITY) <= nowMs)
    const isFetched = due.length > 0 && (await this.#fetchRunning(due.map(({ Name }) => Name)))
    if (this.#isClosed || !this.#isRunning) return
    this.#failures = isFetched ? 0 : this.#failures + 1
    if (isFetched) {
      for (const identity of due) await this.#write(identity)
      for (const identity of due) this.#tell(identity)
    }
    this.#arm()
  }

  /** A task that runs is not ended because a token could not be had: it is asked for again. */
  async #fetchRunning(names: readonly string[]): Promise<boolean> {
    try {
      return await this.#fetch(names)
    } catch (error) {
      this.#context.logger.warn({ error: explainError(error), names }, 'identities are not renewed')
      return false
    }
  }

  #tell({ Name, ChangeMode, ChangeSignal }: WorkloadIdentity): void {
    const { post, event } = this.#context
    if (ChangeMode === 'signal') {
      const text = `Identity[${Name}]: new Identity token acquired`
      const told = event('Signaling', { fact: 'task_signal', text: signalText(ChangeSignal) }, { fact: 'display_message', text })
      post({ kind: 'signal', signal: ChangeSignal, event: told })
    }
    if (ChangeMode !== 'restart') return
    const told = event('Restart Signaled', { fact: 'display_message', text: `Identity[${Name}]: new token acquired` })
    post({ kind: 'restart', event: told, includesDead: false, isFailure: false })
  }
}

function fileOf({ Name, Filepath }: WorkloadIdentity): string {
  if (Filepath !== '') return Filepath
  return Name === DEFAULT ? 'secrets/nomad_token' : `secrets/nomad_${Name}.jwt`
}
