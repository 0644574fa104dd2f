/**
 * The images of tasks: fetched once for all that wait for the same, told of while it goes on, and removed again some time after their
 * last container, if it was this agent that fetched them. What people have put there themselves stays.
 */
import { createReadStream, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import * as z from 'zod'
import type { DriverProgress } from '../../../agent/index.js'
import { type Clock, explainError, type Logger, OrchestratorError } from '../../../domain/index.js'
import { fromCheckedJson, toCheckedJson } from '../../checked-json.js'
import { startError } from '../driver-errors.js'
import { type Engine, EngineError, isMissing } from './engine.js'
import type { DockerOptions } from './options.js'
import type { RegistryAuth } from './registry-auth.js'

export interface ImagesDeps {
  readonly engine: Engine
  readonly options: DockerOptions
  readonly clock: Clock
  readonly logger: Logger
  /** Remembers what was fetched, over lives of the agent. */
  readonly file: string
}

export interface Wanted {
  readonly image: string
  readonly isForced: boolean
  readonly timeoutMs: number
  readonly auth: () => Promise<RegistryAuth | undefined>
  readonly tell: (progress: DriverProgress) => void
  readonly signal: AbortSignal
}

interface Pull {
  readonly done: Promise<void>
  readonly controller: AbortController
  readonly listeners: Set<(progress: DriverProgress) => void>
  waiting: number
}

const TELL_EVERY_MS = 10_000
const COLLECT_EVERY_MS = 60_000
const MEBIBYTE = 1024 * 1024

export class Images {
  readonly #deps: ImagesDeps
  readonly #pulls = new Map<string, Pull>()
  /** Name to when it was last seen in use, wall time. */
  #fetched: Map<string, number>
  #cancel = () => {}
  #isClosed = false

  constructor(deps: ImagesDeps) {
    this.#deps = deps
    this.#fetched = readFetched(deps.file, (reason) =>
      deps.logger.warn({ file: deps.file, reason }, 'what images were fetched cannot be read: those of before are not collected'),
    )
    this.#collectLater()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    for (const { controller } of this.#pulls.values()) controller.abort()
  }

  /** Sees to it that the engine has it. @throws OrchestratorError DRIVER_START; EngineError while the engine is away */
  async demand(wanted: Wanted): Promise<void> {
    const isNewest = wanted.isForced || tagOf(wanted.image) === 'latest'
    if (!isNewest && (await this.#isThere(wanted.image))) return this.use(wanted.image)
    await this.#pull(wanted)
    this.use(wanted.image)
  }

  /** From a file as `docker save` writes it. @throws OrchestratorError DRIVER_START */
  async load(path: string, image: string): Promise<void> {
    const stream = await this.#deps.engine.ask((client) => client.loadImage(createReadStream(path)))
    const failure = await lastFailure(stream as Readable, () => {})
    if (failure !== undefined) throw startError(`Failed to load image from ${path}: ${failure}`)
    if (!(await this.#isThere(image))) throw startError(`Failed to load image from ${path}: it holds no ${image}`)
  }

  /** Puts off its removal. */
  use(image: string): void {
    if (!this.#fetched.has(image)) return
    this.#fetched.set(image, this.#deps.clock.wallMs())
    this.#save()
  }

  async #isThere(image: string): Promise<boolean> {
    try {
      await this.#deps.engine.ask((client) => client.getImage(image).inspect())
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  async #pull(wanted: Wanted): Promise<void> {
    const { image, tell, signal } = wanted
    tell({ text: 'Downloading image', details: { image } })
    const known = this.#pulls.get(image)
    const pull = known ?? (await this.#begin(wanted))
    pull.waiting++
    pull.listeners.add(tell)
    const leave = () => {
      // The last one who waited for it has gone.
      if (--pull.waiting === 0) pull.controller.abort()
    }
    try {
      await new Promise<void>((resolve, reject) => {
        const giveUp = () => reject(startError(`Failed to pull \`${image}\`: given up`))
        if (signal.aborted) return giveUp()
        signal.addEventListener('abort', giveUp, { once: true })
        pull.done.then(resolve, reject)
      })
    } finally {
      pull.listeners.delete(tell)
      leave()
    }
  }

  async #begin({ image, timeoutMs, auth }: Wanted): Promise<Pull> {
    const authconfig = await auth()
    const again = this.#pulls.get(image)
    if (again !== undefined) return again
    const controller = new AbortController()
    const listeners = new Set<(progress: DriverProgress) => void>()
    const done = this.#fetch(image, authconfig, timeoutMs, controller, (progress) => {
      for (const tell of listeners) tell(progress)
    }).finally(() => this.#pulls.delete(image))
    done.catch(() => {})
    const pull: Pull = { done, controller, listeners, waiting: 0 }
    this.#pulls.set(image, pull)
    return pull
  }

  async #fetch(
    image: string,
    authconfig: RegistryAuth | undefined,
    timeoutMs: number,
    controller: AbortController,
    tell: (progress: DriverProgress) => void,
  ): Promise<void> {
    const { engine, clock, options } = this.#deps
    const failed = (reason: string, isRecoverable: boolean) => startError(`Failed to pull \`${image}\`: ${reason}`, isRecoverable)
    let late = ''
    const stop = (reason: string) => {
      late ||= reason
      controller.abort()
    }
    const cancelWhole = clock.after(timeoutMs, () => stop(`it took more than ${Math.round(timeoutMs / 1_000)} s`))
    let cancelIdle = () => {}
    const active = () => {
      cancelIdle()
      const seconds = options.pull_activity_timeout_seconds
      cancelIdle = clock.after(seconds * 1_000, () => stop(`nothing came for ${seconds} s`))
    }
    active()
    const report = new PullReport(clock, tell)
    try {
      const wanted = { fromImage: nameOf(image), tag: tagOf(image), abortSignal: controller.signal }
      const stream = await engine.ask((client) =>
        authconfig === undefined ? client.createImage(wanted) : client.createImage(authconfig, wanted),
      )
      const failure = await lastFailure(stream as Readable, (line) => {
        active()
        report.add(line)
      })
      // Some engines say that all is well and tell the failure in the body.
      if (failure !== undefined) throw failed(`Error response from daemon: ${failure}`, !/not found|does not exist/i.test(failure))
      this.#fetched.set(image, clock.wallMs())
      this.#save()
    } catch (error) {
      if (late !== '') throw failed(late, true)
      if (controller.signal.aborted) throw failed('given up', false)
      if (error instanceof EngineError && error.isAway) throw error
      if (error instanceof EngineError) throw failed(error.message, error.status !== 404)
      throw error instanceof OrchestratorError ? error : failed(explainError(error), true)
    } finally {
      cancelWhole()
      cancelIdle()
    }
  }

  #save(): void {
    const { file, logger } = this.#deps
    try {
      writeFileSync(`${file}.new`, toCheckedJson(Object.fromEntries(this.#fetched)), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      // The worst of it: an image stays for ever.
      logger.warn({ file, error: explainError(error) }, 'images that were fetched could not be written down')
    }
  }

  #collectLater(): void {
    if (!this.#deps.options.gc.image || this.#isClosed) return
    const everyMs = Math.min(COLLECT_EVERY_MS, this.#deps.options.gc.image_delay_seconds * 1_000)
    this.#cancel = this.#deps.clock.after(Math.max(100, everyMs), () => {
      void this.#collect().finally(() => this.#collectLater())
    })
  }

  /** The engine itself refuses to remove what a container uses, whosever it is. */
  async #collect(): Promise<void> {
    if (this.#fetched.size === 0) return
    const { engine, options, clock, logger } = this.#deps
    try {
      const inUse = new Set(
        (await engine.ask((client) => client.listContainers({ all: true }))).flatMap(({ Image, ImageID }) => [Image, ImageID]),
      )
      for (const [image, usedMs] of this.#fetched) {
        const { Id } = await engine
          .ask((client) => client.getImage(image).inspect())
          .catch((error: unknown) => {
            if (isMissing(error)) return { Id: '' }
            throw error
          })
        if (Id === '') this.#fetched.delete(image)
        else if (inUse.has(image) || inUse.has(Id) || this.#pulls.has(image)) this.#fetched.set(image, clock.wallMs())
        else if (clock.wallMs() - usedMs >= options.gc.image_delay_seconds * 1_000) await this.#remove(image)
      }
      this.#save()
    } catch (error) {
      logger.debug({ error: explainError(error) }, 'images could not be looked through')
    }
  }

  async #remove(image: string): Promise<void> {
    await this.#deps.engine.ask((client) => client.getImage(image).remove())
    this.#fetched.delete(image)
    this.#deps.logger.info({ image }, 'image removed: no container uses it')
  }
}

/** Layers that came, and how much of them, now and then. */
class PullReport {
  readonly #clock: Clock
  readonly #tell: (progress: DriverProgress) => void
  readonly #layers = new Map<string, { done: boolean; current: number; total: number }>()
  #toldMs: number

  constructor(clock: Clock, tell: (progress: DriverProgress) => void) {
    this.#clock = clock
    this.#tell = tell
    this.#toldMs = clock.monotonicMs()
  }

  add({ id, status, progressDetail }: PullLine): void {
    if (id === undefined || status === undefined) return
    const known = this.#layers.get(id) ?? { done: false, current: 0, total: 0 }
    const { current = known.current, total = known.total } = progressDetail ?? {}
    this.#layers.set(id, { done: known.done || /^(Pull complete|Already exists)$/.test(status), current, total })
    if (this.#clock.monotonicMs() - this.#toldMs < TELL_EVERY_MS) return
    this.#toldMs = this.#clock.monotonicMs()
    const all = [...this.#layers.values()]
    const sum = (of: (layer: (typeof all)[number]) => number) => (all.reduce((total, layer) => total + of(layer), 0) / MEBIBYTE).toFixed(1)
    const text = `Docker image pull progress: Pulled ${all.filter(({ done }) => done).length}/${all.length} layers (${sum((layer) => layer.current)} MiB/${sum((layer) => layer.total)} MiB)`
    this.#tell({ text, details: {} })
  }
}

interface PullLine {
  readonly id?: string
  readonly status?: string
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

/** What a stream of JSON lines says went wrong; undefined: nothing. */
async function lastFailure(stream: Readable, onLine: (line: PullLine) => void): Promise<string | undefined> {
  let failure: string | undefined
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = readLine(text)
    if (line === undefined) continue
    onLine(line)
    failure = line.error ?? failure
  }
  return failure
}

function readLine(text: string): PullLine | undefined {
  try {
    return JSON.parse(text) as PullLine
  } catch {
    return undefined
  }
}

function readFetched(file: string, onDamage: (reason: string) => void): Map<string, number> {
  if (!existsSync(file)) return new Map()
  try {
    return new Map(Object.entries(z.record(z.string(), z.number()).parse(fromCheckedJson(readFileSync(file, 'utf8')))))
  } catch (error) {
    onDamage(explainError(error))
    return new Map()
  }
}

/** `repository` of `repository:tag` and of `repository@digest`. */
function nameOf(image: string): string {
  const [name = ''] = image.split('@')
  const tag = tagStart(name)
  return tag < 0 ? name : name.slice(0, tag)
}

/** Its tag or digest; `latest` where neither is named. */
export function tagOf(image: string): string {
  const [name = '', digest] = image.split('@')
  if (digest !== undefined) return digest
  const tag = tagStart(name)
  return tag < 0 ? 'latest' : name.slice(tag + 1)
}

function tagStart(name: string): number {
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? colon : -1
}
