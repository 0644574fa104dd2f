import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawExecDriver } from '../../../src/adapters/drivers/raw-exec/index.js'
import { LogWriter } from '../../../src/adapters/supervisor/log-writer.js'
import type { TaskStart } from '../../../src/agent/index.js'
import { SUPERVISOR_COMMAND, Supervised, until } from './supervised.js'

test('no descriptor beyond the first three reaches a task, also when the supervisor was handed some', async () => {
  const world = new Supervised()
  const secret = join(world.folder, 'secret')
  writeFileSync(secret, 'not for tasks')
  const handed = openSync(secret, 'r+')
  const [program, ...words] = SUPERVISOR_COMMAND
  spawn(program!, [...words, world.folder], { detached: true, stdio: ['ignore', 'ignore', 'ignore', handed, handed, handed] }).unref()
  closeSync(handed)
  // It keeps wrappers ready once it can be reached.
  await until(() => existsSync(join(world.folder, 'ready')))
  await world.start('for fd in /proc/self/fd/*; do echo "${fd##*/} $(readlink "$fd")"; done; umask')
  await world.client.ask('wait', { runId: 'run-1' })
  expect(world.client.startCount).toBe(0)
  const lines = world.log().trim().split('\n')
  expect(lines.pop()).toBe('0022')
  // The listing itself is open, too, and is gone when its name is looked at.
  const open = lines.filter((line) => line.split(' ')[1] !== '')
  expect(open.map((line) => line.split(' ')[0])).toEqual(['0', '1', '2'])
  expect(world.log()).not.toContain('secret')
})

test('what a supervisor writes is for its owner alone, and the logs of tasks are for all', async () => {
  const world = new Supervised()
  await world.start('echo said')
  await world.client.ask('wait', { runId: 'run-1' })
  const find = ['(', '-type', 'f', '-o', '-type', 'd', '-o', '-type', 'p', ')', '-perm', '/077', '-printf', '%P %m\n']
  const found = execFileSync('find', [world.folder, '-mindepth', '1', ...find], { encoding: 'utf8' })
  expect(found.trim().split('\n').sort()).toEqual(['logs/.main.stdout.times 644', 'logs/main.stdout.0 644'])
})

test.runIf(process.getuid?.() === 0)('a user who cannot reach the folders of its task is told which folder is in the way', async () => {
  const world = new Supervised()
  const driver = new RawExecDriver(world.client, { PATH: '/usr/bin:/bin' })
  const folder = join(world.folder, 'task')
  mkdirSync(folder)
  const directories = { task: folder, local: folder, secrets: folder, shared: folder, logs: join(world.folder, 'logs') }
  const request = (attempt: number): TaskStart => ({
    allocation: { ID: 'a1' } as TaskStart['allocation'],
    job: {} as TaskStart['job'],
    task: { Name: 'web', User: 'nobody', LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1, Disabled: false } } as TaskStart['task'],
    attempt,
    environment: {},
    config: { command: '/bin/sh', args: ['-c', `cd ${folder} && id -u`] },
    resources: {} as TaskStart['resources'],
    directories,
    mounts: [],
    devices: [],
    network: { kind: 'host' },
    tell: () => {},
    signal: new AbortController().signal,
  })
  await expect(driver.start(request(1))).rejects.toThrow(`${world.folder} lets nobody through; chmod o+x ${world.folder}`)
  chmodSync(world.folder, 0o711)
  const handle = await driver.start(request(2))
  expect(await driver.wait(handle)).toMatchObject({ exitCode: 0 })
  expect(world.log('stdout', 'web')).toBe('65534\n')
  await driver.clear(handle)
})

describe('log files', () => {
  function folderOf(): string {
    const folder = mkdtempSync(join(tmpdir(), 'drover-logs-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    return folder
  }

  /** The first file is there when the task does what it likes; two more follow. */
  function fill(folder: string, meanwhile: () => void): void {
    const writer = new LogWriter(join(folder, 'logs'), 'web.stdout', 3, 8)
    writer.write(Buffer.from('one\ntwo\n'))
    meanwhile()
    for (const line of ['three\n', 'four\n']) writer.write(Buffer.from(line))
    writer.close()
  }

  test('are never written through a link', () => {
    const folder = folderOf()
    writeFileSync(join(folder, 'of-root'), 'untouched')
    fill(folder, () => symlinkSync(join(folder, 'of-root'), join(folder, 'logs/web.stdout.1')))
    expect(readFileSync(join(folder, 'of-root'), 'utf8')).toBe('untouched')
    expect(readFileSync(join(folder, 'logs/web.stdout.1'), 'utf8')).toBe('three\n')
  })

  test('take the place of a pipe and of a second name of another file', () => {
    const folder = folderOf()
    writeFileSync(join(folder, 'other'), 'untouched')
    fill(folder, () => {
      execFileSync('mkfifo', [join(folder, 'logs/web.stdout.1')])
      execFileSync('ln', [join(folder, 'other'), join(folder, 'logs/web.stdout.2')])
    })
    expect(readFileSync(join(folder, 'logs/web.stdout.1'), 'utf8')).toBe('three\n')
    expect(readFileSync(join(folder, 'logs/web.stdout.2'), 'utf8')).toBe('four\n')
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('untouched')
  })

  test('are not written below a link in the place of their folder', () => {
    const folder = folderOf()
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync('elsewhere', join(folder, 'logs'))
    expect(() => fill(folder, () => {})).toThrow()
    expect(existsSync(join(folder, 'elsewhere/web.stdout.0'))).toBe(false)
  })
})
