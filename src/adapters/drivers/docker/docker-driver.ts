/**
 * `docker`: a task is a container of the Docker Engine, or of podman by the socket that speaks the same. Containers are named as Nomad
 * names them and bear labels by which this agent finds its own again. An engine that is away makes the driver unhealthy; tasks run on.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type Dockerode from 'dockerode'
import type {
  Driver,
  DriverFingerprint,
  ExecRequest,
  ExecSession,
  TaskExit,
  TaskHandle,
  TaskPlace,
  TaskStart,
  TaskUsage,
} from '../../../agent/index.js'
import { type Clock, explainError, type Logger, OrchestratorError, ZERO_TIME } from '../../../domain/index.js'
import type { DockerConfig } from '../../../jobspec/index.js'
import type { RunLogs } from '../../supervisor/protocol.js'
import { configOf, startError } from '../driver-errors.js'
import { nameMounts } from '../name-files.js'
import { containerName, containerSpec, isInOwnNetwork, LABELS, type SpecHost } from './container-spec.js'
import { Engine, EngineError, type EngineInfo, isAway, isMissing } from './engine.js'
import { openExec } from './exec-session.js'
import { Images } from './images.js'
import { wasKilledForMemory } from './kernel-log.js'
import { forgetMark, LogFollower } from './log-follower.js'
import { NetworkHolders } from './network-holders.js'
import type { DockerOptions } from './options.js'
import { findAuth } from './registry-auth.js'
import { findContainers, removeContainer } from './removal.js'

export interface DockerDriverDeps {
  readonly options: DockerOptions
  /** The agent's own: DOCKER_HOST is looked for in it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the host: what tells its containers from those of another agent on the same engine. */
  readonly owner: string
  /** For what is to be remembered; nobody else looks in. */
  readonly folder: string
  readonly clock: Clock
  readonly logger: Logger
}

/** What a handle holds. */
interface Run {
  readonly containerId: string
  readonly logs: RunLogs | null
  readonly hasTerminal: boolean
}

type Inspection = Dockerode.ContainerInspectInfo

const AGAIN_MS_MIN = 100
const AGAIN_MS_MAX = 2_000
/** A start waits so long for an engine that is away. */
const PATIENCE_MS = 60_000
const FINGERPRINT_WITHIN_MS = 10_000
/** Looks in a row at an engine that is only slow, as one is on a busy host, until it counts as sick. */
const SLOW_LOOKS_MAX = 3
const PULL_WITHIN_MS = 300_000
const NAME_TAKEN_TRIES = 5
const NANOSECONDS_PER_MS = 1e6
const CPU_MHZ_UNKNOWN = 1_000
/** 128 and SIGKILL. */
const KILLED = 137

export class DockerDriver implements Driver {
  readonly name = 'docker'
  readonly isolation = 'image'
  readonly #deps: DockerDriverDeps
  readonly #engine: Engine
  readonly #images: Images
  readonly namespaces: NetworkHolders
  readonly #followers = new Map<string, LogFollower>()
  /** By the container's name: the same start asked for twice is one. */
  readonly #starting = new Map<string, Promise<TaskHandle>>()
  #cgroupVersion = ''
  #isPodman = false
  #wasThere = false
  /** As the engine last described itself. */
  #known: DriverFingerprint | undefined
  #slowLooks = 0
  #isClosed = false

