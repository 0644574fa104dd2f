/** The CNI plugins of this host: programs that read a configuration and answer with a result, or with a mistake. Source: CNI specification 1.0.0. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OrchestratorError } from '../../domain/index.js'
import type { KeptShell } from '../kept-shell.js'

export interface CniCall {
  readonly command: 'ADD' | 'DEL'
  readonly containerId: string
  /** Path of the namespace. */
  readonly namespace: string
  readonly device: string
  readonly args: string
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export class CniPlugins {
  readonly #folders: readonly string[]
  readonly #shell: KeptShell
  /** For configurations on their way to a plugin. */
  readonly #scratch: string
  #calls = 0

  constructor(folders: readonly string[], scratch: string, shell: KeptShell) {
    this.#folders = folders
    this.#scratch = scratch
    this.#shell = shell
  }

  find(type: string): string | undefined {
    return this.#folders.map((folder) => join(folder, type)).find((path) => existsSync(path))
  }

  /** Names of the plugins that there are. */
  names(): readonly string[] {
    const found = this.#folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    return [...new Set(found)].sort()
  }

  /** Its own version, or where it tells none the newest version of the specification that it knows; undefined: it tells neither. */
  async versionOf(type: string): Promise<string | undefined> {
    const { output } = await this.#shell.run([this.find(type)!])
    const own = /\bv(\d+\.\d+\.\d+\S*)/.exec(output)?.[1]
    return own ?? /CNI protocol versions supported: (.*)/.exec(output)?.[1]?.split(', ').at(-1)?.trim()
  }

  /** @returns its result; undefined for DEL @throws OrchestratorError NETWORK */
  async call(type: string, input: object, call: CniCall): Promise<unknown> {
    const program = this.find(type)
    if (program === undefined)
      throw new OrchestratorError('NETWORK', `failed to find plugin "${type}" in path [${this.#folders.join(' ')}]`, { plugin: type })
    const file = join(this.#scratch, `call-${process.pid}-${++this.#calls}.json`)
    writeFileSync(file, JSON.stringify(input), { mode: 0o600 })
    try {
      const { exitCode, output } = await this.#shell.run([
        'env',
        '-i',
        ...this.#environment(call),
        'sh',
        '-c',
        'exec "$0" <"$1" 2>"$1.err"',
        program,
        file,
      ])
      if (exitCode === 0) return call.command === 'ADD' ? JSON.parse(output) : undefined
      throw new OrchestratorError(
        'NETWORK',
        `plugin type="${type}" failed (${call.command.toLowerCase()}): ${complaintOf(output, `${file}.err`)}`,
        { plugin: type },
      )
    } finally {
      rmSync(file, { force: true })
      rmSync(`${file}.err`, { force: true })
    }
  }

  #environment({ command, containerId, namespace, device, args }: CniCall): readonly string[] {
    return [
      `CNI_COMMAND=${command}`,
      `CNI_CONTAINERID=${containerId}`,
      `CNI_NETNS=${namespace}`,
      `CNI_IFNAME=${device}`,
      `CNI_ARGS=${args}`,
      `CNI_PATH=${this.#folders.join(':')}`,
      `PATH=${PATH}`,
    ]
  }
}

/** Plugins say what is wrong on standard output, as JSON; whoever dies says it elsewhere. */
function complaintOf(output: string, errors: string): string {
  try {
    const { msg, details } = JSON.parse(output) as { readonly msg?: string; readonly details?: string }
    if (msg !== undefined) return details ? `${msg}: ${details}` : msg
  } catch {
    // Not JSON: as it is.
  }
  const words = `${output}${existsSync(errors) ? readFileSync(errors, 'utf8') : ''}`.trim()
  return words || 'it ended without a word'
}
