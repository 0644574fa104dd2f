import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DiskAllocationFiles } from '../../src/adapters/allocation-directories/index.js'
import { systemClock } from '../../src/adapters/clock.js'
import { LogWriter } from '../../src/adapters/supervisor/log-writer.js'
import { type FileSource, streamFile, streamLogs } from '../../src/agent/file-stream.js'
import type { LogsRequest } from '../../src/agent/index.js'

const ALLOCATION = 'a1'
const NOON = Date.UTC(2026, 10, 30, 12)

let root: string
let logs: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-logs-'))
  logs = join(root, ALLOCATION, 'alloc', 'logs')
  mkdirSync(logs, { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** `12.5 text`: what was written how many seconds after noon, a file for every 20 bytes. */
function write(...lines: readonly (readonly [seconds: number, text: string])[]): void {
  const writer = new LogWriter(logs, 'main.stdout', 10, 20)
  for (const [seconds, text] of lines) writer.write(Buffer.from(text), NOON + seconds * 1_000)
  writer.close()
}

function source(): FileSource {
  return { files: new DiskAllocationFiles(root), clock: systemClock, allocationId: ALLOCATION, isOver: () => true }
}

async function read(request: Partial<LogsRequest>): Promise<readonly string[]> {
  const whole: LogsRequest = {
    allocationId: ALLOCATION,
    task: 'main',
    type: 'stdout',
    origin: 'start',
    offsetBytes: 0,
    follow: false,
    ...request,
  }
  const parts: string[] = []
  for await (const { data, atMs } of streamLogs(source(), whole, new AbortController().signal))
    parts.push(`${atMs === undefined ? '' : `${(atMs - NOON) / 1_000} `}${Buffer.from(data).toString()}`)
  return parts
}

test.each([
  [-60, ['first\n', 'second and long\n', 'third\n', 'fourth\n']],
  [0.9, ['first\n', 'second and long\n', 'third\n', 'fourth\n']],
  [1.5, ['second and long\n', 'third\n', 'fourth\n']],
  [11, ['third\n', 'fourth\n']],
  [70, []],
])('what was written since %f s is read from there on, over several files', async (seconds, expected) => {
  write([0, 'first\n'], [10, 'second and long\n'], [20, 'third\n'], [60, 'fourth\n'])
  expect((await read({ sinceMs: NOON + seconds * 1_000 })).join('')).toBe(expected.join(''))
})

test.each([
  ['start', 0, 'abcdef'],
  ['start', 4, 'ef'],
  ['start', 9, ''],
  ['start', -2, 'ef'],
  ['start', -9, 'abcdef'],
  ['end', 2, 'ef'],
  ['end', 9, 'abcdef'],
  ['end', 0, ''],
  ['end', -4, 'ef'],
] as const)('from %s at %i', async (origin, offsetBytes, expected) => {
  write([0, 'abcdef'])
  expect((await read({ origin, offsetBytes })).join('')).toBe(expected)
})

test('there is nothing before the start of a file', async () => {
  write([0, 'abcdef'])
  const request = {
    allocationId: ALLOCATION,
    path: 'alloc/logs/main.stdout.0',
    origin: 'start',
    offsetBytes: -2,
    limitBytes: 0,
    follow: false,
  } as const
  await expect(streamFile(source(), request, new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'BAD_OFFSET',
  })
})

test('pieces end where another time begins', async () => {
  write([0, 'a\n'], [0.4, 'b\n'], [5, 'c\n'], [9, 'd\n'])
  expect(await read({ withTimes: true })).toEqual(['0 a\nb\n', '5 c\n', '9 d\n'])
})

test('a clock that is set back begins another span, and the order of the log stays', async () => {
  write([100, 'a\n'], [50, 'b\n'], [51.5, 'c\n'])
  expect(await read({ withTimes: true })).toEqual(['100 a\n', '50 b\n', '51.5 c\n'])
})

test('of a log whose times nobody wrote down it is said so', async () => {
  writeFileSync(join(logs, 'main.stdout.0'), 'old\n')
  await expect(read({ sinceMs: NOON })).rejects.toMatchObject({ code: 'NO_LOG_TIMES' })
  expect(await read({ withTimes: true })).toEqual(['old\n'])
})

test('where nothing was ever written there is nothing to be said', async () => {
  expect(await read({ sinceMs: NOON })).toEqual([])
})
