/**
 * `drover dev`: a whole cluster on one machine. This process only supervises: one server and N agents as children where there is
 * a broker, else one child that holds them all. Children end when their parent is gone; tasks, in sessions of their own, do not.
 */

import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { parseRepositoryAddress } from '../adapters/git/remote/remote-address.js'
import { LEAN_ALLOCATOR } from '../adapters/lean-allocator.js'
import { type FolderLock, lockFolder } from '../adapters/lmdb/folder-lock.js'
import { findNatsServer } from '../adapters/nats/server-process.js'
import { loadOrCreateKey } from '../adapters/node-key.js'
import { makePassableFolder } from '../adapters/passable-folder.js'
import { explainError, TerminalError } from '../domain/index.js'
import type { AgentConfig } from './agent-config.js'
import { type ChildMessage, describeMessage } from './child-channel.js'
import { defaultKeyFile } from './key-file.js'
import { OwnBroker } from './own-broker.js'
import type { ServerConfig } from './server-config.js'
import { FULL_REF } from './source-config.js'
import { SupervisedChild } from './supervised-child.js'

export interface DevOptions {
  /** A folder, or the address of a remote. */
  readonly repo: string
  readonly ref: string
  readonly versions?: string
  /** Files of the repository that carry this name count, too. */
  readonly overlay?: string
  /** A file with further sources, as the server's configuration has them. */
  readonly sources?: string
  readonly http: string
  /** Absent: `.drover` in the repository. */
  readonly dataDir?: string
  /** Absent: a nats-server that is installed here, else none. */
  readonly nats?: string
  readonly agents: number
  readonly keepTasks: boolean
}

/** As they are written. */
export interface DevFlags extends Omit<DevOptions, 'agents'> {
  readonly agents: string
}

/** @throws TerminalError FLAG */
export function readDevFlags(flags: DevFlags): DevOptions {
  if (!FULL_REF.test(flags.ref))
    throw new TerminalError(
      'FLAG',
      `--ref ${flags.ref} is a short name, which may come to mean something else; write refs/heads/${flags.ref} or refs/tags/${flags.ref}`,
    )
  return { ...flags, agents: parseAgentCount(flags.agents) }
}

export interface DevOutput {
  say(line: string): void
  fail(line: string): void
}

type ConfigInput<T> = { [Name in keyof T]?: unknown }

/** Resolves with the exit code when everything has ended. */
export async function runDev(
  cli: string,
  options: DevOptions,
  output: DevOutput,
  onInterrupt: (handler: () => void) => void,
): Promise<number> {
  const address = parseRepositoryAddress(options.repo)
  const repository = address.kind === 'folder' ? resolve(address.path) : address.url
  const dataFolder = resolve(options.dataDir ?? join(address.kind === 'folder' ? repository : '.', '.drover'))
  makePassableFolder(dataFolder)
  keepFromGit(dataFolder)
  // Heard from the very beginning: until there is a cluster to stop, the start is abandoned.
  let isInterrupted = false
  let interrupt = () => {
    isInterrupted = true
  }
  onInterrupt(() => interrupt())
  const lock = await lockFolder(realpathSync(dataFolder), 'dev')
  try {
    if (isInterrupted) return 0
    const broker = await chooseBroker(options, dataFolder, output)
    if (isInterrupted) {
      await broker?.stop()
      return 0
    }
    const cluster = new DevCluster(cli, { ...options, repo: repository, dataDir: dataFolder }, broker, output)
    interrupt = () => void cluster.interrupt()
    return await cluster.run()
  } finally {
    await (lock satisfies FolderLock).release()
  }
}

/** It lies in the repository, where everything is committed one day, and holds the keys of the server and the hosts. */
function keepFromGit(folder: string): void {
  const path = join(folder, '.gitignore')
  if (!existsSync(path)) writeFileSync(path, '*\n')
}

type Broker = { readonly url: string; readonly tokenFile?: string; stop(): Promise<void> } | undefined

