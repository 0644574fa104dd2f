/** What every driver keeps to, whatever it runs. A life of the agent is a driver of its own over the same host. */
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Driver, TaskHandle, TaskStart } from '../../../src/agent/index.js'
import { until } from './supervised.js'

export interface ContractHost {
  /** Another life of the agent: whatever the one before still asks for is not asked any more. */
  nextLife(): Driver
  /** `config` of a task that runs until it is asked to end, and of one that does not listen. Real ones say `ready` first. */
  readonly running: TaskStart['config']
  readonly deaf: TaskStart['config']
  exiting(code: number): TaskStart['config']
  readonly wrong: TaskStart['config']
  readonly directories: TaskStart['directories']
  /** What tasks say can be read and programs be run beside them. */
  readonly isReal: boolean
  /** What a driver beside whose tasks no programs are run says of that. */
  readonly runsNothing?: string
  readonly resources?: TaskStart['resources']
  readonly task?: Partial<TaskStart['task']>
}

/** Before it is so far, a signal ends even what will not listen. */
export async function untilReady({ isReal, directories }: ContractHost): Promise<void> {
  const log = join(directories.logs, 'main.stdout.0')
  await until(() => !isReal || (existsSync(log) && readFileSync(log, 'utf8').includes('ready\n')))
}

export function smallResources(MemoryMB: number): TaskStart['resources'] {
  const Memory = { MemoryMB, MemoryMaxMB: 0 }
  return { Cpu: { CpuShares: 100, ReservedCores: null }, Memory, Networks: null, Devices: null } as unknown as TaskStart['resources']
}

export function taskStart(host: ContractHost, config: TaskStart['config'], over: Partial<TaskStart> = {}): TaskStart {
  return {
    allocation: {
      ID: randomUUID(),
      Name: 'job.group[0]',
      JobID: 'job',
      Namespace: 'default',
      TaskGroup: 'group',
      NodeID: 'node-1',
      NodeName: 'alpha',
      AllocatedResources: { Tasks: {}, Shared: { Ports: null, Networks: null, DiskMB: 10 } },
    } as unknown as TaskStart['allocation'],
    job: { ID: 'job', Name: 'job', Type: 'service', ParentID: '' } as TaskStart['job'],
    task: {
      Name: 'main',
      User: '',
      LogConfig: { MaxFiles: 3, MaxFileSizeMB: 1, Disabled: false },
      KillTimeout: 5e9,
      Resources: { CPU: 100, MemoryMB: 64, MemoryMaxMB: 0, Cores: 0 },
      ...host.task,
    } as TaskStart['task'],
    attempt: 1,
    environment: { PATH: '/usr/local/bin:/usr/bin:/bin', GIVEN: 'this' },
    config,
    resources: host.resources ?? smallResources(64),
    directories: host.directories,
    mounts: [],
    devices: [],
    network: { kind: 'host' },
    tell: () => {},
    signal: new AbortController().signal,
    ...over,
  }
}

/** The folders of one task below `folder`. */
export function makeDirectories(folder: string): TaskStart['directories'] {
  const shared = join(folder, 'alloc')
  const task = join(folder, 'main')
  const directories = { task, local: join(task, 'local'), secrets: join(task, 'secrets'), shared, logs: join(shared, 'logs') }
  for (const path of [task, directories.local, directories.secrets, join(task, 'tmp'), shared, join(shared, 'data'), directories.logs]) {
    mkdirSync(path, { recursive: true })
    // As a host makes them, whatever the mask: tasks of any user write there.
    chmodSync(path, path === directories.logs ? 0o755 : 0o777)
  }
  return directories
}

