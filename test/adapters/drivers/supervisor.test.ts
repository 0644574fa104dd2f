import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fromCheckedJson } from '../../../src/adapters/checked-json.js'
import { silentLogger } from '../../../src/adapters/logger.js'
import { SupervisorClient } from '../../../src/adapters/supervisor/client.js'
import { isShellQuiet } from '../../../src/adapters/supervisor/quiet-shell.js'
import { findTools } from '../../../src/adapters/supervisor/tools.js'
import { startScript } from '../../../src/adapters/supervisor/wrapper.js'
import { isAlive, SUPERVISOR_COMMAND, Supervised, until } from './supervised.js'

test('a run gives back its output and its exit code', async () => {
  const world = new Supervised()
  await world.start('echo out; echo err >&2; exit 7')
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 7, signal: 0 })
  expect(world.log('stdout')).toBe('out\n')
  expect(world.log('stderr')).toBe('err\n')
})

test('the environment of a task is what it was given and nothing else, whatever its names are', async () => {
  const world = new Supervised()
  await world.start('', {
    command: '/usr/bin/env',
    args: ['-0'],
    environment: { A: "it's", 'NOMAD_META_ink.colour': 'blue', LINES: 'one\ntwo', DOLLAR: '$HOME `id`' },
  })
  await world.client.ask('wait', { runId: 'run-1' })
  expect(world.log().split('\0').filter(Boolean).sort()).toEqual([
    "A=it's",
    'DOLLAR=$HOME `id`',
    'LINES=one\ntwo',
    'NOMAD_META_ink.colour=blue',
  ])
})

test('what a shell adds of its own reaches no task, whichever shell it is and whatever the task is given', async () => {
  const told = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', A: "it's" }
  const words = Object.entries(told).map(([name, value]) => `${name}=${value}`)
  const world = new Supervised()
  await world.start('', { command: '/usr/bin/env', args: ['-0'], environment: told })
  await world.client.ask('wait', { runId: 'run-1' })
  expect(world.log().split('\0').filter(Boolean).sort()).toEqual(words.sort())
})

test('a shell that leaves something in the environment of its programs is known by that', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-shell-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { sh, env } = findTools()
  const loud = join(folder, 'sh')
  writeFileSync(loud, `#!${sh}\nexport LEFT_BEHIND=1\n. /dev/stdin\n`, { mode: 0o755 })
  expect(await isShellQuiet({ sh: loud, env })).toBe(false)
  expect(await isShellQuiet({ sh: join(folder, 'none'), env })).toBe(false)
  const quiet = join(folder, 'quiet')
  writeFileSync(quiet, '#!/bin/sh\necho PATH=/drover/probe\n', { mode: 0o755 })
  expect(await isShellQuiet({ sh: quiet, env })).toBe(true)
})

test('variables that mean something to shells and to loaders reach a task as they are', async () => {
  const environment = {
    IFS: '/',
    OPTIND: 'no number',
    PPID: '1',
    UID: 'me',
    PWD: '/nowhere',
    _: 'last',
    SHLVL: '9',
    LINENO: 'x',
    LD_LIBRARY_PATH: '/nowhere',
    PS4: '$(id)',
    'not a name': 'x',
  }
  const world = new Supervised()
  await world.start('', { command: '/usr/bin/env', args: ['-0'], environment })
  await world.client.ask('wait', { runId: 'run-1' })
  const told = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  expect(world.log().split('\0').filter(Boolean).sort()).toEqual(told.sort())
})

test('an environment that no pipe holds at once reaches a task whole', async () => {
  const world = new Supervised()
  const environment = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`PART_${at}`, String(at).repeat(100_000)]))
  await world.start('echo "${#PART_0} ${#PART_9}"', { environment })
  await world.client.ask('wait', { runId: 'run-1' })
  expect(world.log()).toBe('100000 100000\n')
})

test('the environment of a task is in no file while it runs, and a supervisor that comes after needs none', async () => {
  const world = new Supervised()
  await world.start('[ "$SECRET" = canary-4e1d ] && echo same; exec sleep 600', {
    environment: { PATH: '/usr/bin:/bin', SECRET: 'canary-4e1d' },
  })
  await until(() => world.log() === 'same\n')
  const withSecret = () => spawnSync('grep', ['-rl', '--devices=skip', 'canary', world.folder], { encoding: 'utf8' }).stdout
  expect(withSecret()).toBe('')
  // As an earlier version left it.
  writeFileSync(join(world.folder, 'runs/run-1/command'), 'export SECRET=canary-4e1d')
  expect(withSecret()).not.toBe('')
  await world.killSupervisor()
  await until(async () => (await world.client.ask('find', { runId: 'run-1' })) !== null)
  expect(withSecret()).toBe('')
  await world.client.ask('signal', { runId: 'run-1', signal: 'SIGTERM' })
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ signal: 15 })
})

