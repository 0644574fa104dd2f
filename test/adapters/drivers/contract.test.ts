/** Drivers that run everywhere keep to the contract; the others do so where there is what they need. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.js'
import { ExecDriver } from '../../../src/adapters/drivers/exec/exec-driver.js'
import { JavaDriver, javaAttributes } from '../../../src/adapters/drivers/exec/java-driver.js'
import { execOptionsSchema } from '../../../src/adapters/drivers/exec/options.js'
import { MockDriver, MockHost } from '../../../src/adapters/drivers/mock/mock-driver.js'
import { RawExecDriver } from '../../../src/adapters/drivers/raw-exec/index.js'
import { findWrappers } from '../../../src/adapters/supervisor/process-table.js'
import { findTool } from '../../../src/adapters/supervisor/tools.js'
import type { TaskStart } from '../../../src/agent/index.js'
import { type ContractHost, driverContract, makeDirectories, taskStart } from './contract.js'
import { DRILL_CLASS, DRILL_JAR } from './java-program.js'
import { SandboxHost, shell, whyNoSandbox } from './sandbox-host.js'
import { isAlive, Supervised, until } from './supervised.js'

describe('mock_driver', () => {
  driverContract((): ContractHost => {
    const host = new MockHost(systemClock)
    let life = 0
    return {
      nextLife() {
        const own = ++life
        return new MockDriver(host, { isAlive: () => life === own })
      },
      running: {},
      deaf: { kill_after: '1h' },
      exiting: (code) => ({ run_for: '10ms', exit_code: code }),
      wrong: { run_for: 'soon' },
      directories: { task: '/t', local: '/t/local', secrets: '/t/secrets', shared: '/t/alloc', logs: '/t/alloc/logs' },
      isReal: false,
    }
  })
})

describe('raw_exec', () => {
  driverContract((): ContractHost => {
    const world = new Supervised()
    onTestFinished(() => world.clearAll())
    return {
      nextLife() {
        world.reconnect()
        return new RawExecDriver(world.client, { PATH: '/usr/bin:/bin' })
      },
      running: shell('trap "exit 0" INT TERM; echo ready; while :; do sleep 0.05; done'),
      deaf: shell('trap "" INT TERM; echo ready; while :; do sleep 0.05; done'),
      exiting: (code) => shell(`exit ${code}`),
      wrong: { args: ['x'] },
      directories: makeDirectories(world.folder),
      isReal: true,
    }
  })
})

describe.skipIf(whyNoSandbox !== undefined)('exec', () => {
  driverContract(() => new SandboxHost())

  test('a task is nobody in a root of its own, sees its own processes, and writes where it may', async () => {
    const host = new SandboxHost()
    writeFileSync(join(host.directories.task, 'given.txt'), 'given')
    const script =
      'id -u; ls -d /alloc /local /secrets /root 2>&1; echo $$; ls /proc | grep -c "^[0-9]"; cat /given.txt; echo x >/alloc/data/x && echo wrote; touch /usr/x 2>&1; ls /proc/1/fd 2>&1; grep CapBnd /proc/self/status'
    const { out } = await host.said(shell(script))
    const lines = out.split('\n')
    expect(lines).toEqual(expect.arrayContaining(['65534', '/alloc', '/local', '/secrets']))
    expect(out).toContain("cannot access '/root'")
    expect(out).toContain('givenwrote')
    expect(out).toContain("touch: cannot touch '/usr/x': Read-only file system")
    expect(out).toContain("cannot open directory '/proc/1/fd': Permission denied")
    expect(out).toContain('CapBnd:\t0000000000000000')
    expect(readFileSync(join(host.directories.shared, 'data/x'), 'utf8')).toBe('x\n')
  })

  test('a task has the devices that it was given, and no others of its host', async () => {
    const host = new SandboxHost()
    const { out } = await host.said(shell('ls -d /dev/full /dev/kmsg /dev/mem 2>/dev/null; test -c /dev/kmsg && echo device'), {
      devices: ['/dev/kmsg'],
    })
    expect(out).toBe('/dev/full\n/dev/kmsg\ndevice\n')
  })

  test('what is mounted deep in its root is reached by a task that is nobody', async () => {
    const host = new SandboxHost()
    const source = join(host.world.folder, 'volume')
    mkdirSync(source)
    chmodSync(source, 0o755)
    const mounts = [{ source, target: '/srv/deep/data', isReadOnly: false, propagation: 'private' as const }]
    const { out } = await host.said(shell('stat -c %a /srv /srv/deep /srv/deep/data /dev/net; test -e /dev/net/tun && echo there'), {
      mounts,
      devices: ['/dev/net/tun'],
    })
    expect(out).toBe('755\n755\n755\n755\nthere\n')
  })

  test('a task has the name servers of its group', async () => {
    const host = new SandboxHost()
    const dns = { Servers: ['10.9.9.9'], Searches: ['corp.example'], Options: ['ndots:2'] }
    const { out } = await host.said(shell('cat /etc/resolv.conf'), { network: { kind: 'host', dns } })
    expect(out).toBe('nameserver 10.9.9.9\nsearch corp.example\noptions ndots:2\n')
  })

  test('a task that takes too much memory is ended, and says so', async () => {
    const host = new SandboxHost()
    const resources = { ...taskStart(host, {}).resources, Memory: { MemoryMB: 24, MemoryMaxMB: 0 } }
    const { exit } = await host.said(shell('s=x; while true; do s=$s$s; done'), { resources })
    expect(exit).toEqual({ exitCode: 137, signal: 9, isOutOfMemory: true, error: 'OOM Killed' })
  })

  test('a task that starts processes without end is stopped at its bound, and ends with all of them', async () => {
    const host = new SandboxHost()
    const driver = new ExecDriver(host.world.client, execOptionsSchema.parse({ pids_limit: 20 }), { PATH: '/usr/bin:/bin' })
    const handle = await driver.start(
      taskStart(host, shell('(n=0; while [ $n -lt 100 ]; do n=$((n+1)); sleep 600 & done); exec sleep 600')),
    )
    // A shell that cannot fork ends; the one that it was started from needs no more than it has.
    await until(async () => (await driver.stats(handle)).pids.length >= 15)
    const { pids } = await driver.stats(handle)
    expect(pids.length).toBeLessThanOrEqual(20)
    await driver.kill(handle)
    await driver.wait(handle)
    await until(() => !pids.some(isAlive))
    await driver.clear(handle)
  })

  test('a task has one helper, with which it ends', async () => {
    const host = new SandboxHost()
    const driver = host.nextLife()
    const handle = await driver.start(taskStart(host, shell('sleep 600 & exec sleep 600')))
    await until(() => helpersIn(host.world.folder).length === 1)
    const { pids } = await driver.stats(handle)
    for (const { pid } of helpersIn(host.world.folder)) process.kill(pid, 'SIGKILL')
    expect(await driver.wait(handle)).toMatchObject({ exitCode: -1, error: 'killed together with its wrapper' })
    await until(() => !pids.some(isAlive))
    await driver.clear(handle)
  })

  test('a task is found again whose supervisor died before it had written the pids down', async () => {
    const host = new SandboxHost()
    const handle = await host.nextLife().start(taskStart(host, shell('exec sleep 600')))
    await host.world.killSupervisor()
    rmSync(join(host.world.folder, 'runs', String(handle['runId']), 'pids.json'))
    const driver = host.nextLife()
    expect(await driver.attach(handle)).toBe(true)
    await driver.signal(handle, 'SIGINT')
    expect(await driver.wait(handle)).toMatchObject({ exitCode: 130, signal: 2 })
    await driver.clear(handle)
  })

  test('a root that cannot be made is told at once', async () => {
    const host = new SandboxHost()
    const mounts = [{ source: '/not/there', target: '/data', isReadOnly: false, propagation: 'private' as const }]
    await expect(host.nextLife().start({ ...taskStart(host, shell('true')), mounts })).rejects.toThrow(
      'the task did not start: its root could not be made, its stderr says why',
    )
    expect(readFileSync(join(host.directories.logs, 'main.stderr.0'), 'utf8')).toContain('/not/there')
  })

  test('what a host does not allow is refused with a sentence', async () => {
    const host = new SandboxHost()
    const driver = host.nextLife()
    const request = taskStart(host, shell('true'))
    const asRoot = { ...request, task: { ...request.task, User: 'root' } as TaskStart['task'] }
    await expect(driver.start(asRoot)).rejects.toThrow('running as user "root" is disallowed')
    await expect(driver.start(taskStart(host, { ...shell('true'), cap_add: ['sys_admin'] }))).rejects.toThrow(
      'the following capabilities: sys_admin',
    )
    await expect(driver.start(taskStart(host, { command: '/opt/none' }))).rejects.toThrow(
      `file /opt/none not found under path ${host.directories.task}`,
    )
  })
})

const whyNoJava = whyNoSandbox ?? (findTool('java') === undefined ? 'java is not installed' : undefined)

class JavaHost extends SandboxHost {
  override readonly running = drill('-run')
  override readonly deaf = drill('-deaf')
  override readonly wrong = { args: ['x'] }

  constructor() {
    super()
    writeFileSync(join(this.directories.local, 'drill.jar'), DRILL_JAR)
    writeFileSync(join(this.directories.local, 'Drill.class'), DRILL_CLASS)
  }

  override exiting(code: number) {
    return drill(String(code))
  }

  override nextLife() {
    this.world.reconnect()
    return new JavaDriver(this.world.client, execOptionsSchema.parse({}), { PATH: '/usr/bin:/bin' })
  }
}

describe.skipIf(whyNoJava !== undefined)('java', () => {
  driverContract(() => new JavaHost())

  test('a jar or a class runs with the options of its machine', { timeout: 60_000 }, async () => {
    const host = new JavaHost()
    const config = { class: 'Drill', class_path: 'local', jvm_options: [...SMALL_MACHINE, '-Dgiven=this'], args: ['4', 'b', 'c'] }
    const { exit, out } = await host.said(config)
    expect(exit).toMatchObject({ exitCode: 4 })
    expect(out).toBe('this 3\n')
    expect(await host.said({ ...config, class: 'None' })).toMatchObject({ exit: { exitCode: 1 } })
  })
})

const SMALL_MACHINE = ['-Xmx16m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

function drill(word: string) {
  return { jar_path: 'local/drill.jar', jvm_options: SMALL_MACHINE, args: [word] }
}

test('what java says of itself becomes attributes', () => {
  const text =
    'Picked up JAVA_TOOL_OPTIONS: -x\nopenjdk version "17.0.13" 2024-10-15\nOpenJDK Runtime Environment (build 17.0.13+11)\nOpenJDK 64-Bit Server VM (build 17.0.13+11, mixed mode)\n'
  expect(javaAttributes(text)).toEqual({
    'driver.java.version': '17.0.13',
    'driver.java.runtime': 'OpenJDK Runtime Environment (build 17.0.13+11)',
    'driver.java.vm': 'OpenJDK 64-Bit Server VM (build 17.0.13+11, mixed mode)',
  })
})

/** Shells that hold the tasks of a supervisor, and what made their roots. */
function helpersIn(folder: string) {
  return findWrappers(join(folder, 'runs'))
}
