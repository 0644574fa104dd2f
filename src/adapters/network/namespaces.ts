/** Network namespaces of Linux, by name. They outlive the agent, and are gone after a restart of the host. */
import { existsSync } from 'node:fs'
import type { NamespaceMaker } from '../../agent/index.js'
import { OrchestratorError } from '../../domain/index.js'
import type { KeptShell } from '../kept-shell.js'

const FOLDER = '/run/netns'

export class HostNamespaces implements NamespaceMaker {
  readonly #shell: KeptShell

  constructor(shell: KeptShell) {
    this.#shell = shell
  }

  /** @throws OrchestratorError NETWORK */
  async create(allocationId: string): Promise<{ readonly path: string }> {
    const path = pathOf(allocationId)
    if (!existsSync(path)) await this.#run(['ip', 'netns', 'add', nameOf(allocationId)])
    return { path }
  }

  /** Whoever is in it keeps it until they end. @throws OrchestratorError NETWORK */
  async remove(allocationId: string): Promise<void> {
    if (existsSync(pathOf(allocationId))) await this.#run(['ip', 'netns', 'del', nameOf(allocationId)])
  }

  async #run(words: readonly string[]): Promise<void> {
    const { exitCode, output } = await this.#shell.run(words)
    if (exitCode !== 0) throw new OrchestratorError('NETWORK', `failed to set up a network namespace: ${output.trim()}`, { words })
  }
}

function pathOf(allocationId: string): string {
  return `${FOLDER}/${nameOf(allocationId)}`
}

function nameOf(allocationId: string): string {
  return `drover-${allocationId}`
}
