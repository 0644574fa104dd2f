import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LogTimes, readLogSpans } from '../../../src/adapters/supervisor/log-times.js'
import { LogWriter } from '../../../src/adapters/supervisor/log-writer.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-times-'))
  path = join(folder, '.main.stdout.times')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const spans = () => readLogSpans(readFileSync(path, 'utf8'))

test('a second is one span, however often something is written in it', () => {
  const log = new LogWriter(folder, 'main.stdout', 3, 1_000)
  for (const atMs of [1_000, 1_200, 1_999, 2_000, 7_000]) log.write(Buffer.from('x\n'), atMs)
  log.close()
  expect(spans()).toEqual([
    { number: 0, offsetBytes: 0, fromMs: 1_000, untilMs: 2_000 },
    { number: 0, offsetBytes: 6, fromMs: 2_000, untilMs: 3_000 },
    { number: 0, offsetBytes: 8, fromMs: 7_000, untilMs: 8_000 },
  ])
})

test('the file stays small: what is gone is forgotten, and what is old told less exactly', () => {
  const times = new LogTimes('main.stdout', 2_000)
  for (let second = 0; second < 1_000; second++) {
    const number = Math.floor(second / 100)
    times.note(folder, { number, offsetBytes: (second % 100) * 10 }, second * 1_000, number - 2)
    expect(statSync(path).size).toBeLessThanOrEqual(2_000)
  }
  const kept = spans()
  expect(kept.at(-1)).toEqual({ number: 9, offsetBytes: 990, fromMs: 999_000, untilMs: 1_000_000 })
  expect(kept.every(({ number }) => number >= 6)).toBe(true)
  for (const [at, span] of kept.entries()) expect(span.untilMs).toBeGreaterThanOrEqual(kept[at + 1]?.fromMs ?? 0)
})

test('lines that are no spans are passed over', () => {
  expect(readLogSpans('0 0 1 2\nnonsense\n0 5 3\n1 0 x 9\n0 7 5 6\n0 9 7')).toEqual([
    { number: 0, offsetBytes: 0, fromMs: 1, untilMs: 2 },
    { number: 0, offsetBytes: 7, fromMs: 5, untilMs: 6 },
  ])
})

test('a link in its place is not followed', () => {
  const other = join(folder, 'other')
  writeFileSync(other, 'precious')
  symlinkSync(other, path)
  const log = new LogWriter(folder, 'main.stdout', 3, 1_000)
  log.write(Buffer.from('x\n'), 1_000)
  log.close()
  expect([readFileSync(other, 'utf8'), spans().length]).toEqual(['precious', 1])
})

test('where it cannot be written, what is said is in the log all the same', () => {
  const log = new LogWriter(folder, 'main.stdout', 3, 1_000)
  mkdirSync(path)
  log.write(Buffer.from('x\n'), 1_000)
  rmSync(path, { recursive: true })
  log.write(Buffer.from('y\n'), 1_100)
  log.close()
  expect(readFileSync(join(folder, 'main.stdout.0'), 'utf8')).toBe('x\ny\n')
  expect(spans()).toEqual([{ number: 0, offsetBytes: 2, fromMs: 1_100, untilMs: 2_100 }])
})