test.each([true, false].flatMap((isQuiet) => [-1, -2, -15, 10, 60, 100].map((bytes) => [bytes, isQuiet] as const)))(
  'a start whose last words are cut off after %i bytes has failed (a quiet shell: %s)',
  (bytes, isQuiet) => {
    const world = new Supervised()
    const start = world.request('echo started', { environment: { A: 'b'.repeat(200) } })
    const { status, stdout } = spawnSync('/bin/sh', ['-s'], {
      input: startScript(start, findTools(), isQuiet).trimEnd().slice(0, bytes),
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
    expect(status).not.toBe(0)
  },
)

test.each([
  ['zeroed', (text: string) => '\0'.repeat(text.length)],
  ['cut off', (text: string) => text.slice(0, text.length / 2)],
  ['flipped in a bit', (text: string) => text.replace('"run-1"', '"run-3"')],
  ['of something else', () => '[1, 2]'],
  ['nothing', () => 'null'],
])('what was written of one run and is %s ends that one, and leaves the others', async (_, damage) => {
  const world = new Supervised()
  const [lost, kept] = [await world.start('exec sleep 600'), await world.start('exec sleep 600')]
  const file = join(world.folder, 'runs/run-1/run.json')
  writeFileSync(file, damage(readFileSync(file, 'utf8')))
  await world.killSupervisor()
  await until(async () => (await world.client.ask('find', { runId: 'run-2' })) !== null)
  expect(await world.client.ask('find', { runId: 'run-1' })).toBeNull()
  await until(() => !isAlive(lost.pid))
  expect(isAlive(kept.pid)).toBe(true)
})

test('pids that were written and are damaged are found anew, and nothing is lost', async () => {
  const world = new Supervised()
  const { pid } = await world.start('trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done')
  await until(() => world.log().includes('ready\n'))
  const file = join(world.folder, 'runs/run-1/pids.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace(String(pid), String(pid + 1)))
  await world.killSupervisor()
  await until(() => world.log().includes('ready\n'))
  await world.client.ask('signal', { runId: 'run-1', signal: 'SIGTERM' })
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 3 })
})

test('arguments reach the task as they are', async () => {
  const world = new Supervised()
  const args = ['-c', 'printf "[%s]" "$@"', 'sh', 'a b', "it's", '$HOME', '', '*', 'x\ny']
  await world.start('', { args })
  await world.client.ask('wait', { runId: 'run-1' })
  expect(world.log()).toBe("[a b][it's][$HOME][][*][x\ny]")
})

test('an interrupt reaches the task, which is not started deaf to it', async () => {
  const world = new Supervised()
  await world.start('trap "echo bye; exit 3" INT; echo ready; while :; do sleep 0.05; done')
  await until(() => world.log() === 'ready\n')
  await world.client.ask('signal', { runId: 'run-1', signal: 'SIGINT' })
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 3 })
  expect(world.log()).toBe('ready\nbye\n')
})

test('a task that dies of a signal says which', async () => {
  const world = new Supervised()
  await world.start('kill -TERM $$; sleep 60')
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 143, signal: 15 })
})

test('a kill ends whatever the task has started, also what has left its session', async () => {
  const world = new Supervised()
  const info = await world.start('sleep 600 & setsid sleep 600 & wait')
  await until(async () => (await world.client.ask('pids', { runId: 'run-1' })).length >= 3)
  const pids = await world.client.ask('pids', { runId: 'run-1' })
  expect(pids).toContain(info.pid)
  await world.client.ask('kill', { runId: 'run-1' })
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 137, signal: 9 })
  await until(() => !pids.some(isAlive))
})

test('what a task leaves behind when it ends does not run on', async () => {
  const world = new Supervised()
  await world.start('sleep 600 & echo $!; exit 0')
  await world.client.ask('wait', { runId: 'run-1' })
  const left = Number(world.log().trim())
  await until(() => !isAlive(left))
})

test('asking twice for the same start gives one task', async () => {
  const world = new Supervised()
  const request = world.request('sleep 600')
  const [first, second] = await Promise.all([world.client.ask('start', request), world.client.ask('start', request)])
  expect(second).toEqual(first)
  expect(await world.client.ask('start', request)).toEqual(first)
})

test('a task survives kill -9 of its agent and is the same process afterwards', async () => {
  const world = new Supervised()
  const info = await world.start('trap "exit 4" INT; echo ready; while :; do sleep 0.05; done')
  await until(() => world.log() === 'ready\n')
  world.reconnect()
  expect(await world.client.ask('find', { runId: 'run-1' })).toEqual(info)
  expect(world.client.startCount).toBe(0)
  await world.client.ask('signal', { runId: 'run-1', signal: 'SIGINT' })
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 4 })
})

test('a task survives kill -9 of its supervisor, and no line of its output is lost', async () => {
  const world = new Supervised()
  const info = await world.start('n=0; while [ $n -lt 400 ]; do n=$((n+1)); echo "line $n"; sleep 0.005; done; exit 5')
  await until(() => world.log().includes('line 20\n'))
  await world.killSupervisor()
  expect(isAlive(info.pid)).toBe(true)
  expect(await world.client.ask('find', { runId: 'run-1' })).toEqual(info)
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 5 })
  expect(world.log().split('\n').filter(Boolean)).toEqual(Array.from({ length: 400 }, (_, at) => `line ${at + 1}`))
})

