/** What keeps state on a disk that takes no more, each part by itself. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DiskReserve } from '../../src/adapters/disk-reserve.js'
import { LmdbLocalStore } from '../../src/adapters/local-store/index.js'
import { createLogger, silentLogger } from '../../src/adapters/logger.js'
import { RotatedLog } from '../../src/adapters/rotated-log.js'
import { SmallDisk, whyNoSmallDisk } from '../small-disk.js'

const why = whyNoSmallDisk()
const MEBIBYTE = 1024 * 1024

describe.skipIf(why !== undefined)(`a small disk ${why ?? ''}`, () => {
  test('a log goes on without the lines that found no room, and says how many those were', () => {
    const disk = new SmallDisk()
    const path = join(disk.folder, 'agent.log')
    const logger = createLogger({ level: 'info', name: 'agent', destination: path })
    logger.info({}, 'before')
    disk.fill()
    for (let line = 0; line < 200; line++) logger.info({ padding: 'x'.repeat(1_000) }, 'meanwhile')
    disk.makeRoom()
    logger.info({}, 'after')
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    const said = lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as { msg: string; count?: number }]
      } catch {
        return []
      }
    })
    const lost = said.find(({ count }) => count !== undefined)!
    expect([said[0]!.msg, said.at(-1)!.msg]).toEqual(['before', 'after'])
    expect(lost.count! + said.filter(({ msg }) => msg === 'meanwhile').length).toBe(200)
    // At most the one line that was cut off in the middle.
    expect(lines.length - said.length).toBeLessThanOrEqual(1)
  })

  test.each(['full', 'read-only', 'without inodes'])(
    'local state of an agent is read from a disk that is %s, and written again when there is room',
    async (kind) => {
      const disk = new SmallDisk(kind === 'without inodes' ? 'size=24m,nr_inodes=40' : 'size=24m')
      const folder = join(disk.folder, 'agent')
      const first = await LmdbLocalStore.open(folder)
      await first.write({ agent: { epoch: 7 } })
      await first.close()
      const spoil = () => (kind === 'full' ? disk.fill() : kind === 'read-only' ? disk.makeReadOnly(true) : disk.useInodes())
      spoil()
      const store = await LmdbLocalStore.open(folder)
      onTestFinished(() => store.close())
      expect(store.get('agent')).toEqual({ epoch: 7 })
      if (kind === 'read-only') {
        await expect(store.write({ agent: { epoch: 8 } })).rejects.toThrow(/Read-only/)
        expect(store.get('agent')).toEqual({ epoch: 7 })
        disk.makeReadOnly(false)
      }
      await store.write({ agent: { epoch: 8 } })
      expect(store.get('agent')).toEqual({ epoch: 8 })
    },
  )

  test('a stop can be written down on a disk without one free block, many times over', async () => {
    const disk = new SmallDisk()
    const store = await LmdbLocalStore.open(join(disk.folder, 'agent'))
    onTestFinished(() => store.close())
    await store.write({ 'allocation/1': { text: 'x'.repeat(20_000) } })
    disk.fill()
    for (let time = 0; time < 50; time++)
      await store.write({ 'allocation/1': { time, text: 'y'.repeat(20_000) }, [`outbox/${time % 3}`]: time })
    expect(store.get('allocation/1')).toMatchObject({ time: 49 })
  })

  test('what finds no room is refused and ends nobody, all of it or nothing', async () => {
    const disk = new SmallDisk()
    const store = await LmdbLocalStore.open(join(disk.folder, 'agent'))
    onTestFinished(() => store.close())
    const unheld: unknown[] = []
    const hear = (error: unknown) => unheld.push(error)
    process.on('unhandledRejection', hear)
    onTestFinished(() => void process.off('unhandledRejection', hear))
    await store.write({ a: 1 })
    disk.fill()
    const large = { b: new Uint8Array(12 * MEBIBYTE), a: 2 }
    await expect(store.write(large)).rejects.toThrow(/No space left/)
    expect([store.get('a'), store.get('b')]).toEqual([1, undefined])
    disk.makeRoom()
    await store.write({ a: 3 })
    expect([store.get('a'), unheld]).toEqual([3, []])
  })

  test('the reserve is let go of when the disk is full, and had back when there is room for it', () => {
    const disk = new SmallDisk('size=40m')
    const reserve = new DiskReserve(disk.folder, silentLogger)
    expect(reserve.problem()).toBeNull()
    expect(statSync(join(disk.folder, 'reserve')).size).toBe(8 * MEBIBYTE)
    disk.fill()
    const problem = reserve.problem()
    expect(problem).toBe(`the disk of ${disk.folder} is full`)
    expect(existsSync(join(disk.folder, 'reserve'))).toBe(false)
    writeFileSync(join(disk.folder, 'what-stops-the-culprit'), Buffer.alloc(MEBIBYTE))
    expect(reserve.problem()).toBe(problem)
    disk.makeRoom()
    expect(reserve.problem()).toBeNull()
    expect(statSync(join(disk.folder, 'reserve')).size).toBe(8 * MEBIBYTE)
  })

  test('a disk that is read-only or without inodes takes no new work either', () => {
    const readOnly = new SmallDisk('size=40m')
    const reserve = new DiskReserve(readOnly.folder, silentLogger)
    expect(reserve.problem()).toBeNull()
    readOnly.makeReadOnly(true)
    expect(reserve.problem()).toBe(`the disk of ${readOnly.folder} is read-only`)
    readOnly.makeReadOnly(false)
    expect(reserve.problem()).toBeNull()
    const crowded = new SmallDisk('size=40m,nr_inodes=200')
    const other = new DiskReserve(crowded.folder, silentLogger)
    expect(other.problem()).toBeNull()
    crowded.useInodes()
    expect(other.problem()).toBe(`the disk of ${crowded.folder} has hardly any inode left`)
  })
})

test('a log of our own is rotated, and takes no more room than it may', () => {
  const folder = `${process.env['TMPDIR'] ?? '/tmp'}/drover-rotated-${process.pid}`
  mkdirSync(folder, { recursive: true })
  const log = new RotatedLog({ path: join(folder, 'a.log'), fileBytesMax: 100, filesMax: 3, sayLost: String })
  for (let number = 0; number < 100; number++) log.write(`line ${number}\n`)
  log.close()
  const names = readdirSync(folder).sort()
  expect(names).toEqual(['a.log', 'a.log.1', 'a.log.2'])
  for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100)
  const text = ['a.log.2', 'a.log.1', 'a.log'].map((name) => readFileSync(join(folder, name), 'utf8')).join('')
  const numbers = text
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]))
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, at) => 100 - numbers.length + at))
})
