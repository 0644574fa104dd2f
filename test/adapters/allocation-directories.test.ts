import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DiskAllocationDirectories, DiskAllocationFiles } from '../../src/adapters/allocation-directories/index.js'
import { silentLogger } from '../../src/adapters/logger.js'
import type { Driver } from '../../src/agent/index.js'
import type { Allocation, Task } from '../../src/domain/index.js'
import { OrchestratorError } from '../../src/domain/index.js'
import { whyNoSmallDisk } from '../small-disk.js'

const ID = 'a0000000-0000-4000-8000-000000000001'
const isRoot = process.getuid?.() === 0
const mayMount = isRoot && whyNoSmallDisk() === undefined

class World {
  readonly root = join(mkdtempSync(join(tmpdir(), 'drover-folders-')), 'alloc')
  readonly directories = new DiskAllocationDirectories(this.root, silentLogger)
  readonly files = new DiskAllocationFiles(this.root)

  constructor() {
    chmodSync(join(this.root, '..'), 0o755)
    onTestFinished(async () => {
      await this.directories.remove(ID)
      rmSync(join(this.root, '..'), { recursive: true, force: true, maxRetries: 5 })
    })
  }

  create(user = '', isolation: Driver['isolation'] = 'none'): Promise<void> {
    return this.directories.create({ ID } as Allocation, [{ Name: 'web', User: user } as Task], () => isolation)
  }

  path(...parts: string[]): string {
    return join(this.root, ID, ...parts)
  }

  mode(...parts: string[]): string {
    return (lstatSync(this.path(...parts)).mode & 0o7777).toString(8).padStart(4, '0')
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof OrchestratorError ? error.code : String(error)
  }
}

function asNobody(script: string): string {
  return execFileSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', '/bin/sh', '-c', `(${script}) 2>&1 || true`], {
    encoding: 'utf8',
  })
}

test('the folders of an allocation have the modes that they are documented with, whatever the process masks out', async () => {
  const masked = process.umask(0o077)
  onTestFinished(() => void process.umask(masked))
  const world = new World()
  await world.create()
  expect(
    Object.fromEntries(
      ['.', 'alloc', 'alloc/data', 'alloc/logs', 'alloc/tmp', 'web', 'web/local', 'web/secrets', 'web/tmp'].map((path) => [
        path,
        world.mode(path),
      ]),
    ),
  ).toEqual({
    '.': '0755',
    alloc: '1777',
    'alloc/data': '0777',
    'alloc/logs': '0755',
    'alloc/tmp': '0777',
    web: '0777',
    'web/local': '0777',
    'web/secrets': '0700',
    'web/tmp': '1777',
  })
})

test.runIf(isRoot)('another user may write to every folder of its task but that of the logs, which it cannot replace either', async () => {
  const world = new World()
  await world.create('nobody')
  for (const folder of ['alloc/data', 'alloc/tmp', 'web', 'web/local', 'web/secrets', 'web/tmp'])
    expect(asNobody(`echo mine > ${world.path(folder, 'file')} && cat ${world.path(folder, 'file')}`)).toBe('mine\n')
  writeFileSync(world.path('alloc/logs/web.stdout.0'), 'said\n', { mode: 0o644 })
  expect(asNobody(`cat ${world.path('alloc/logs/web.stdout.0')}`)).toBe('said\n')
  expect(asNobody(`ln -s /etc ${world.path('alloc/logs/web.stdout.1')}`)).toContain('Permission denied')
  expect(asNobody(`mv ${world.path('alloc/logs')} ${world.path('alloc/mine')}`)).toContain('cannot move')
  expect(asNobody(`mv ${world.path('alloc')} ${world.path('mine')}`)).toContain('Permission denied')
})

test.runIf(isRoot)('secrets are readable by the user of their task alone', async () => {
  const world = new World()
  await world.create('nobody')
  writeFileSync(world.path('web/secrets/key'), 'k\n', { mode: 0o644 })
  expect(statSync(world.path('web/secrets'))).toMatchObject({ uid: 65_534, gid: 65_534 })
  expect(asNobody(`cat ${world.path('web/secrets/key')}`)).toBe('k\n')
  const other = new World()
  await other.create()
  writeFileSync(other.path('web/secrets/key'), 'k\n', { mode: 0o644 })
  expect(asNobody(`cat ${other.path('web/secrets/key')}`)).toContain('Permission denied')
})

