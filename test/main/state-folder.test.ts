/** A server that finds its state gone or damaged says so, and never begins a new cluster in its place. */
import { execFileSync, fork } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { checkStore, checkStoreAhead } from '../../src/adapters/lmdb/check-store.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { systemRandom } from '../../src/adapters/random.js'
import { Leader } from '../../src/controller/index.js'
import { DataDamagedError, TerminalError } from '../../src/domain/index.js'
import { writeClusterMark } from '../../src/main/cluster-mark.js'
import { examineState, inspectSnapshot, openState, restoreSnapshot, saveSnapshot } from '../../src/main/state-folder.js'

const reader = new URL('../../dist/main/read-store.js', import.meta.url)
const check = (folder: string) => checkStore(folder, { reader })

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'drover-state-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** Leads from the folder for a moment, as a server does, and says what it led. */
async function live(adoptCluster?: string) {
  const { log, movedTo } = await openState(data, { adoptCluster, check })
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const leader = await Leader.start({ ...deps, log, onStop: () => {} })
  const { index, epoch, clusterId } = leader.state
  writeClusterMark(data, clusterId)
  leader.retire('the test is over')
  await log.close()
  return { index, epoch, clusterId, movedTo }
}

const refusal = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('nothing was refused'),
    (error: Error) => error,
  )

const file = () => join(data, 'state', 'log', 'data.mdb')

test('a store that is read ahead is told of as it was then, once, and is read again after that', async () => {
  await live()
  const folder = join(data, 'state', 'log')
  const whole = readFileSync(file())
  truncateSync(file(), 0)
  const ahead = checkStoreAhead(folder, { reader })
  writeFileSync(file(), whole)
  await expect(ahead(folder)).rejects.toThrow('it is empty')
  await expect(ahead(folder)).resolves.toBeUndefined()
})

describe('a state that is gone or damaged', () => {
  test.each([
    ['was removed', () => rmSync(join(data, 'state'), { recursive: true })],
    ['was emptied', () => truncateSync(file(), 0)],
    ['is another file', () => writeFileSync(file(), 'not a store at all')],
    ['has its end cut off', () => truncateSync(file(), 3 * 4096)],
    [
      'has other bytes in its pages',
      () => {
        const bytes = readFileSync(file())
        for (let at = 8192; at < bytes.length; at += 5) bytes[at]! ^= 0x5a
        writeFileSync(file(), bytes)
      },
    ],
  ])('that %s is told with what to do, and nothing begins in its place', async (_, damage) => {
    const { clusterId } = await live()
    damage()
    const error = await refusal(live())
    expect(error).toBeInstanceOf(DataDamagedError)
    expect(error.message).toContain('drover snapshot restore FILE --data-dir')
    expect(error.message).toContain(`--adopt-cluster ${clusterId}`)
    // The second look finds the same: the first has not made a new cluster of it.
    expect(await refusal(live())).toBeInstanceOf(DataDamagedError)
  })

  test('is begun again as the same cluster when asked, with numbers beyond all before, and what was there is kept', async () => {
    const before = await live()
    writeFileSync(file(), 'not a store at all')
    const after = await live(before.clusterId)
    expect(after.clusterId).toBe(before.clusterId)
    expect([after.index > before.index + 1e9, after.epoch > before.epoch + 1e9]).toEqual([true, true])
    expect(readFileSync(join(after.movedTo!, 'log', 'data.mdb'), 'utf8')).toBe('not a store at all')
    const next = await live()
    expect([next.clusterId, next.epoch]).toEqual([before.clusterId, after.epoch + 1])
  })

  test('of another cluster is not begun again', async () => {
    await live()
    expect(await refusal(live('another-cluster'))).toBeInstanceOf(TerminalError)
  })
})

test('a server that is a child of another program ends with the code that says so, too', async () => {
  writeClusterMark(data, 'a-cluster')
  const repository = join(data, 'repository')
  mkdirSync(join(repository, 'jobs'), { recursive: true })
  writeFileSync(join(repository, 'jobs', 'web.nomad.hcl'), 'job "web" {}\n')
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@example.org', ...words])
  git('init', '-q')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const config = join(data, 'server.yaml')
  writeFileSync(config, JSON.stringify({ data_dir: data, http: '127.0.0.1:0', source: { repository } }))
  const child = fork('dist/main/cli.js', ['server', '--config', config], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  expect([code, said]).toEqual([2, expect.stringContaining('the state of cluster a-cluster in')])
})

describe('snapshots as files', () => {
  test('hold the state, also while a server runs, and put back they count on from now', async () => {
    const before = await live()
    const { log } = await openState(data, { adoptCluster: undefined, check })
    const path = join(data, 'kept.snapshot')
    await saveSnapshot(data, path, check)
    expect((await inspectSnapshot(path)).state.clusterId).toBe(before.clusterId)
    expect(await refusal(restoreSnapshot(data, path))).toMatchObject({ code: 'FOLDER_LOCKED' })
    await log.close()
    rmSync(join(data, 'state'), { recursive: true })
    await restoreSnapshot(data, path)
    const after = await live()
    expect([after.clusterId, after.index > before.index + 1e9]).toEqual([before.clusterId, true])
    expect((await examineState(data, check)).clusterId).toBe(before.clusterId)
  })

  test('that are damaged are refused', async () => {
    await live()
    const path = join(data, 'kept.snapshot')
    await saveSnapshot(data, path, check)
    cpSync(path, `${path}.copy`)
    const bytes = readFileSync(path)
    bytes[bytes.length - 9]! ^= 1
    writeFileSync(path, bytes)
    expect(await refusal(inspectSnapshot(path))).toBeInstanceOf(DataDamagedError)
    expect(await refusal(restoreSnapshot(data, path))).toBeInstanceOf(DataDamagedError)
    expect(existsSync(join(data, 'state'))).toBe(true)
    expect((await inspectSnapshot(`${path}.copy`)).snapshot.index).toBe(1)
  })

  test('that are not there, or are no files, are told in a sentence and touch nothing', async () => {
    const path = join(data, 'nothing.snapshot')
    const error = await refusal(inspectSnapshot(path))
    expect([error.constructor, error.message]).toEqual([TerminalError, `there is no snapshot ${path}`])
    expect((await refusal(inspectSnapshot(data))).message).toBe(`the snapshot ${data} cannot be read`)
    await live()
    expect((await refusal(restoreSnapshot(data, path))).message).toBe(`there is no snapshot ${path}`)
    expect(existsSync(join(data, 'state'))).toBe(true)
  })
})
