/**
 * A Docker Engine of a test's own: its folders, its socket, no bridge, no change to the host's packet filter, and one image made of
 * busybox, `local/box:1`. Also podman's socket. Everything is stopped by its pid.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '../../../src/adapters/drivers/docker/engine.js'
import { dockerOptionsSchema } from '../../../src/adapters/drivers/docker/options.js'
import { findTool } from '../../../src/adapters/supervisor/tools.js'
import { until } from './supervised.js'

export const IMAGE = 'local/box:1'

/** Undefined: there can be one here. */
export function whyNoEngine(program: 'dockerd' | 'podman' = 'dockerd'): string | undefined {
  if (process.getuid?.() !== 0) return 'an engine needs root'
  if (findTool(program) === undefined) return `${program} is not installed`
  if (findTool('busybox') === undefined) return 'busybox is not installed, of which the image is made'
  return undefined
}

export class TestEngine {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-engine-'))
  readonly kind: 'dockerd' | 'podman'
  #process: ChildProcess | undefined

  private constructor(kind: 'dockerd' | 'podman') {
    this.kind = kind
  }

  static async start(kind: 'dockerd' | 'podman' = 'dockerd'): Promise<TestEngine> {
    const engine = new TestEngine(kind)
    try {
      await engine.begin()
      await engine.#importImage()
    } catch (error) {
      await engine.remove()
      throw error
    }
    return engine
  }

  get socketPath(): string {
    return join(this.folder, 'engine.sock')
  }

  get endpoint(): string {
    return `unix://${this.socketPath}`
  }

  /** Starts it, or starts it again on what it left. */
  async begin(): Promise<void> {
    // What a killed engine leaves makes its next start fail; its helper may have died with it.
    rmSync(join(this.folder, 'pid'), { force: true })
    await this.#endContainerd()
    const [program, ...args] = this.kind === 'dockerd' ? this.#dockerCommand() : this.#podmanCommand()
    const log = join(this.folder, 'engine.log')
    this.#process = spawn('/bin/sh', ['-c', `exec "$@" >>${log} 2>&1`, 'engine', program!, ...args], {
      stdio: 'ignore',
      // Podman's helper leaves a file where it is started when a container takes too much memory.
      cwd: this.folder,
      env: { ...process.env, CONTAINERS_CONF: join(this.folder, 'containers.conf'), DOCKER_HOST: undefined },
    })
    await until(() => this.isThere(), 60_000).catch((error: unknown) => {
      throw new Error(`${this.kind} did not start: ${readFileSync(log, 'utf8').slice(-2000)}`, { cause: error })
    })
  }

  async isThere(): Promise<boolean> {
    if (!existsSync(this.socketPath)) return false
    return new Engine(dockerOptionsSchema.parse({ endpoint: this.endpoint }), {}).describe(AbortSignal.timeout(10_000)).then(
      () => true,
      () => false,
    )
  }

  /** @param signal SIGKILL: as in a crash; what it runs goes on where it was told to keep it */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  /** Of its own client, whatever the host's is set to. */
  async client() {
    const engine = new Engine(dockerOptionsSchema.parse({ endpoint: this.endpoint }), {})
    return engine.ask(async (client) => client)
  }

  /** Nothing it ran or mounted stays. */
  async remove(): Promise<void> {
    if (this.kind === 'dockerd' && !(await this.isThere())) await this.begin().catch(() => {})
    if (await this.isThere()) {
      const client = await this.client()
      for (const { Id } of await client.listContainers({ all: true }))
        await client
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => {})
    }
    await this.end()
    await this.#endContainerd()
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((path) => path.startsWith(`${this.folder}/`))
    for (const path of mounts.reverse()) execFileSync('umount', ['-l', path])
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  /** It may outlive an engine that was killed, or die a moment after it. Its containers do not mind. */
  async #endContainerd(): Promise<void> {
    const pidFile = join(this.folder, 'exec/containerd/containerd.pid')
    if (!existsSync(pidFile)) return
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const isAlive = () => existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'containerd'
    try {
      if (isAlive()) process.kill(pid, 'SIGKILL')
      await until(() => !isAlive())
    } catch {
      // It has ended by itself meanwhile.
    }
    rmSync(pidFile, { force: true })
  }

  #dockerCommand(): readonly string[] {
    const at = (name: string) => join(this.folder, name)
    const config = at('daemon.json')
    writeFileSync(config, '{}')
    return [
      findTool('dockerd')!,
      ...['--config-file', config, '--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')],
      ...['--host', this.endpoint, '--bridge=none', '--iptables=false', '--ip-forward=false', '--storage-driver=vfs', '--live-restore'],
    ]
  }

  #podmanCommand(): readonly string[] {
    const at = (name: string) => join(this.folder, name)
    writeFileSync(
      at('containers.conf'),
      '[containers]\ndefault_ulimits = ["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime = "runc"\n',
    )
    return [
      findTool('podman')!,
      ...[
        '--root',
        at('data'),
        '--runroot',
        at('exec'),
        '--storage-driver',
        'vfs',
        '--cgroup-manager',
        'cgroupfs',
        '--events-backend',
        'file',
      ],
      ...['system', 'service', '--time=0', this.endpoint],
    ]
  }

  async #importImage(): Promise<void> {
    const root = join(this.folder, 'root')
    for (const name of ['bin', 'etc', 'tmp', 'usr/bin']) mkdirSync(join(root, name), { recursive: true })
    execFileSync('cp', [findTool('busybox')!, join(root, 'bin/busybox')])
    for (const name of [
      'sh',
      'sleep',
      'echo',
      'cat',
      'id',
      'ls',
      'env',
      'grep',
      'sort',
      'pwd',
      'touch',
      'stat',
      'nc',
      'hostname',
      'head',
      'tr',
      'kill',
    ])
      symlinkSync('busybox', join(root, 'bin', name))
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
    const packed = join(this.folder, 'box.tar')
    execFileSync('tar', ['-C', root, '-cf', packed, '.'])
    const client = await this.client()
    const [repo = '', tag = ''] = IMAGE.split(':')
    const stream = (await client.importImage(packed, { repo, tag })) as NodeJS.ReadableStream
    for await (const _ of stream);
    // One engine leaves the tag out.
    if (this.kind === 'podman') await client.getImage(repo).tag({ repo, tag })
  }
}
