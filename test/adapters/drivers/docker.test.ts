/** `docker` on a real engine. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.js'
import { DockerDriver } from '../../../src/adapters/drivers/docker/docker-driver.js'
import { canReadKernelLog } from '../../../src/adapters/drivers/docker/kernel-log.js'
import { dockerOptionsSchema } from '../../../src/adapters/drivers/docker/options.js'
import { ExecDriver } from '../../../src/adapters/drivers/exec/exec-driver.js'
import { execOptionsSchema } from '../../../src/adapters/drivers/exec/options.js'
import { RawExecDriver } from '../../../src/adapters/drivers/raw-exec/index.js'
import { silentLogger } from '../../../src/adapters/logger.js'
import { AllocationNetworks } from '../../../src/adapters/network/index.js'
import type { TaskStart } from '../../../src/agent/index.js'
import { freePort } from '../../free-port.js'
import { hasBridges, PLUGIN_FOLDERS } from '../cni.js'
import { type ContractHost, driverContract, makeDirectories, taskStart, untilReady } from './contract.js'
import { IMAGE, TestEngine, whyNoEngine } from './docker-engine.js'
import { Supervised, until } from './supervised.js'

const TIMEOUT = { timeout: 90_000 }

for (const kind of ['dockerd', 'podman'] as const) {
  describe.skipIf(whyNoEngine(kind) !== undefined)(`docker on ${kind}`, () => {
    let engine: TestEngine
    beforeAll(async () => {
      engine = await TestEngine.start(kind)
    }, 90_000)
    afterAll(() => engine.remove(), 60_000)

    describe('keeps to the contract', () => {
      driverContract(() => new DockerHost(engine))
    })

    test('what it says is in its logs once, whatever dies meanwhile', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const script =
        'n=0; while [ $n -lt 300 ]; do n=$((n+1)); echo "line $n"; echo "bad $n" >&2; sleep 0.01; done; printf "no newline"; exit 6'
      const handle = await host.nextLife().start(taskStart(host, box(script)))
      for (const line of ['line 20\n', 'line 100\n', 'line 200\n']) {
        const driver = host.nextLife()
        void driver.wait(handle)
        await until(() => host.log('stdout').includes(line), 30_000)
      }
      const driver = host.nextLife()
      expect(await driver.wait(handle)).toMatchObject({ exitCode: 6 })
      const numbers = Array.from({ length: 300 }, (_, at) => at + 1)
      expect(host.log('stdout')).toBe(`${numbers.map((n) => `line ${n}\n`).join('')}no newline`)
      expect(host.log('stderr')).toBe(numbers.map((n) => `bad ${n}\n`).join(''))
      // A second start of the same task goes on in the same log.
      await driver.clear(handle)
      const second = await driver.start(taskStart(host, box('echo again'), { attempt: 2 }))
      await driver.wait(second)
      expect(host.log('stdout').endsWith('no newlineagain\n')).toBe(true)
    })

    test.skipIf(!hasBridges())(
      'tasks share the network of their allocation, which outlives them and each life of the agent',
      TIMEOUT,
      async () => {
        const host = new DockerHost(engine)
        const driver = host.nextLife()
        await makeHolderImage(engine)
        const bridge = { name: `drv${process.pid % 10_000}d`, subnet: '10.214.7.0/24', isHairpin: false }
        const networksOf = ({ namespaces }: DockerDriver) =>
          new AllocationNetworks({
            folder: host.folder,
            bridge,
            pluginFolders: PLUGIN_FOLDERS,
            listFolder: host.folder,
            makers: new Map([['docker', namespaces]]),
            logger: silentLogger,
          })
        const networks = networksOf(driver)
        onTestFinished(async () => {
          await networks.releaseUnclaimed(() => false)
          if (existsSync(`/sys/class/net/${bridge.name}`)) execFileSync('ip', ['link', 'del', bridge.name])
          rmSync(`/var/lib/cni/networks/${bridge.name}`, { recursive: true, force: true })
        })
        const config = (script: string) => ({ image: IMAGE, command: 'sh', args: ['-c', script] })
        const serving = taskStart(host, config('echo hello >/tmp/hello; httpd -f -p 8080 -h /tmp'))
        const want = {
          allocationId: serving.allocation.ID,
          mode: 'bridge',
          hostname: 'web',
          dns: { Servers: ['10.9.9.9'], Searches: ['corp.example'], Options: ['ndots:2'] },
          ports: [{ Label: 'http', Value: 23_457, To: 8080, HostIP: '' }],
          drivers: ['docker', 'exec', 'raw_exec'],
          args: {},
        } as const
        const network = await networks.prepare(want)
        const server = await driver.start({ ...serving, network })
        await until(async () => (await text(`http://${network.status.Address}:8080/hello`)) === 'hello\n', 30_000)
        // Another life of the agent, another task.
        const next = host.nextLife()
        const found = networksOf(next)
        expect(found.find(want.allocationId)).toEqual(network)
        expect(await found.prepare(want)).toEqual(network)
        const asking = {
          ...serving,
          task: { ...serving.task, Name: 'side' } as TaskStart['task'],
          config: {
            ...config('wget -qO- http://127.0.0.1:8080/hello; cat /etc/resolv.conf; grep web /etc/hosts; grep db /etc/hosts; hostname'),
            extra_hosts: ['db:10.1.2.3'],
          },
          network,
        }
        const logs = () => readFileSync(join(host.directories.logs, 'side.stdout.0'), 'utf8')
        expect(await next.wait(await next.start(asking))).toMatchObject({ exitCode: 0 })
        const names = 'nameserver 10.9.9.9\nsearch corp.example\noptions ndots:2\n'
        expect(logs()).toBe(`hello\n${names}${network.status.Address} web\n10.1.2.3 db\nweb\n`)
        // Those of other drivers are in it, too.
        const world = new Supervised()
        onTestFinished(() => world.clearAll())
        for (const other of [new RawExecDriver(world.client, {}), new ExecDriver(world.client, execOptionsSchema.parse({}), {})]) {
          const asked = { ...asking, task: { ...asking.task, Name: other.name } as TaskStart['task'] }
          const script = 'busybox wget -qO- http://127.0.0.1:8080/hello'
          await other.wait(await other.start({ ...asked, config: { command: '/bin/sh', args: ['-c', script] } }))
          expect(readFileSync(join(host.directories.logs, `${other.name}.stdout.0`), 'utf8')).toBe('hello\n')
        }
        const [address] = execFileSync('hostname', ['-I'], { encoding: 'utf8' }).split(' ')
        expect(await text(`http://${address}:23457/hello`)).toBe('hello\n')
        await next.kill(server)
        await next.clear(server)
        await found.release(want.allocationId)
        expect(found.find(want.allocationId)).toBeUndefined()
        const client = await engine.client()
        expect((await client.listContainers({ all: true })).filter(({ Id }) => Id === network.container)).toEqual([])
      },
    )

    test.skipIf(!hasBridges())(
      'it has the names and the hardware address in a network of the engine that it asks for',
      TIMEOUT,
      async () => {
        const client = await engine.client()
        const network = await client.createNetwork({ Name: `drv${process.pid % 10_000}m`, Driver: 'bridge' })
        onTestFinished(() => network.remove())
        // After it, so that its containers go first.
        const host = new DockerHost(engine)
        const { Name } = await network.inspect()
        const asked = { network_mode: Name, mac_address: '02:68:b3:29:da:98', network_aliases: ['db'] }
        const handle = await host.nextLife().start(taskStart(host, { ...host.running, ...asked }))
        const { NetworkSettings } = await client.getContainer(String(handle['containerId'])).inspect()
        const { MacAddress, Aliases } = NetworkSettings.Networks[Name]!
        expect({ MacAddress, Aliases }).toEqual({ MacAddress: asked.mac_address, Aliases: expect.arrayContaining(['db']) })
      },
    )

    test.skipIf(!hasBridges())('ports of its group lead from the host into a container of a network of the engine', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const client = await engine.client()
      const network = await client.createNetwork({ Name: `drv${process.pid % 10_000}p`, Driver: 'bridge' })
      onTestFinished(() => network.remove())
      const [port, other] = [await freePort(), await freePort()]
      const request = taskStart(host, {
        image: IMAGE,
        network_mode: (await network.inspect()).Name,
        ports: ['http', 'same'],
        command: 'sh',
        args: ['-c', `echo hello >/tmp/hello; httpd -p ${other} -h /tmp; httpd -f -p 8080 -h /tmp`],
      })
      const Ports = [
        { Label: 'http', Value: port, To: 8080, HostIP: '127.0.0.1' },
        { Label: 'same', Value: other, To: 0, HostIP: '127.0.0.1' },
      ]
      const { AllocatedResources } = request.allocation
      const allocation = {
        ...request.allocation,
        AllocatedResources: { ...AllocatedResources, Shared: { ...AllocatedResources.Shared, Ports } },
      }
      const driver = host.nextLife()
      const handle = await driver.start({ ...request, allocation } as TaskStart)
      for (const each of [port, other]) await until(async () => (await text(`http://127.0.0.1:${each}/hello`)) === 'hello\n', 30_000)
      await driver.clear(handle)
      expect(await text(`http://127.0.0.1:${port}/hello`)).toBeUndefined()
    })

    test('a log is rotated by the rules of its task', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const request = taskStart(host, box('head -c 2500000 /dev/zero | tr "\\0" x; echo; echo end'))
      const task = { ...request.task, LogConfig: { MaxFiles: 2, MaxFileSizeMB: 1, Disabled: false } } as TaskStart['task']
      const driver = host.nextLife()
      await driver.wait(await driver.start({ ...request, task }))
      const files = readdirSync(host.directories.logs).filter((name) => name.startsWith('main.stdout.'))
      expect(files.sort()).toEqual(['main.stdout.1', 'main.stdout.2'])
      expect(host.log('stdout').endsWith('x\nend\n')).toBe(true)
    })

    test('files of the driver that are damaged cost no task, and are told', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const handle = await host.nextLife().start(taskStart(host, host.running))
      void host.nextLife().wait(handle)
      await untilReady(host)
      host.nextLife()
      const agentFolder = join(host.folder, 'agent')
      const mark = join(agentFolder, `logs/${String(handle['containerId'])}.json`)
      writeFileSync(mark, '\0'.repeat(100))
      writeFileSync(join(agentFolder, 'images.json'), '[7')
      host.warnings.length = 0
      const driver = host.nextLife()
      expect(await driver.attach(handle)).toBe(true)
      const exit = driver.wait(handle)
      await driver.signal(handle, 'SIGTERM')
      expect(await exit).toMatchObject({ exitCode: 0 })
      expect(host.warnings).toEqual([
        'what images were fetched cannot be read: those of before are not collected',
        'how far a log was written cannot be read',
      ])
    })

    test('it sees its folders, its user, its environment and what is mounted', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const volume = join(host.folder, 'volume')
      mkdirSync(volume)
      writeFileSync(join(volume, 'file'), 'from the host')
      writeFileSync(join(host.directories.local, 'conf'), 'mine')
      const config = {
        ...box(
          'id -u; pwd; echo $GIVEN; cat /conf; cat /volume/file; touch /volume/x 2>&1; ls -d /alloc /local /secrets; hostname; stat -c %a /scratch /plain; test -c /dev/kmsg && echo device',
        ),
        work_dir: '/local',
        hostname: 'boxed',
        volumes: ['local/conf:/conf:ro'],
        mount: [
          { type: 'tmpfs', target: '/scratch', tmpfs_options: [{ size: 1_000_000, mode: 0o700 }] },
          { type: 'tmpfs', target: '/plain' },
        ],
      }
      const mounts = [{ source: volume, target: '/volume', isReadOnly: true, propagation: 'private' as const }]
      const request = taskStart(host, config, { mounts, devices: ['/dev/kmsg'] })
      const driver = host.nextLife()
      await driver.wait(await driver.start({ ...request, task: { ...request.task, User: '65534' } as TaskStart['task'] }))
      const lines = [
        '65534',
        '/local',
        'this',
        'minefrom the hosttouch: /volume/x: Read-only file system',
        '/alloc',
        '/local',
        '/secrets',
        'boxed',
        '700',
        '1777',
        'device',
      ]
      expect(host.log('stdout').trim().split('\n')).toEqual(lines)
    })

    test('an image that is nowhere fails with what the engine says, and tells that it was looked for', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const told: string[] = []
      const request = taskStart(host, { ...box(''), image: '127.0.0.1:9/none:1' }, { tell: ({ text }) => void told.push(text) })
      await expect(host.nextLife().start(request)).rejects.toThrow(/^Failed to pull `127\.0\.0\.1:9\/none:1`: Error response from daemon: /)
      expect(told).toEqual(['Downloading image'])
    })

    test('a command that is not in the image fails the start and leaves no container', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const request = taskStart(host, { ...box(''), command: '/opt/none', args: [] })
      const driver = host.nextLife()
      await expect(driver.start(request)).rejects.toThrow(/^Failed to start container \w+: Error response from daemon: .*\/opt\/none/)
      expect(await driver.find(request.allocation.ID, 'main', 1)).toBeUndefined()
    })

    test('what a host does not allow is refused in the words of Nomad', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const driver = host.nextLife()
      const link = join(host.directories.local, 'out')
      symlinkSync('/etc', link)
      for (const [config, words] of [
        [{ privileged: true }, 'Docker privileged mode is disabled on this Nomad agent'],
        [{ cap_add: ['net_admin', 'CAP_SYS_ADMIN'] }, 'driver does not allow the following capabilities: net_admin, sys_admin'],
        [{ volumes: ['/etc:/host'] }, 'volumes are not enabled; cannot mount host paths: "/etc:/host"'],
        [{ volumes: ['../../..:/host'] }, 'volumes are not enabled; cannot mount host paths'],
        [{ volumes: ['local/out:/host'] }, 'volumes are not enabled; cannot mount host paths'],
        [
          { mount: [{ type: 'bind', source: '/etc', target: '/host' }] },
          'volumes are not enabled; cannot mount host paths: "/etc" "/host"',
        ],
        [{ runtime: 'kata' }, 'requested runtime "kata" is not allowed'],
        [{ ports: ['http'] }, 'Port "http" not found, check network block'],
        [{ port_map: { http: 80 } }, 'Trying to map ports but no network interface is available'],
        [{ ulimit: { nofile: 'many' } }, 'failed to parse ulimit configuration: Malformed soft ulimit nofile: many:many'],
        [{ ulimit: { nofile: '9:' } }, 'failed to parse ulimit configuration: Malformed hard ulimit nofile: 9:'],
        [{ volumes: ['/etc'] }, 'invalid docker volume "/etc": not <src>:<destination> format'],
        [{ memory_hard_limit: 6 }, 'task memory requirements exceed driver hard limit of 6 MB'],
        [{ mac_address: 'zz' }, 'failed to parse mac_address "zz": address zz: invalid MAC address'],
        [{ pid_mode: 'host' }, 'cannot apply "pid_mode" configuration'],
        [{ ipc_mode: 'private' }, 'cannot apply "ipc_mode" configuration'],
        [{ uts_mode: 'host' }, 'cannot apply "uts_mode" configuration'],
        [{ userns_mode: 'host' }, 'cannot apply "userns_mode" configuration'],
      ] as const) {
        const failure = await driver.start(taskStart(host, { ...box('true'), ...config })).catch((error: Error) => error)
        expect(failure).toMatchObject({ code: 'DRIVER_START', message: expect.stringContaining(words), facts: { recoverable: false } })
        expect((failure as Error).message).toMatch(
          /^Failed to create container configuration for image "local\/box:1" \("(sha256:)?[0-9a-f]{64}"\): /,
        )
      }
    })

    test('what it says is written by the host alone', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const driver = host.nextLife()
      const script = 'touch /alloc/logs/own || exit 7'
      const request = taskStart(host, { ...box(''), command: '/bin/sh', args: ['-c', script] })
      expect(await driver.wait(await driver.start(request))).toMatchObject({ exitCode: 7 })
    })

    test('namespaces of the host are given where it allows privileged containers', TIMEOUT, async () => {
      const host = new DockerHost(engine, { allow_privileged: true })
      const handle = await host.nextLife().start(taskStart(host, { ...host.running, pid_mode: 'host', uts_mode: 'host', ipc_mode: 'host' }))
      const { State } = await (await engine.client()).getContainer(String(handle['containerId'])).inspect()
      for (const kind of ['pid', 'uts', 'ipc'])
        expect(readlinkSync(`/proc/${State.Pid}/ns/${kind}`)).toBe(readlinkSync(`/proc/self/ns/${kind}`))
    })

    test('a container removed behind its back has ended', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const driver = host.nextLife()
      const handle = await driver.start(taskStart(host, host.deaf))
      const exit = driver.wait(handle)
      await untilReady(host)
      await (await engine.client()).getContainer(String(handle['containerId'])).remove({ force: true })
      expect([137, -1]).toContain((await exit).exitCode)
      expect((await exit).error).toBeDefined()
      expect(await driver.attach(handle)).toBe(false)
    })

    test('a name that somebody else has taken is told, and his container is left alone', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const request = taskStart(host, host.running)
      const client = await engine.client()
      const foreign = await client.createContainer({ name: `main-${request.allocation.ID}`, Image: IMAGE, Cmd: ['sleep', '600'] })
      onTestFinished(() => foreign.remove({ force: true }))
      await expect(host.nextLife().start(request)).rejects.toThrow(/name .* is already in use/)
      expect((await foreign.inspect()).State.Status).toBe('created')
    })

    // An engine may miss it; what the kernel says is looked at where it may be.
    test.skipIf(!canReadKernelLog())('a task that takes too much memory is ended, and says so', TIMEOUT, async () => {
      const host = new DockerHost(engine)
      const driver = host.nextLife()
      const request = taskStart(host, box('s=x; while true; do s=$s$s; done'))
      const handle = await driver.start({ ...request, resources: { ...request.resources, Memory: { MemoryMB: 16, MemoryMaxMB: 0 } } })
      expect(await driver.wait(handle)).toMatchObject({ exitCode: 137, isOutOfMemory: true })
    })

    test(
      'an engine that is killed and comes back has stopped nothing that can run without it, and starts wait for it',
      TIMEOUT,
      async () => {
        const host = new DockerHost(engine)
        const driver = host.nextLife()
        const handle = await driver.start(
          taskStart(host, box('n=0; while [ $n -lt 60 ]; do n=$((n+1)); echo "line $n"; sleep 0.1; done; exit 9')),
        )
        const exit = driver.wait(handle)
        await until(() => host.log('stdout').includes('line 5\n'))
        await engine.end('SIGKILL')
        const { Detected, Healthy, HealthDescription } = await driver.fingerprint()
        expect({ Detected, Healthy }).toEqual({ Detected: true, Healthy: false })
        expect(HealthDescription).toContain('Failed to connect to docker daemon')
        await expect(driver.attach(handle)).rejects.toThrow('Cannot connect to the Docker daemon')
        const second = driver.start(taskStart(host, box('exit 2')))
        await engine.begin()
        expect(await driver.wait(await second)).toMatchObject({ exitCode: 2 })
        expect(await exit).toMatchObject({ exitCode: 9 })
        expect(host.log('stdout')).toBe(Array.from({ length: 60 }, (_, at) => `line ${at + 1}\n`).join(''))
      },
    )
  })
}

test('a host that never had a container needs no engine to say that none is left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-docker-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const options = dockerOptionsSchema.parse({ endpoint: `unix://${folder}/none.sock` })
  const deps = { options, environment: {}, owner: folder, folder, clock: systemClock, logger: silentLogger }
  const driver = new DockerDriver(deps)
  onTestFinished(() => driver.close())
  expect(await driver.endUnclaimed(() => false)).toBe(0)
  writeFileSync(join(folder, 'used'), '')
  await expect(driver.endUnclaimed(() => false)).rejects.toThrow('Cannot connect to the Docker daemon')
})

class DockerHost implements ContractHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-docker-'))
  readonly directories = makeDirectories(this.folder)
  readonly isReal = true
  readonly running = box('trap "exit 0" INT TERM; echo ready; while :; do sleep 0.05; done')
  readonly deaf = box('trap "" INT TERM; echo ready; while :; do sleep 0.05; done')
  readonly wrong = { command: 'sh' }
  readonly warnings: string[] = []
  readonly #engine: TestEngine
  readonly #allowed: object
  #driver: DockerDriver | undefined

  /** @param allowed by the host's file */
  constructor(engine: TestEngine, allowed: object = {}) {
    this.#engine = engine
    this.#allowed = allowed
    onTestFinished(async () => {
      await this.nextLife().endUnclaimed(() => false)
      this.#driver?.close()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** All of one stream's files, in order. */
  log(stream: 'stdout' | 'stderr'): string {
    const numberOf = (name: string) => Number(name.split('.').at(-1))
    return readdirSync(this.directories.logs)
      .filter((name) => name.startsWith(`main.${stream}.`))
      .sort((a, b) => numberOf(a) - numberOf(b))
      .map((name) => readFileSync(join(this.directories.logs, name), 'utf8'))
      .join('')
  }

  exiting(code: number) {
    return box(`exit ${code}`)
  }

  nextLife(): DockerDriver {
    this.#driver?.close()
    this.#driver = new DockerDriver({
      options: dockerOptionsSchema.parse({ endpoint: this.#engine.endpoint, infra_image: HOLDER_IMAGE, ...this.#allowed }),
      environment: {},
      owner: this.folder,
      folder: join(this.folder, 'agent'),
      clock: systemClock,
      logger: { ...silentLogger, warn: (_: object, text: string) => this.warnings.push(text) },
    })
    return this.#driver
  }
}

const HOLDER_IMAGE = 'local/holder:1'
/** An image that does nothing for ever, as the one does that a host would have. */
async function makeHolderImage(engine: TestEngine): Promise<void> {
  const client = await engine.client()
  const container = await client.createContainer({ Image: IMAGE, Cmd: ['sleep', '1000000'], Entrypoint: [] })
  await container.commit({ repo: 'local/holder', tag: '1' })
  await container.remove()
}

async function text(url: string): Promise<string | undefined> {
  try {
    return await (await fetch(url)).text()
  } catch {
    return undefined
  }
}

function box(script: string) {
  return { image: IMAGE, network_mode: 'none', command: 'sh', args: ['-c', script] }
}
