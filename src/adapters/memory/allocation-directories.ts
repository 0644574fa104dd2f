/** Folders that are only names, and no files: for simulated hosts. */
import type { AllocationDirectories, AllocationFiles, TaskDirectories } from '../../agent/index.js'
import { OrchestratorError } from '../../domain/index.js'

export class MemoryAllocationDirectories implements AllocationDirectories {
  readonly #ids: Set<string>

  /** @param ids what outlives the agent, as a disk would */
  constructor(ids: Set<string> = new Set()) {
    this.#ids = ids
  }

  /** From whom to whom. */
  readonly inherited: (readonly [string, string])[] = []

  async inherit(fromId: string, toId: string): Promise<void> {
    this.inherited.push([fromId, toId])
  }

  async create(allocation: { readonly ID: string }): Promise<void> {
    this.#ids.add(allocation.ID)
  }

  of(allocationId: string, taskName: string): TaskDirectories {
    const task = `/allocations/${allocationId}/${taskName}`
    const shared = `/allocations/${allocationId}/alloc`
    return { task, local: `${task}/local`, secrets: `${task}/secrets`, shared, logs: `${shared}/logs` }
  }

  async forgetSecrets(): Promise<void> {}

  async remove(allocationId: string): Promise<void> {
    this.#ids.delete(allocationId)
  }

  async list(): Promise<readonly string[]> {
    return [...this.#ids]
  }
}

/** Nothing is ever there. */
export const noFiles: AllocationFiles = {
  list: async () => [],
  stat: (_allocationId, path) => Promise.reject(noSuchFile(path)),
  read: (_allocationId, path) => Promise.reject(noSuchFile(path)),
  logSpans: async () => [],
  watch: () => () => {},
}

function noSuchFile(path: string): OrchestratorError {
  return new OrchestratorError('NO_SUCH_FILE', `${path} does not exist`, { path })
}
