/**
 * The containers that hold networks of allocations: an engine's containers can only join each other, so one that does nothing else is
 * there before the first task and goes after the last. Named as Nomad names it.
 */
import type { NamespaceMaker } from '../../../agent/index.js'
import { explainError } from '../../../domain/index.js'
import { startError } from '../driver-errors.js'
import { LABELS } from './container-spec.js'
import { type Engine, isMissing } from './engine.js'
import type { Images } from './images.js'
import type { DockerOptions } from './options.js'
import { findAuth } from './registry-auth.js'
import { findContainers, removeContainer } from './removal.js'

export interface NetworkHoldersDeps {
  readonly engine: Engine
  readonly images: Images
  readonly options: DockerOptions
  readonly owner: string
}

const PULL_WITHIN_MS = 300_000

export class NetworkHolders implements NamespaceMaker {
  readonly #deps: NetworkHoldersDeps

  constructor(deps: NetworkHoldersDeps) {
    this.#deps = deps
  }

  async create(allocationId: string, hostname: string): Promise<{ readonly path: string; readonly container: string }> {
    const known = await this.#inspect(allocationId)
    if (known?.State.Running === true) return namespaceOf(known)
    await this.remove(allocationId)
    await this.#demandImage()
    const { engine, options, owner } = this.#deps
    const container = await engine.ask((client) =>
      client.createContainer({
        name: nameOf(allocationId),
        Image: options.infra_image,
        Hostname: hostname,
        HostConfig: { NetworkMode: 'none' },
        Labels: { [LABELS.allocation]: allocationId, [LABELS.owner]: owner },
      }),
    )
    await engine.ask(() => container.start())
    const made = await this.#inspect(allocationId)
    if (made?.State.Running === true) return namespaceOf(made)
    throw startError(`the container of ${options.infra_image}, which is to hold the network, does not run`)
  }

  /** Whatever is left in the network is removed with it: its engine would refuse otherwise, or keep it in a network that nobody looks after. */
  async remove(allocationId: string): Promise<void> {
    const { engine, owner } = this.#deps
    for (const { Id } of await findContainers(engine, { [LABELS.allocation]: allocationId, [LABELS.owner]: owner }))
      await removeContainer(engine, Id)
  }

  async #demandImage(): Promise<void> {
    const { images, options } = this.#deps
    try {
      await images.demand({
        image: options.infra_image,
        isForced: false,
        timeoutMs: PULL_WITHIN_MS,
        auth: () => findAuth(options.infra_image, { auth: undefined, auth_soft_fail: undefined }, options),
        tell: () => {},
        signal: new AbortController().signal,
      })
    } catch (error) {
      throw startError(`the image of the container that is to hold the network is not there: ${explainError(error)}`, true)
    }
  }

  async #inspect(allocationId: string) {
    try {
      return await this.#deps.engine.ask((client) => client.getContainer(nameOf(allocationId)).inspect())
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
}

interface Holder {
  readonly Id: string
  readonly State: { readonly Pid: number }
  readonly NetworkSettings: { readonly SandboxKey?: string }
}

function namespaceOf({ Id, State, NetworkSettings }: Holder) {
  return { path: NetworkSettings.SandboxKey || `/proc/${State.Pid}/ns/net`, container: Id }
}

function nameOf(allocationId: string): string {
  return `nomad_init_${allocationId}`
}
