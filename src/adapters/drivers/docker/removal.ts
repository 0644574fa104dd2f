/** Ends and removes containers, with the volumes without a name that are theirs. */
import { LABELS } from './container-spec.js'
import { type Engine, isAway, isMissing } from './engine.js'

export interface FoundContainer {
  readonly Id: string
  readonly Labels: Readonly<Record<string, string>>
}

const LOOKS = 50
const LOOK_EVERY_MS = 100

/** Every container with all of these labels, in an order in which they can be removed. */
export async function findContainers(engine: Engine, labels: Readonly<Record<string, string>>): Promise<readonly FoundContainer[]> {
  const filters = { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) }
  const found = await engine.ask((client) => client.listContainers({ all: true, filters }))
  // One engine does not remove a container while there are others that share its network, be they dead.
  return found.sort((a, b) => Number(holdsNetwork(a)) - Number(holdsNetwork(b)))
}

/** It belongs to an allocation and to none of its tasks. */
function holdsNetwork({ Labels }: FoundContainer): boolean {
  return Labels[LABELS.task] === undefined
}

/** Without effect when there is none of that name or id. @throws EngineError */
export async function removeContainer(engine: Engine, nameOrId: string): Promise<void> {
  try {
    // One engine lets a container that is removed by force have ten seconds to end by itself.
    await engine.ask((client) => client.getContainer(nameOrId).kill({ signal: 'SIGKILL' }))
  } catch (error) {
    // Each words it in its own way that there is nothing to kill; what can be removed is what matters.
    if (isAway(error)) throw error
  }
  try {
    await engine.ask((client) => client.getContainer(nameOrId).remove({ force: true, v: true }))
  } catch (error) {
    if (isMissing(error)) return
    if (isAway(error)) throw error
    // Somebody removes it at this moment, or has.
    for (let look = 0; look < LOOKS; look++) {
      if (await isGone(engine, nameOrId)) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    throw error
  }
}

async function isGone(engine: Engine, nameOrId: string): Promise<boolean> {
  try {
    await engine.ask((client) => client.getContainer(nameOrId).inspect())
    return false
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  }
}
