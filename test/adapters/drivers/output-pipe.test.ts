import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { LogWriter } from '../../../src/adapters/supervisor/log-writer.js'
import { OutputPipe } from '../../../src/adapters/supervisor/output-pipe.js'
import { PipeWatch } from '../../../src/adapters/supervisor/pipe-watch.js'
import { until } from './supervised.js'

let folder: string
let pipe: OutputPipe
/** The task's side. */
let said: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-pipe-'))
  execFileSync('mkfifo', [join(folder, 'out')])
  pipe = new OutputPipe(join(folder, 'out'))
  said = openSync(join(folder, 'out'), constants.O_WRONLY | constants.O_NONBLOCK)
})
afterEach(() => {
  pipe.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The log's files in order. */
function filesOf(log: string): readonly string[] {
  const numberOf = (name: string) => Number(name.slice(log.length + 1))
  const names = readdirSync(folder).filter((name) => name.startsWith(`${log}.`))
  return names.sort((a, b) => numberOf(a) - numberOf(b)).map((name) => readFileSync(join(folder, name), 'utf8'))
}

test('what was looked at stays, and goes into a file at its place', () => {
  writeSync(said, 'one two')
  expect([pipe.peek().toString(), pipe.peek().toString()]).toEqual(['one two', 'one two'])
  const file = openSync(join(folder, 'file'), 'w')
  expect([pipe.move(file, 2, 4), pipe.peek().toString(), pipe.move(file, 6, 100), pipe.move(file, 9, 100)]).toEqual([4, 'two', 3, 0])
  closeSync(file)
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('\0\0one two')
})

test('what goes to nobody leaves room for more', () => {
  writeSync(said, 'x'.repeat(60_000))
  expect([pipe.discard(10), pipe.discard(), pipe.discard()]).toEqual([10, 59_990, 0])
})

test('a file into which nothing can be moved is written to', () => {
  writeSync(said, 'one two')
  // The kernel moves nothing into a file that was opened for appending.
  const file = openSync(join(folder, 'file'), 'a')
  expect([pipe.move(file, 0, 4), pipe.move(file, 4, 100), pipe.move(file, 7, 100)]).toEqual([4, 3, 0])
  closeSync(file)
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('one two')
})

test('a file that cannot grow says so, and what comes stays in the pipe', () => {
  writeSync(said, 'one')
  const file = openSync('/dev/full', 'w')
  expect(() => pipe.move(file, 0, 100)).toThrow('ENOSPC')
  closeSync(file)
  expect(pipe.peek().toString()).toBe('one')
})

test('files are begun at the ends of lines, however the pipe is emptied', () => {
  const log = new LogWriter(folder, 'main.stdout', 100, 100_000)
  const lines = Array.from({ length: 40_000 }, (_, at) => `line ${at}\n`)
  for (let at = 0; at < lines.length; at += 1_000) {
    writeSync(said, lines.slice(at, at + 1_000).join(''))
    while (log.take(pipe) > 0);
  }
  log.close()
  const files = filesOf('main.stdout')
  expect(files.join('')).toBe(lines.join(''))
  expect(files.length).toBe(5)
  for (const file of files) expect([file.endsWith('\n'), file.length <= 100_000]).toEqual([true, true])
})

test('a line longer than a file is cut', () => {
  const log = new LogWriter(folder, 'main.stdout', 100, 8)
  writeSync(said, 'ab\nabcdefghijklmnopqrst\nxyz\n')
  while (log.take(pipe) > 0);
  log.close()
  expect(filesOf('main.stdout')).toEqual(['ab\n', 'abcdefgh', 'ijklmnop', 'qrst\n', 'xyz\n'])
})

test('of a stream that says nothing there is no file', () => {
  const log = new LogWriter(folder, 'main.stdout', 100, 8)
  expect(log.take(pipe)).toBe(0)
  expect(filesOf('main.stdout')).toEqual([])
})

test('a log that somebody empties goes on at its beginning', () => {
  const log = new LogWriter(folder, 'main.stdout', 100, 1_000_000)
  writeSync(said, 'before\n')
  log.take(pipe)
  truncateSync(join(folder, 'main.stdout.0'))
  writeSync(said, 'after\n')
  log.take(pipe)
  log.close()
  expect(filesOf('main.stdout')).toEqual(['after\n'])
})

test('a watch tells of what is there, and is not kept busy by a pipe that nobody can write to any more', async () => {
  const watch = new PipeWatch()
  onTestFinished(() => watch.close())
  let calls = 0
  let got = ''
  watch.add(pipe.fd, () => {
    calls++
    got += pipe.peek().toString()
    return pipe.discard()
  })
  writeSync(said, 'one')
  await until(() => got === 'one')
  writeSync(said, ' two')
  await until(() => got === 'one two')
  closeSync(said)
  await until(() => calls >= 3)
  const before = calls
  // The thread has gone round at least once more when this is told.
  let isTold = false
  execFileSync('mkfifo', [join(folder, 'next')])
  const next = new OutputPipe(join(folder, 'next'))
  onTestFinished(() => next.close())
  watch.add(next.fd, () => {
    isTold = true
    return next.discard()
  })
  writeSync(openSync(join(folder, 'next'), constants.O_WRONLY | constants.O_NONBLOCK), 'x')
  await until(() => isTold)
  expect(calls).toBe(before)
})

test.each([
  ['told to', 'process.exit(3)', 3],
  ['it must', 'throw new Error("no more")', 1],
])('a process that watches ends when %s', (_, how, code) => {
  const source = `
    const { OutputPipe } = await import(${JSON.stringify(new URL('../../../src/adapters/supervisor/output-pipe.ts', import.meta.url).href)})
    const { PipeWatch } = await import(${JSON.stringify(new URL('../../../src/adapters/supervisor/pipe-watch.ts', import.meta.url).href)})
    const pipe = new OutputPipe(${JSON.stringify(join(folder, 'out'))})
    new PipeWatch().add(pipe.fd, () => pipe.discard())
    setTimeout(() => { ${how} }, 100)`
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], { timeout: 50_000 })
  expect(status).toBe(code)
})
