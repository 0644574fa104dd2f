/** Runs git against one remote: with its credentials, within a time, and not before the remote wants to be asked again. */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { FetchOutcome } from '../../../controller/index.js'
import { explainError, OrchestratorError } from '../../../domain/index.js'
import { gitArguments } from '../git-command.js'
import { CurlTrace, TRACE_DESCRIPTOR, TRACE_ENVIRONMENT } from './curl-trace.js'
import { explainFetchFailure } from './fetch-failure.js'
import { type RemoteAccess, remoteSetting } from './remote-access.js'
import type { RepositoryAddress } from './remote-address.js'

export type RemoteAddress = Extract<RepositoryAddress, { kind: 'remote' }>

export interface RemoteQuestion {
  /** In which git runs. */
  readonly folder: string
  /** The subcommand and its options. */
  readonly words: readonly string[]
  readonly refs: readonly string[]
  /** What messages call it. */
  readonly ref: string
  readonly timeoutMs: number
  /** Ends what runs. */
  readonly signal: AbortSignal
}

export type RemoteAnswer = { readonly kind: 'answered'; readonly stdout: string } | Extract<FetchOutcome, { kind: 'failed' }>

/** Timers end a little early. */
const EARLY_MS = 50
const STDERR_BYTES_MAX = 64 * 1024

export class RemoteGit {
  readonly #address: RemoteAddress
  readonly #access: RemoteAccess
  /** The remote has asked not to be asked before, by whoever it is. */
  #notBeforeMs = 0

  constructor(address: RemoteAddress, access: RemoteAccess) {
    this.#address = address
    this.#access = access
  }

  get url(): string {
    return this.#address.url
  }

  /** Never throws: a remote that is away is an answer. */
  async ask({ folder, words, refs, ref, timeoutMs, signal }: RemoteQuestion): Promise<RemoteAnswer> {
    const failed = (problem: string, retryAfterMs: number | null = null) =>
      ({ kind: 'failed', problem, retryAfterMs, isMissing: false }) as const
    if (signal.aborted) return failed(`${this.url} is not asked any more`)
    const waitMs = this.#notBeforeMs - performance.now()
    if (waitMs > EARLY_MS) return failed(`${this.url} asks to be left alone for a while`, waitMs)
    try {
      const { protocol } = this.#address
      const { arguments: settings, environment } = remoteSetting(protocol, this.#access)
      const all = [...gitArguments(folder), ...settings, ...words, ...fileOptions(protocol), '--', this.url, ...refs]
      const result = await runGroup(all, { ...environment, ...TRACE_ENVIRONMENT }, { timeoutMs, signal })
      if (result.code === 0) return { kind: 'answered', stdout: result.stdout }
      this.#notBeforeMs = performance.now() + (result.retryAfterMs ?? 0)
      return explainFetchFailure({ url: this.url, ref, access: this.#access, ...result })
    } catch (error) {
      return failed(`${this.url} could not be asked: ${explainError(error)}`)
    }
  }
}

/** A repository of another owner on this machine; git asks this of itself only over `file:`. */
function fileOptions(protocol: string): readonly string[] {
  return protocol === 'file' ? ['--upload-pack=git -c safe.directory=* upload-pack'] : []
}

interface GitEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly httpStatus: number
  readonly retryAfterMs: number | null
  readonly endedAfterMs: number | null
}

/** git and whatever it starts, in a group of its own, which ends as a whole. Rejects where git cannot be started. */
export function runGroup(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<GitEnd> {
  return new Promise((resolve, reject) => {
    const trace = new CurlTrace()
    const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const
    // Its helpers (ssh, index-pack, gc) end with it.
    const child = spawn('git', words, { env, stdio: [...stdio], detached: true })
    const { pid } = child
    const stdout: Buffer[] = []
    let stderr = ''
    let endedAfterMs: number | null = null
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_BYTES_MAX)
    })
    trace.read(child.stdio[TRACE_DESCRIPTOR] as Readable)
    const end = () => endGroup(pid)
    signal.addEventListener('abort', end)
    const timer = setTimeout(() => {
      endedAfterMs = timeoutMs
      end()
    }, timeoutMs)
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
    child.once('error', (cause) => {
      settle()
      reject(new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause))
    })
    child.once('close', (code) => {
      settle()
      const { status: httpStatus, retryAfterMs } = trace
      resolve({ code, stdout: Buffer.concat(stdout).toString('utf8'), stderr, httpStatus, retryAfterMs, endedAfterMs })
    })
  })
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