async function chooseBroker(options: DevOptions, dataFolder: string, output: DevOutput): Promise<Broker> {
  if (options.nats !== undefined) {
    output.say(`nats: using ${options.nats}`)
    return { url: options.nats, stop: async () => {} }
  }
  const binary = findNatsServer()
  if (binary === undefined) {
    output.say('nats: no nats-server found, agents run inside the server (install it to have them outlive it: apt-get install nats-server)')
    return undefined
  }
  return OwnBroker.start({ binary, folder: join(dataFolder, 'nats'), say: (line) => output.say(line) })
}

/** Only this machine reaches it. */
const LOOPBACK = /^(127\.|localhost:|\[::1\]:)/

class DevCluster {
  readonly #cli: string
  readonly #options: DevOptions & { readonly dataDir: string }
  readonly #broker: Broker
  readonly #output: DevOutput
  readonly #agents: SupervisedChild[] = []
  readonly #server: SupervisedChild
  #http: string
  #finish: (code: number) => void = () => {}
  #interrupts = 0
  #isReady = false

  constructor(cli: string, options: DevOptions & { readonly dataDir: string }, broker: Broker, output: DevOutput) {
    this.#cli = cli
    this.#options = options
    this.#broker = broker
    this.#output = output
    this.#http = options.http
    this.#server = new SupervisedChild(cli, {
      name: 'server',
      words: () => ['server', '--config', this.#writeServerConfig()],
      onMessage: (message) => this.#onMessage(message),
      onEnd: (code, signal, stderr) => this.#onServerEnd(code, signal, stderr),
    })
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolveCode) => {
      this.#finish = resolveCode
    })
    this.#server.start()
    // They try until the server answers: what each has to load is loaded meanwhile.
    if (this.#broker !== undefined) this.#startAgents()
    return ended
  }

  #agentName(number: number): string {
    return `dev-${number}`
  }

  #agentFolder(number: number): string {
    return join(this.#options.dataDir, 'agents', String(number))
  }

  get #agentNumbers(): readonly number[] {
    return Array.from({ length: this.#options.agents }, (_, at) => at + 1)
  }

  #writeServerConfig(): string {
    const config: ConfigInput<ServerConfig> = {
      data_dir: join(this.#options.dataDir, 'server'),
      http: this.#http,
      ...(this.#broker === undefined
        ? { local_agents: this.#agentNumbers.map((number) => this.#writeAgentConfig(number)) }
        : { nats: natsConfig(this.#broker) }),
      source: {
        repository: this.#options.repo,
        ref: this.#options.ref,
        ...(this.#options.versions === undefined ? {} : { versions: this.#options.versions }),
        ...(this.#options.overlay === undefined ? {} : { overlay: this.#options.overlay }),
        rewind: 'follow',
        ...accessOfUser(this.#options.repo),
      },
      ...(this.#options.sources === undefined ? {} : { sources: readSources(this.#options.sources) }),
      // On one machine nobody else is kept away from anything; whoever reaches it from elsewhere acts on nothing.
      api: { show_variables: true, writes: LOOPBACK.test(this.#http) ? 'runtime' : 'none' },
      nodes: {
        bound_keys: this.#agentNumbers.map((number) => ({
          name: this.#agentName(number),
          public_key: loadOrCreateKey(this.#agentFolder(number)).publicKey,
        })),
      },
    }
    return this.#write('server.yaml', config)
  }

  #writeAgentConfig(number: number): string {
    const config: ConfigInput<AgentConfig> = {
      data_dir: this.#agentFolder(number),
      name: this.#agentName(number),
      artifacts: { allow_private_addresses: true },
      secrets: { identity_files: [process.env['DROVER_IDENTITY_FILE'] || defaultKeyFile(process.env)] },
      // As Nomad's own development agent has it.
      drivers: { docker: { volumes: { enabled: true } } },
      ...(this.#broker === undefined ? {} : { nats: natsConfig(this.#broker) }),
    }
    return this.#write(join('agents', `${number}.yaml`), config)
  }

  #write(name: string, config: object): string {
    const path = join(this.#options.dataDir, name)
    makePassableFolder(dirname(path))
    writeFileSync(path, stringify(config), { mode: 0o600 })
    return path
  }

  #onMessage(message: ChildMessage): void {
    if (message.kind === 'sync' || message.kind === 'note') return this.#say(message)
    // That agents start and join is no news here.
    if (message.kind !== 'ready' || this.#interrupts > 0) return
    // A restart of the server keeps the port that people know.
    this.#http = message.url.replace(/^https?:\/\//, '')
    if (this.#isReady) return this.#output.say(`server is back at ${message.url}`)
    this.#isReady = true
    this.#say(message)
  }

  #say(message: ChildMessage): void {
    for (const line of describeMessage(message)) this.#output.say(line)
  }

  #startAgents(): void {
    for (const number of this.#agentNumbers) {
      const agent = new SupervisedChild(this.#cli, {
        name: this.#agentName(number),
        words: () => ['agent', '--config', this.#writeAgentConfig(number)],
        environment: LEAN_ALLOCATOR,
        onMessage: (message) => message.kind === 'note' && this.#say(message),
        onEnd: (code, signal, stderr) => {
          this.#output.say(`agent ${number} ended with ${signal ?? code}, starting it again${lastLine(stderr)}`)
          return 'restart'
        },
      })
      this.#agents.push(agent)
      agent.start()
    }
  }

  /** Before it was ready once, it could not start: then its sentence is ours. */
  #onServerEnd(code: number | null, signal: NodeJS.Signals | null, stderr: string): 'restart' | 'give-up' {
    if (this.#isReady && code !== 2) {
      this.#output.say(`server ended with ${signal ?? code}, starting it again${lastLine(stderr)}`)
      return 'restart'
    }
    this.#output.fail(stderr.trim() || `the server ended with ${signal ?? code}`)
    void this.#stopAll(code ?? 1)
    return 'give-up'
  }

  /** The first ends the tasks politely, the second leaves them to themselves. */
  async interrupt(): Promise<void> {
    this.#interrupts++
    if (this.#interrupts === 1) {
      if (!this.#options.keepTasks) this.#output.say('stopping; Ctrl-C again leaves the tasks running')
      await this.#stopAll(0)
      return
    }
    for (const agent of this.#agents) agent.kill()
    this.#server.kill()
    await this.#broker?.stop()
    this.#finish(0)
  }

  async #stopAll(code: number): Promise<void> {
    const tasks = this.#options.keepTasks ? 'keep' : 'end'
    await Promise.all(this.#agents.map((agent) => agent.stop({ kind: 'stop', tasks })))
    await this.#server.stop({ kind: 'stop', tasks })
    await this.#broker?.stop()
    this.#finish(code)
  }
}

/** Whoever develops here reaches a remote as from the command line of git: hosts and keys of the own ssh, a token from the environment. */
function accessOfUser(repository: string): { readonly access?: object } {
  const address = parseRepositoryAddress(repository)
  if (address.kind === 'folder') return {}
  if (address.protocol === 'ssh') return { access: { known_hosts_file: join(homedir(), '.ssh', 'known_hosts') } }
  const takesToken = address.protocol === 'https' || address.protocol === 'http'
  return takesToken && (process.env[DEV_TOKEN] ?? '') !== '' ? { access: { token_env: DEV_TOKEN } } : {}
}

/** What it says is checked by the server. @throws TerminalError FLAG */
function readSources(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new TerminalError('FLAG', `--sources ${path} cannot be read: ${explainError(error)}`)
  }
}

const DEV_TOKEN = 'DROVER_GIT_TOKEN'

function natsConfig({ url, tokenFile }: NonNullable<Broker>): object {
  return { url, ...(tokenFile === undefined ? {} : { token_file: tokenFile }) }
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1)
  return line === undefined || line === '' ? '' : `: ${line}`
}

/** @throws TerminalError FLAG */
function parseAgentCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0 && count <= 100) return count
  throw new TerminalError('FLAG', `--agents ${text} is no number from 0 to 100`)
}