test('a supervisor that is killed while a task talks as fast as it can loses and doubles nothing', async () => {
  const world = new Supervised()
  const logs = join(world.folder, 'logs')
  await world.client.ask('list', {})
  let supervisorPid = world.supervisorPid()
  await world.start('seq 1 20000000', {
    logs: { folder: logs, task: 'main', filesMax: 1_000, fileBytesMax: 1024 * 1024, isDisabled: false },
  })
  for (const megabytes of [5, 30, 60]) {
    await until(() => existsSync(join(logs, `main.stdout.${megabytes}`)))
    process.kill(supervisorPid, 'SIGKILL')
    await world.client.ask('list', {}).catch(() => world.client.ask('list', {}))
    supervisorPid = world.supervisorPid()
  }
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 0 })
  const said = spawnSync('/bin/sh', ['-c', 'seq 1 20000000 | sha256sum'], { encoding: 'utf8' }).stdout
  const kept = spawnSync('/bin/sh', ['-c', `ls -v ${logs}/main.stdout.* | xargs cat | sha256sum`], { encoding: 'utf8' }).stdout
  expect(kept).toBe(said)
})

test('a task that ends while there is no supervisor keeps its last words and its exit code', async () => {
  const world = new Supervised()
  const go = join(world.folder, 'go')
  const info = await world.start(`while [ ! -e ${go} ]; do sleep 0.02; done; echo last words; exit 6`)
  world.client.close()
  process.kill(world.supervisorPid(), 'SIGKILL')
  writeFileSync(go, '')
  await until(() => !isAlive(info.pid))
  world.reconnect()
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 6 })
  expect(world.log()).toBe('last words\n')
})

test('a full pipe makes a task wait for a reader and does not kill it', async () => {
  const world = new Supervised()
  const go = join(world.folder, 'go')
  await world.start(`while [ ! -e ${go} ]; do sleep 0.02; done; head -c 300000 /dev/zero | tr "\\0" x; echo; exit 0`, {
    logs: { folder: join(world.folder, 'logs'), task: 'main', filesMax: 3, fileBytesMax: 1024 * 1024, isDisabled: false },
  })
  await world.killSupervisor()
  writeFileSync(go, '')
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: 0 })
  expect(world.log()).toHaveLength(300_001)
})

test('a wrapper that is killed leaves its task running, whose end is then known without its code', async () => {
  const world = new Supervised()
  const info = await world.start('while :; do sleep 0.05; done')
  const pids = fromCheckedJson(readFileSync(join(world.folder, 'runs/run-1/pids.json'), 'utf8')) as { wrapperPid: number }
  process.kill(pids.wrapperPid, 'SIGKILL')
  await until(() => !isAlive(pids.wrapperPid))
  expect(isAlive(info.pid)).toBe(true)
  await world.client.ask('kill', { runId: 'run-1' })
  expect(await world.client.ask('wait', { runId: 'run-1' })).toMatchObject({ exitCode: -1, error: 'killed together with its wrapper' })
})

test('logs are cut into files at the ends of lines, and only the newest files are kept', async () => {
  const world = new Supervised()
  await world.start('n=0; while [ $n -lt 100 ]; do n=$((n+1)); echo "0123456789 $n"; done', {
    logs: { folder: join(world.folder, 'logs'), task: 'main', filesMax: 2, fileBytesMax: 300, isDisabled: false },
  })
  await world.client.ask('wait', { runId: 'run-1' })
  const lines = world.log().split('\n')
  expect(lines.at(-2)).toBe('0123456789 100')
  expect(lines.filter(Boolean).every((line) => /^0123456789 \d+$/.test(line))).toBe(true)
  expect(existsSync(join(world.folder, 'logs/main.stdout.0'))).toBe(false)
  expect(world.log().length).toBeLessThanOrEqual(600)
})

test('a destroyed run leaves neither process nor folder', async () => {
  const world = new Supervised()
  const info = await world.start('sleep 600')
  await world.client.ask('destroy', { runId: 'run-1' })
  await until(() => !isAlive(info.pid))
  expect(existsSync(join(world.folder, 'runs/run-1'))).toBe(false)
  expect(await world.client.ask('find', { runId: 'run-1' })).toBeNull()
})

test('many runs that live are destroyed at once', async () => {
  const world = new Supervised()
  const infos = await Promise.all(Array.from({ length: 30 }, () => world.start('sleep 600')))
  await Promise.all(infos.map(({ runId }) => world.client.ask('destroy', { runId })))
  await until(() => !infos.some(({ pid }) => isAlive(pid)))
  expect(readdirSync(join(world.folder, 'runs'))).toEqual([])
})

test('a supervisor whose folder has a long path is reached all the same', async () => {
  const world = new Supervised()
  const folder = join(world.folder, 'x'.repeat(120))
  mkdirSync(folder)
  const client = new SupervisorClient({ folder, command: SUPERVISOR_COMMAND, logger: silentLogger })
  expect(await client.ask('retire', {})).toEqual({ isRetiring: true })
  client.close()
})
