/** Virtual machines keep to the contract of drivers, and to what only they have. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configOf } from '../../../src/adapters/drivers/driver-errors.js'
import { machineWords } from '../../../src/adapters/drivers/qemu/machine.js'
import { powerDown } from '../../../src/adapters/drivers/qemu/monitor.js'
import { qemuOptionsSchema } from '../../../src/adapters/drivers/qemu/options.js'
import { QemuDriver } from '../../../src/adapters/drivers/qemu/qemu-driver.js'
import { findTool } from '../../../src/adapters/supervisor/tools.js'
import type { TaskStart } from '../../../src/agent/index.js'
import { bootSector, EXIT_DEVICE } from './boot-sector.js'
import { driverContract, smallResources, taskStart, untilReady } from './contract.js'
import { SandboxHost, whyNoSandbox } from './sandbox-host.js'

const whyNoQemu = whyNoSandbox ?? (findTool('qemu-system-x86_64') === undefined ? 'qemu-system-x86_64 is not installed' : undefined)
const NOBODY = 65_534
const RESOURCES = smallResources(128)

class QemuHost extends SandboxHost {
  override readonly running = { image_path: 'local/run.img', graceful_shutdown: true }
  override readonly deaf = { image_path: 'local/sleep.img', graceful_shutdown: true }
  override readonly wrong = { args: ['x'] }
  override readonly resources = RESOURCES
  readonly runsNothing = 'task driver does not support exec'

  constructor() {
    super()
    for (const does of ['run', 'sleep'] as const) this.put(does, bootSector(does))
  }

  put(name: string, content: Uint8Array): void {
    writeFileSync(join(this.directories.local, `${name}.img`), content)
  }

  override exiting(code: number) {
    this.put(`exit-${code}`, bootSector(code))
    return { image_path: `local/exit-${code}.img`, args: EXIT_DEVICE }
  }

  override nextLife(options: Parameters<typeof qemuOptionsSchema.parse>[0] = {}) {
    this.world.reconnect()
    return new QemuDriver(this.world.client, qemuOptionsSchema.parse(options), { PATH: '/usr/bin:/bin' })
  }
}

describe.skipIf(whyNoQemu !== undefined)('qemu', () => {
  driverContract(() => new QemuHost())

  test('an image becomes the task user’s, which a guest writes to as its disk, and what a link leads to does not', async () => {
    const host = new QemuHost()
    const driver = host.nextLife()
    const handle = await driver.start(taskStart(host, host.running))
    expect(statSync(join(host.directories.local, 'run.img')).uid).toBe(NOBODY)
    await driver.clear(handle)
    const elsewhere = join(host.world.folder, 'elsewhere.img')
    writeFileSync(elsewhere, bootSector('run'))
    symlinkSync(elsewhere, join(host.directories.local, 'link.img'))
    await expect(driver.start(taskStart(host, { image_path: 'local/link.img' }))).rejects.toThrow('local/link.img does not exist')
    expect(statSync(elsewhere).uid).toBe(0)
  })

  test('without a power button a machine ends by the signal at once', async () => {
    const host = new QemuHost()
    const driver = host.nextLife()
    const handle = await driver.start(taskStart(host, { image_path: 'local/sleep.img' }))
    await untilReady(host)
    await driver.signal(handle, 'SIGINT')
    expect(await driver.wait(handle)).toMatchObject({ exitCode: 0, signal: 0 })
    await driver.clear(handle)
  })

  test('an image of the host is used where its folder is allowed, and no other', async () => {
    const host = new QemuHost()
    const folder = join(host.world.folder, 'images')
    mkdirSync(folder)
    const image = join(folder, 'five.img')
    writeFileSync(image, bootSector(5))
    chmodSync(image, 0o666)
    const config = { image_path: image, args: EXIT_DEVICE }
    await expect(host.nextLife().start(taskStart(host, config))).rejects.toThrow('image_path is not in the allowed paths')
    symlinkSync('/etc/passwd', join(folder, 'link.img'))
    const driver = host.nextLife({ image_paths: [folder] })
    await expect(driver.start(taskStart(host, { image_path: join(folder, 'link.img') }))).rejects.toThrow('not in the allowed paths')
    expect(await driver.wait(await driver.start(taskStart(host, config)))).toMatchObject({ exitCode: 5 })
  })

  test('what the emulator complains of is in its stderr', async () => {
    const host = new QemuHost()
    const { exit } = await host.said({ image_path: 'local/run.img', args: ['-none-such'] })
    expect(exit).toMatchObject({ exitCode: 1 })
    expect(readFileSync(join(host.directories.logs, 'main.stderr.0'), 'utf8')).toContain('none-such')
  })

  test('a machine without an emulator, an image or the right to its accelerator says why', async () => {
    const host = new QemuHost()
    const driver = host.nextLife()
    await expect(driver.start(taskStart(host, { image_path: 'local/run.img', emulator: 'none' }))).rejects.toThrow(
      'file qemu-system-none not found',
    )
    await expect(driver.start(taskStart(host, { image_path: 'local/none.img' }))).rejects.toThrow(
      'image_path "local/none.img" does not exist',
    )
    const refusal = existsSync('/dev/kvm') ? 'may not open /dev/kvm' : 'there is no /dev/kvm on this host'
    await expect(driver.start(taskStart(host, { ...host.running, accelerator: 'kvm' }))).rejects.toThrow(refusal)
  })
})

function start(over: Partial<TaskStart> = {}): TaskStart {
  const directories = { task: '/t', local: '/t/local', secrets: '/t/secrets', shared: '/alloc', logs: '/alloc/logs' }
  const start = taskStart({ directories } as never, {}, { resources: RESOURCES, ...over })
  return start
}

function config(members: Readonly<Record<string, unknown>> = {}) {
  return configOf('qemu', { image_path: 'a.img', ...members })
}

const GROUP_PORTS = [{ Label: 'ssh', Value: 20022, To: 22, HostIP: '10.0.0.1' }]

function withPorts(over: Partial<TaskStart> = {}): TaskStart {
  const { allocation } = start()
  const AllocatedResources = { Tasks: {}, Shared: { Ports: GROUP_PORTS, Networks: null, DiskMB: 10 } }
  return start({ allocation: { ...allocation, AllocatedResources } as unknown as TaskStart['allocation'], ...over })
}

test('ports lead into the guest, from the host or from where the host leads to', () => {
  const words = (request: TaskStart) => machineWords(request, config({ port_map: { ssh: 22 } }), '/a.img').join(' ')
  expect(words(withPorts())).toContain('-netdev user,id=user.0,hostfwd=tcp::20022-:22,hostfwd=udp::20022-:22 -device virtio-net')
  const network = { kind: 'namespace' } as TaskStart['network']
  expect(words(withPorts({ network }))).toContain('hostfwd=tcp::22-:22')
  expect(() => machineWords(withPorts(), config({ port_map: { http: 80 } }), '/a.img')).toThrow('Unknown port label "http"')
})

test('a machine has the memory of its task, within what machines can have', () => {
  const withMemory = (MemoryMB: number) => start({ resources: { ...RESOURCES, Memory: { MemoryMB, MemoryMaxMB: 0 } } })
  expect(machineWords(withMemory(256), config(), '/local/a,b.img').join(' ')).toContain('-m 256M -drive file=/local/a,,b.img,if=ide')
  expect(() => machineWords(withMemory(64), config(), '/a.img')).toThrow('QEMU memory assignment out of bounds')
})

test('a monitor that refuses, breaks off or is none is told apart from one that is not there', async () => {
  const { world } = new SandboxHost()
  const path = join(world.folder, 'monitor')
  expect(await powerDown(path)).toBe(false)
  symlinkSync('/run/other.sock', path)
  expect(await powerDown(path)).toBe(false)
  const monitor = (said: readonly string[]) => {
    const server = createServer((socket) => {
      socket.write('{"QMP":{}}\n')
      socket.on('data', () => {
        const next = said[heard++]
        if (next === undefined) socket.end()
        else socket.write(`${next}\n`)
      })
    })
    let heard = 0
    const at = join(world.folder, `monitor-${said.length}-${said[0]?.length}`)
    onTestFinished(() => void server.close())
    return new Promise<string>((resolve) => server.listen(at, () => resolve(at)))
  }
  expect(await powerDown(await monitor(['{"event":"RESUME"}\n{"return":{}}', '{"return":{}}']))).toBe(true)
  await expect(powerDown(await monitor(['{"error":{"desc":"no"}}']))).rejects.toThrow('{"desc":"no"}')
  await expect(powerDown(await monitor(['{"return":{}}']))).rejects.toThrow('closed the connection')
  await expect(powerDown(await monitor(['nonsense']))).rejects.toThrow('no JSON')
})