test.runIf(isRoot)('a task with a root of its own finds its folders open in there, and nobody else does on the host', async () => {
  const world = new World()
  await world.create('', 'image')
  expect([statSync(world.path('web')).uid, world.mode('web'), world.mode('web/secrets')]).toEqual([0, '0700', '0777'])
  writeFileSync(world.path('web/secrets/key'), 'k\n', { mode: 0o644 })
  expect(asNobody(`cat ${world.path('web/secrets/key')}`)).toContain('Permission denied')
})

test.runIf(mayMount)('secrets are in memory, are kept when the folders are made again, and go with the allocation', async () => {
  const world = new World()
  await world.create()
  const isMounted = () => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${world.path('web/secrets')} `)
  expect(isMounted()).toBe(true)
  writeFileSync(world.path('web/secrets/key'), 'k')
  await new DiskAllocationDirectories(world.root, silentLogger).create(
    { ID } as Allocation,
    [{ Name: 'web', User: '' } as Task],
    () => 'none',
  )
  expect(readFileSync(world.path('web/secrets/key'), 'utf8')).toBe('k')
  await world.directories.forgetSecrets(ID)
  expect([isMounted(), existsSync(world.path('web/secrets/key'))]).toEqual([false, false])
  await world.create()
  await world.directories.remove(ID)
  expect([isMounted(), existsSync(world.path())]).toEqual([false, false])
})

test('a link that a task left in the place of a folder is not followed when the folders are made again', async () => {
  const world = new World()
  await world.create()
  const outside = mkdtempSync(join(tmpdir(), 'drover-outside-'))
  onTestFinished(() => rmSync(outside, { recursive: true }))
  chmodSync(outside, 0o700)
  renameSync(world.path('web/local'), world.path('web/away'))
  symlinkSync(outside, world.path('web/local'))
  expect(await codeOf(world.create())).toBe('NOT_A_FOLDER')
  expect(statSync(outside).mode & 0o777).toBe(0o700)
})

test('what an allocation has kept is handed on once, and a link in its place is not', async () => {
  const world = new World()
  const HEIR = 'a0000000-0000-4000-8000-000000000002'
  onTestFinished(() => world.directories.remove(HEIR))
  const tasks = [{ Name: 'web', User: '' } as Task, { Name: 'sly', User: '' } as Task]
  await world.directories.create({ ID } as Allocation, tasks, () => 'none')
  writeFileSync(join(world.root, ID, 'alloc', 'data', 'kept'), 'x')
  writeFileSync(join(world.root, ID, 'web', 'local', 'note'), 'y')
  rmSync(join(world.root, ID, 'sly', 'local'), { recursive: true })
  symlinkSync('/etc', join(world.root, ID, 'sly', 'local'))
  await world.directories.inherit(ID, HEIR, tasks)
  await world.directories.create({ ID: HEIR } as Allocation, tasks, () => 'none')
  expect(readFileSync(join(world.root, HEIR, 'alloc', 'data', 'kept'), 'utf8')).toBe('x')
  expect(readFileSync(join(world.root, HEIR, 'web', 'local', 'note'), 'utf8')).toBe('y')
  expect(lstatSync(join(world.root, HEIR, 'sly', 'local')).isDirectory()).toBe(true)
  expect(existsSync(join(world.root, HEIR, 'sly', 'local', 'hostname'))).toBe(false)

  // As after a crash in between: nothing of the heir is replaced.
  mkdirSync(join(world.root, ID, 'alloc', 'data'))
  await world.directories.inherit(ID, HEIR, tasks)
  expect(readFileSync(join(world.root, HEIR, 'alloc', 'data', 'kept'), 'utf8')).toBe('x')
})

test('reading refuses secrets by whatever way they are reached, and lists them', async () => {
  const world = new World()
  await world.create()
  mkdirSync(world.path('web/secrets/deep'))
  writeFileSync(world.path('web/secrets/deep/key'), 'k')
  symlinkSync('../secrets/deep/key', world.path('web/local/link'))
  symlinkSync('../web/secrets', world.path('alloc/folder'))
  for (const path of ['web/secrets/deep/key', '/web/local/../secrets/deep/key', 'web/local/link', 'alloc/folder/deep/key'])
    expect(await codeOf(world.files.read(ID, path, 0, 10)), path).toBe('SECRET_FILE')
  expect((await world.files.list(ID, 'web/secrets')).map(({ name }) => name)).toEqual(['deep'])
  // The shared folder is nobody's in particular, and so is a folder below one's own.
  for (const path of ['alloc/data/secrets', 'web/local/secrets']) {
    mkdirSync(world.path(path))
    writeFileSync(world.path(path, 'file'), 'f')
    expect(Buffer.from(await world.files.read(ID, `${path}/file`, 0, 10)).toString()).toBe('f')
  }
})

test('only regular files are read, and a pipe that nobody writes holds up nothing', async () => {
  const world = new World()
  await world.create()
  execFileSync('mkfifo', [world.path('web/local/pipe')])
  symlinkSync('pipe', world.path('web/local/link'))
  for (let times = 0; times < 8; times++)
    for (const name of ['pipe', 'link']) expect(await codeOf(world.files.read(ID, `web/local/${name}`, 0, 10))).toBe('NOT_A_FILE')
  expect((await world.files.list(ID, 'web/local')).map(({ mode }) => mode[0])).toEqual(['L', 'p'])
  expect(await codeOf(world.files.read(ID, 'web/local', 0, 10))).toBe('NOT_A_FILE')
})

test('what leads out of the allocation is refused by every question', async () => {
  const world = new World()
  await world.create()
  symlinkSync('/etc', world.path('web/local/etc'))
  symlinkSync('/etc/passwd', world.path('web/local/passwd'))
  symlinkSync('nowhere', world.path('web/local/nowhere'))
  for (const path of ['../x', 'web/local/etc', 'web/local/etc/passwd', 'web/local/passwd'])
    expect([
      await codeOf(world.files.stat(ID, path)),
      await codeOf(world.files.list(ID, path)),
      await codeOf(world.files.read(ID, path, 0, 1)),
    ]).toEqual(['PATH_ESCAPES', 'PATH_ESCAPES', 'PATH_ESCAPES'])
  expect(await codeOf(world.files.stat(ID, 'web/local/nowhere'))).toBe('NO_SUCH_FILE')
})

test('a link that turns while it is read never gives away what is outside', async () => {
  const world = new World()
  await world.create()
  const outside = join(world.root, '..', 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'file'), 'outside')
  mkdirSync(world.path('web/local/inside'))
  writeFileSync(world.path('web/local/inside/file'), 'inside')
  const turning = spawn(
    '/bin/sh',
    ['-c', `cd ${world.path('web/local')}; while :; do ln -sfn inside turn; ln -sfn ${outside} turn; done`],
    { stdio: 'ignore' },
  )
  onTestFinished(async () => {
    turning.kill('SIGKILL')
    await once(turning, 'exit')
  })
  const seen = new Map<string, number>()
  for (let times = 0; times < 100_000 && (seen.get('inside') ?? 0) < 50; times++) {
    const text = await world.files.read(ID, 'web/local/turn/file', 0, 10).then(
      (data) => Buffer.from(data).toString(),
      (error: OrchestratorError) => error.code,
    )
    seen.set(text, (seen.get(text) ?? 0) + 1)
  }
  expect(seen.get('inside')).toBeGreaterThan(0)
  expect(seen.has('outside')).toBe(false)
})

test('a folder is watched until that is over', async () => {
  const world = new World()
  await world.create()
  let changes = 0
  const stop = world.files.watch(ID, 'web/local', () => changes++)
  onTestFinished(stop)
  for (let number = 0; changes === 0; number++) {
    writeFileSync(world.path('web/local', `file-${number}`), '')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(changes).toBeGreaterThan(0)
})