export function driverContract(open: () => Promise<ContractHost> | ContractHost): void {
  const TIMEOUT = { timeout: 60_000 }

  test('is detected and healthy on this host, which says so', TIMEOUT, async () => {
    const driver = (await open()).nextLife()
    const { Detected, Healthy, HealthDescription, nodeAttributes } = await driver.fingerprint()
    expect({ Detected, Healthy, HealthDescription }).toEqual({ Detected: true, Healthy: true, HealthDescription: 'Healthy' })
    expect(nodeAttributes[`driver.${driver.name}`]).toBe('1')
  })

  test('tells how a task ended', TIMEOUT, async () => {
    const host = await open()
    const driver = host.nextLife()
    const handle = await driver.start(taskStart(host, host.exiting(7)))
    expect(await driver.wait(handle)).toMatchObject({ exitCode: 7, signal: 0, isOutOfMemory: false })
    // Asked again, it says the same.
    expect(await driver.wait(handle)).toMatchObject({ exitCode: 7, signal: 0, isOutOfMemory: false })
    await driver.clear(handle)
  })

  test('a start asked for twice is one run', TIMEOUT, async () => {
    const host = await open()
    const driver = host.nextLife()
    const request = taskStart(host, host.running)
    const [first, second] = await Promise.all([driver.start(request), driver.start(request)])
    expect(second).toEqual(first)
    expect(await driver.start(request)).toEqual(first)
    const next = host.nextLife()
    expect(await next.start(request)).toEqual(first)
    await next.clear(first)
  })

  test('another attempt while one lives is answered with the one that lives', TIMEOUT, async () => {
    const host = await open()
    const request = taskStart(host, host.running)
    const first = await host.nextLife().start({ ...request, attempt: 3 })
    const driver = host.nextLife()
    expect(await driver.start({ ...request, attempt: 1 })).toEqual(first)
    await driver.clear(first)
  })

  test('a start after one that ended is a new run', TIMEOUT, async () => {
    const host = await open()
    const driver = host.nextLife()
    const request = taskStart(host, host.exiting(3))
    const first = await driver.start(request)
    await driver.wait(first)
    await driver.clear(first)
    const second = await driver.start({ ...request, attempt: 2, config: host.exiting(9) })
    expect(await driver.wait(second)).toMatchObject({ exitCode: 9 })
    await driver.clear(second)
  })

  test('a run is found by allocation, task and attempt, and nothing else is', TIMEOUT, async () => {
    const host = await open()
    const request = taskStart(host, host.running)
    const { ID } = request.allocation
    expect(await host.nextLife().find(ID, 'main', 1)).toBeUndefined()
    const handle = await host.nextLife().start(request)
    const driver = host.nextLife()
    expect(await driver.find(ID, 'main', 1)).toEqual(handle)
    expect(await driver.find(ID, 'other', 1)).toBeUndefined()
    expect(await driver.find(ID, 'main', 2)).toBeUndefined()
    await driver.clear(handle)
    expect(await driver.find(ID, 'main', 1)).toBeUndefined()
  })

  test('an agent that was killed finds what runs, and hears of its end', TIMEOUT, async () => {
    const host = await open()
    const handle = await host.nextLife().start(taskStart(host, host.running))
    const second = host.nextLife()
    expect(await second.attach(handle)).toBe(true)
    void second.wait(handle).catch(() => {})
    const third = host.nextLife()
    expect(await third.attach(handle)).toBe(true)
    const exit = third.wait(handle)
    await untilReady(host)
    await third.signal(handle, 'SIGINT')
    expect(await exit).toMatchObject({ exitCode: 0, signal: 0 })
    await third.clear(handle)
  })

  test('how a task ended while its agent was away is known afterwards', TIMEOUT, async () => {
    const host = await open()
    const first = host.nextLife()
    const handle = await first.start(taskStart(host, host.exiting(5)))
    await first.wait(handle)
    const driver = host.nextLife()
    expect(await driver.attach(handle)).toBe(true)
    expect(await driver.wait(handle)).toMatchObject({ exitCode: 5 })
    await driver.clear(handle)
  })

  test('what does not listen is killed', TIMEOUT, async () => {
    const host = await open()
    const handle = await host.nextLife().start(taskStart(host, host.deaf))
    const driver = host.nextLife()
    const exit = driver.wait(handle)
    await untilReady(host)
    await driver.signal(handle, 'SIGINT')
    await driver.kill(handle)
    expect((await exit).exitCode).toBe(137)
    await driver.clear(handle)
  })

  test('to signal, kill and clear what has ended does nothing', TIMEOUT, async () => {
    const host = await open()
    const driver = host.nextLife()
    const handle = await driver.start(taskStart(host, host.exiting(0)))
    await driver.wait(handle)
    for (let round = 0; round < 2; round++) {
      await driver.signal(handle, 'SIGTERM')
      await driver.kill(handle)
      await driver.clear(handle)
    }
    expect(await driver.attach(handle)).toBe(false)
  })

  test('to clear away what runs ends it', TIMEOUT, async () => {
    const host = await open()
    const driver = host.nextLife()
    const handle = await driver.start(taskStart(host, host.deaf))
    await driver.clear(handle)
    expect(await driver.attach(handle)).toBe(false)
    expect(await host.nextLife().attach(handle)).toBe(false)
  })

  test('what no allocation claims is ended, and only that', TIMEOUT, async () => {
    const host = await open()
    const first = host.nextLife()
    const requests = [taskStart(host, host.running), taskStart(host, host.running)]
    const handles: TaskHandle[] = []
    for (const request of requests) handles.push(await first.start(request))
    const driver = host.nextLife()
    expect(await driver.endUnclaimed((id) => id === requests[0]!.allocation.ID)).toBe(1)
    expect(await driver.attach(handles[0]!)).toBe(true)
    expect(await driver.attach(handles[1]!)).toBe(false)
    expect(await driver.endUnclaimed((id) => id === requests[0]!.allocation.ID)).toBe(0)
    await driver.clear(handles[0]!)
  })

  test('a configuration that is wrong says so, and is not tried again', TIMEOUT, async () => {
    const host = await open()
    const failure = await host
      .nextLife()
      .start(taskStart(host, host.wrong))
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'DRIVER_CONFIG', facts: { recoverable: false } })
  })

  test('a program runs beside the task, or is refused', TIMEOUT, async () => {
    const host = await open()
    const driver = host.nextLife()
    const request = taskStart(host, host.running)
    const handle = await driver.start(request)
    if (host.runsNothing !== undefined) {
      const refusal = driver.exec(handle, request, { command: ['/bin/true'] })
      await expect(refusal).rejects.toMatchObject({ code: 'PROGRAM', message: host.runsNothing })
      return driver.clear(handle)
    }
    const session = await driver.exec(handle, request, { command: ['/bin/sh', '-c', 'cat; echo "$GIVEN"; echo bad >&2; exit 3'] })
    const said = { stdout: '', stderr: '' }
    const read = (async () => {
      for await (const { stream, data } of session.output) said[stream] += Buffer.from(data).toString()
    })()
    await session.write(Buffer.from('typed\n'))
    session.endInput()
    await read
    if (host.isReal) {
      expect(said).toEqual({ stdout: 'typed\nthis\n', stderr: 'bad\n' })
      expect(await session.exitCode).toBe(3)
      const { pids, memoryBytes } = await driver.stats(handle)
      expect(pids.length).toBeGreaterThan(0)
      expect(memoryBytes).toBeGreaterThan(0)
    }
    session.end()
    await driver.clear(handle)
  })

  test('a shell in a terminal beside it ends with the code that it is told', TIMEOUT, async () => {
    const host = await open()
    if (!host.isReal || host.runsNothing !== undefined) return
    const driver = host.nextLife()
    const request = taskStart(host, host.running)
    const handle = await driver.start(request)
    const session = await driver.exec(handle, request, { command: ['/bin/sh', '-i'], terminal: { columns: 80, rows: 24 } })
    const read = (async () => {
      for await (const _ of session.output);
    })()
    await session.write(Buffer.from('exit 9\n'))
    await read
    expect(await session.exitCode).toBe(9)
    await driver.kill(handle)
    await driver.clear(handle)
  })
}