  constructor(deps: DockerDriverDeps) {
    this.#deps = deps
    mkdirSync(deps.folder, { recursive: true, mode: 0o700 })
    this.#engine = new Engine(deps.options, deps.environment)
    this.#images = new Images({ ...deps, engine: this.#engine, file: join(deps.folder, 'images.json') })
    this.namespaces = new NetworkHolders({ ...deps, engine: this.#engine, images: this.#images })
  }

  close(): void {
    this.#isClosed = true
    this.#images.close()
    for (const follower of this.#followers.values()) follower.close()
    this.#followers.clear()
  }

  async fingerprint(): Promise<DriverFingerprint> {
    const common = { UpdateTime: ZERO_TIME, Attributes: {}, nodeAttributes: {} }
    const late = new AbortController()
    const cancel = this.#deps.clock.after(FINGERPRINT_WITHIN_MS, () => late.abort())
    try {
      const { version, isPodman, info } = await this.#engine.describe(late.signal)
      this.#wasThere = true
      this.#isPodman = isPodman
      this.#cgroupVersion = info.CgroupVersion ?? '1'
      if (info.OSType !== undefined && info.OSType !== 'linux')
        return {
          ...common,
          Detected: true,
          Healthy: false,
          HealthDescription: `the engine runs containers of ${info.OSType}, not of linux`,
        }
      const attributes = this.#attributes(version, info)
      this.#slowLooks = 0
      this.#known = {
        ...common,
        Attributes: { ...attributes, 'driver.docker': 'true' },
        Detected: true,
        Healthy: true,
        HealthDescription: 'Healthy',
        nodeAttributes: { ...attributes, 'driver.docker': '1' },
      }
      return this.#known
    } catch (error) {
      const isSlow = error instanceof EngineError && error.isSlow
      this.#slowLooks = isSlow ? this.#slowLooks + 1 : SLOW_LOOKS_MAX
      if (this.#known !== undefined && this.#slowLooks < SLOW_LOOKS_MAX) return this.#known
      return {
        ...common,
        Detected: this.#wasThere,
        Healthy: false,
        HealthDescription: `Failed to connect to docker daemon: ${explainError(error)}`,
      }
    } finally {
      cancel()
    }
  }

  #attributes(version: string, { Runtimes, OSType = 'linux' }: EngineInfo): Readonly<Record<string, string>> {
    const { allow_privileged, volumes, pids_limit } = this.#deps.options
    return {
      'driver.docker.version': version,
      'driver.docker.os_type': OSType,
      'driver.docker.runtimes': Object.keys(Runtimes ?? {})
        .sort()
        .join(','),
      ...(allow_privileged ? { 'driver.docker.privileged.enabled': '1' } : {}),
      ...(volumes.enabled ? { 'driver.docker.volumes.enabled': '1' } : {}),
      ...(pids_limit > 0 ? { 'driver.docker.pids.limit': String(pids_limit) } : {}),
    }
  }

  start(request: TaskStart): Promise<TaskHandle> {
    const name = containerName(request.allocation, request.task.Name)
    const known = this.#starting.get(name)
    if (known !== undefined) return known
    const starting = this.#start(request, name).finally(() => this.#starting.delete(name))
    this.#starting.set(name, starting)
    return starting
  }

  async #start(request: TaskStart, name: string): Promise<TaskHandle> {
    const config = configOf('docker', request.config)
    const { clock } = this.#deps
    const untilMs = clock.monotonicMs() + PATIENCE_MS
    for (;;) {
      try {
        return await this.#tryStart(request, config, name)
      } catch (error) {
        if (request.signal.aborted || !isAway(error)) throw asStartError(error)
        if (clock.monotonicMs() > untilMs) throw startError(explainError(error), true)
        await this.#pause(AGAIN_MS_MAX)
      }
    }
  }

  async #tryStart(request: TaskStart, config: DockerConfig, name: string): Promise<TaskHandle> {
    const known = await this.#inspect(name)
    if (known !== undefined && this.#isOwn(known) && (known.State.Running || (isAttempt(known, request.attempt) && wasStarted(known))))
      return handleOf(known)
    const image = (config.image ?? '').replace(/^(https?|docker):\/\//, '')
    await this.#demandImage(request, config, image)
    if (this.#cgroupVersion === '') await this.fingerprint()
    const names = isInOwnNetwork(request, config) ? nameMounts(request, config.extra_hosts) : []
    const spec = await this.#specOf({ ...request, mounts: [...names, ...request.mounts] }, config, image)
    writeFileSync(this.#usedFile, '')
    const container = await this.#create(spec, name, Math.max(1, config.container_exists_attempts ?? NAME_TAKEN_TRIES))
    try {
      await this.#engine.ask(() => container.start())
    } catch (error) {
      if (isAway(error)) throw error
      await removeContainer(this.#engine, container.id).catch(() => {})
      throw startError(`Failed to start container ${container.id}: ${explainError(error)}`, isServers(error))
    }
    return handleOf({ Id: container.id, Config: { Tty: spec.Tty === true, Labels: spec.Labels ?? {} } })
  }

  /** @throws OrchestratorError DRIVER_START for what this host does not allow, told with the image as Nomad does */
  async #specOf(request: TaskStart, config: DockerConfig, image: string): Promise<Dockerode.ContainerCreateOptions> {
    try {
      return containerSpec(request, config, image, this.#specHost())
    } catch (error) {
      const { Id } = await this.#engine.ask((client) => client.getImage(image).inspect())
      throw startError(`Failed to create container configuration for image "${image}" ("${Id}"): ${explainError(error)}`)
    }
  }

  async #demandImage(request: TaskStart, config: DockerConfig, image: string): Promise<void> {
    if (config.load) return this.#images.load(join(request.directories.task, config.load), image)
    await this.#images.demand({
      image,
      isForced: config.force_pull === true,
      timeoutMs: config.image_pull_timeout ?? PULL_WITHIN_MS,
      auth: () => findAuth(image, config, this.#deps.options),
      tell: request.tell,
      signal: request.signal,
    })
  }

  /** What is left of an earlier attempt makes way; what somebody else has put there does not. */
  async #create(spec: Dockerode.ContainerCreateOptions, name: string, tries: number): Promise<Dockerode.Container> {
    for (let left = tries; ; left--) {
      try {
        return await this.#engine.ask((client) => client.createContainer(spec))
      } catch (error) {
        if (isAway(error)) throw error
        const taken = isNameTaken(error) ? await this.#inspect(name) : undefined
        if (left <= 1 || !isNameTaken(error) || (taken !== undefined && !this.#isOwn(taken)))
          throw startError(`failed to create container: ${explainError(error)}`, isServers(error) || isNameTaken(error))
        if (taken !== undefined) await removeContainer(this.#engine, taken.Id)
      }
    }
  }

  async find(allocationId: string, taskName: string, attempt: number): Promise<TaskHandle | undefined> {
    const name = containerName({ ID: allocationId }, taskName)
    await this.#starting.get(name)?.catch(() => undefined)
    const found = await this.#inspect(name)
    if (found === undefined || !this.#isOwn(found) || !isAttempt(found, attempt)) return undefined
    if (wasStarted(found)) return handleOf(found)
    // Made and never started: the one who would have done so is dead.
    await removeContainer(this.#engine, found.Id)
    return undefined
  }

  async attach(handle: TaskHandle): Promise<boolean> {
    return (await this.#inspect(runOf(handle).containerId)) !== undefined
  }

  async wait(handle: TaskHandle): Promise<TaskExit> {
    const { containerId } = runOf(handle)
    const follower = this.#follow(handle)
    let againMs = AGAIN_MS_MIN
    let hasEnded = false
    let toldCode: number | undefined
    while (!this.#isClosed) {
      try {
        const found = await this.#inspect(containerId)
        if (found === undefined) return { exitCode: toldCode ?? -1, signal: 0, isOutOfMemory: false, error: 'the container was removed' }
        if (!found.State.Running && wasStarted(found)) {
          await follower?.finish()
          return exitOf(found.State, found.State.OOMKilled || (found.State.ExitCode === KILLED && wasKilledForMemory(found.Id)))
        }
        const isToldAgain = hasEnded
        toldCode = await this.#engine.untilEnded(containerId)
        hasEnded = true
        againMs = AGAIN_MS_MIN
        if (!isToldAgain) continue
      } catch (error) {
        // While the engine is away, what it runs goes on or has ended: it will tell.
        if (!isMissing(error))
          this.#deps.logger.debug({ containerId, error: explainError(error) }, 'container cannot be waited for, trying again')
      }
      await this.#pause(againMs)
      againMs = Math.min(AGAIN_MS_MAX, againMs * 2)
    }
    return new Promise(() => {})
  }

  async signal(handle: TaskHandle, name: string): Promise<void> {
    await this.#send(runOf(handle).containerId, name)
  }

  async kill(handle: TaskHandle): Promise<void> {
    await this.#send(runOf(handle).containerId, 'SIGKILL')
  }

  async #send(containerId: string, signal: string): Promise<void> {
    try {
      await this.#engine.ask((client) => client.getContainer(containerId).kill({ signal }))
    } catch (error) {
      if (isAway(error)) throw error
      // Each engine words it in its own way that there is nothing to signal.
      if ((await this.#inspect(containerId))?.State.Running === true) throw error
    }
  }

  async clear(handle: TaskHandle): Promise<void> {
    const { containerId } = runOf(handle)
    await removeContainer(this.#engine, containerId)
    this.#followers.get(containerId)?.close()
    this.#followers.delete(containerId)
    forgetMark(this.#markFolder, containerId)
  }

  async stats(handle: TaskHandle): Promise<TaskUsage> {
    const { containerId } = runOf(handle)
    const found = await this.#inspect(containerId)
    if (found?.State.Running !== true) return { memoryBytes: 0, userTimeMs: 0, systemTimeMs: 0, pids: [] }
    const stats = await this.#engine.ask((client) => client.getContainer(containerId).stats({ stream: false, 'one-shot': true }))
    const { usage = 0, stats: parts } = stats.memory_stats
    const cached = Number(parts?.total_inactive_file ?? parts?.inactive_file ?? 0)
    const { usage_in_usermode = 0, usage_in_kernelmode = 0 } = stats.cpu_stats.cpu_usage
    return {
      memoryBytes: Math.max(0, usage - cached),
      userTimeMs: usage_in_usermode / NANOSECONDS_PER_MS,
      systemTimeMs: usage_in_kernelmode / NANOSECONDS_PER_MS,
      pids: [found.State.Pid],
    }
  }

  async endUnclaimed(isClaimed: (allocationId: string) => boolean): Promise<number> {
    if (!existsSync(this.#usedFile)) return 0
    const own = await findContainers(this.#engine, { [LABELS.owner]: this.#deps.owner })
    const unclaimed = own.filter(({ Labels }) => !isClaimed(Labels[LABELS.allocation] ?? ''))
    for (const { Id } of unclaimed) {
      await removeContainer(this.#engine, Id)
      forgetMark(this.#markFolder, Id)
    }
    return unclaimed.length
  }

  exec(handle: TaskHandle, _: TaskPlace, request: ExecRequest): Promise<ExecSession> {
    return openExec(this.#engine, runOf(handle).containerId, request)
  }

  /** There since the first container: a host that never had one needs no engine to say that none is left. */
  get #usedFile(): string {
    return join(this.#deps.folder, 'used')
  }

  get #markFolder(): string {
    return join(this.#deps.folder, 'logs')
  }

  #follow(handle: TaskHandle): LogFollower | undefined {
    const { containerId, logs, hasTerminal } = runOf(handle)
    if (logs === null) return undefined
    const known = this.#followers.get(containerId)
    if (known !== undefined) return known
    const { logger } = this.#deps
    const made = new LogFollower({ engine: this.#engine, logger, containerId, logs, hasTerminal, markFolder: this.#markFolder })
    this.#followers.set(containerId, made)
    made.start()
    return made
  }

  #specHost(): SpecHost {
    const cores = cpus()
    const mhz = cores[0]?.speed || CPU_MHZ_UNKNOWN
    const { options, owner } = this.#deps
    return {
      options,
      owner,
      cpuCores: cores.length,
      cpuMhz: cores.length * mhz,
      cgroupVersion: this.#cgroupVersion,
      isPodman: this.#isPodman,
    }
  }

  #isOwn({ Config }: Inspection): boolean {
    return Config.Labels?.[LABELS.owner] === this.#deps.owner
  }

  /** Undefined: there is none of that name or id. */
  async #inspect(nameOrId: string): Promise<Inspection | undefined> {
    try {
      return await this.#engine.ask((client) => client.getContainer(nameOrId).inspect())
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.after(ms, resolve))
  }
}

function handleOf({ Id, Config }: { readonly Id: string; readonly Config: Pick<Inspection['Config'], 'Tty' | 'Labels'> }): TaskHandle {
  const logs = JSON.parse(Config.Labels[LABELS.logs] ?? 'null') as RunLogs | null
  return { containerId: Id, logs, hasTerminal: Config.Tty } satisfies Run
}

function runOf(handle: TaskHandle): Run {
  return handle as unknown as Run
}

function isAttempt({ Config }: Inspection, attempt: number): boolean {
  return Config.Labels[LABELS.attempt] === String(attempt)
}

/** One whose start failed stays as it was made. */
function wasStarted({ State }: Inspection): boolean {
  return State.Status !== 'created' && !State.StartedAt.startsWith('0001-')
}

/** As Nomad tells it: a signal is 128 and its number, which is an exit code like any other. */
function exitOf({ ExitCode }: Inspection['State'], isOutOfMemory: boolean): TaskExit {
  const exit = { exitCode: ExitCode, signal: 0, isOutOfMemory }
  if (isOutOfMemory) return { ...exit, error: 'OOM Killed' }
  return ExitCode === 0 ? exit : { ...exit, error: `Docker container exited with non-zero exit code: ${ExitCode}` }
}

/** Trying again may help. */
function isServers(error: unknown): boolean {
  return error instanceof EngineError && (error.status ?? 0) >= 500
}

function isNameTaken(error: unknown): boolean {
  return error instanceof EngineError && /name .* is already in use/i.test(error.message)
}

function asStartError(error: unknown): OrchestratorError {
  if (error instanceof OrchestratorError && !(error instanceof EngineError)) return error
  return startError(explainError(error), error instanceof EngineError && error.status !== 404)
}
