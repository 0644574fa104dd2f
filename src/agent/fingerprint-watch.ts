/** What this host is, looked at every half a minute: what has changed is told, and nothing else is. Source: Nomad docs, "Fingerprinting". */
import { type Clock, explainError, type Logger, type Node } from '../domain/index.js'

export interface FingerprintWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly look: () => Promise<Node>
  /** As it was found before; undefined: not yet. */
  readonly found: () => Node | undefined
  readonly onChange: (node: Node) => void
}

const LOOK_MS = 30_000
/** What differs from one look to the next on a host on which nothing has changed, as long as the other attribute is the same. */
const DRIFTING: Readonly<Record<string, string>> = {
  'cpu.frequency': 'cpu.numcores',
  'cpu.totalcompute': 'cpu.numcores',
  'unique.storage.bytesfree': 'unique.storage.bytestotal',
}

export class FingerprintWatch {
  readonly #deps: FingerprintWatchDeps
  #cancel = () => {}
  #isClosed = false

  constructor(deps: FingerprintWatchDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => void this.#look())
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { look, found, onChange, logger } = this.#deps
    try {
      const now = await look()
      const before = found()
      if (this.#isClosed || before === undefined) return
      const node = withoutDrift(now, before)
      const changed = changesOf(before, node)
      if (changed.length > 0) {
        logger.info({ changed }, 'this host is not what it was')
        onChange(node)
      }
    } catch (error) {
      logger.warn({ error: explainError(error) }, 'what this host is could not be found out, trying again')
    }
    if (!this.#isClosed) this.start()
  }
}

/** As it is now, with what drifts as it was before: a host with less room on its disk is no other host. */
export function withoutDrift(now: Node, before: Node): Node {
  const isSame = (name: string) => now.Attributes[name] === before.Attributes[name]
  const kept = Object.entries(DRIFTING).filter(([name, by]) => isSame(by) && now.Attributes[name] !== undefined)
  const { Cpu, Disk } = before.NodeResources
  return {
    ...now,
    Attributes: {
      ...now.Attributes,
      ...Object.fromEntries(kept.map(([name]) => [name, before.Attributes[name] ?? now.Attributes[name]!])),
    },
    NodeResources: {
      ...now.NodeResources,
      ...(isSame('cpu.numcores') ? { Cpu } : {}),
      ...(isSame('unique.storage.bytestotal') ? { Disk } : {}),
    },
  }
}

/** The names of attributes, drivers and other parts that are not the same. */
export function changesOf(before: Node, now: Node): readonly string[] {
  const { Attributes: attributesBefore, Drivers: driversBefore, ...restBefore } = before
  const { Attributes, Drivers, ...rest } = now
  return [...differing(attributesBefore, Attributes), ...differing(driversBefore, Drivers), ...differing(restBefore, rest)].sort()
}

function differing(before: object, now: object): readonly string[] {
  const valuesBefore = new Map<string, unknown>(Object.entries(before))
  const valuesNow = new Map<string, unknown>(Object.entries(now))
  const names = [...new Set([...valuesBefore.keys(), ...valuesNow.keys()])]
  return names.filter((name) => JSON.stringify(valuesBefore.get(name)) !== JSON.stringify(valuesNow.get(name)))
}
