/** Files are written into folders that a task may have changed, and never outside of them. */
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { moveIntoTask, taskFiles } from '../../src/adapters/task-files.js'

let folder = ''
let root = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-files-'))
  root = join(folder, 'allocation', 'task')
  mkdirSync(join(root, 'local'), { recursive: true })
  mkdirSync(join(folder, 'allocation', 'alloc'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const content = Buffer.from('text')
const file = (path: string, over = {}) => ({ root, path, content, mode: 0o640, owner: '', ...over })

test('a file is written whole with its mode, and folders on the way are made', async () => {
  expect(await taskFiles.write(file('local/deep/name'))).toBe(true)
  expect(readFileSync(join(root, 'local/deep/name'), 'utf8')).toBe('text')
  expect(statSync(join(root, 'local/deep/name')).mode & 0o777).toBe(0o640)
  expect(await taskFiles.write(file('local/deep/name'))).toBe(false)
  expect(await taskFiles.write(file('local/deep/name', { content: Buffer.from('other') }))).toBe(true)
})

test('places of the allocation may be named by their whole path, and the shared folder is one of them', async () => {
  await taskFiles.write(file(join(root, 'local', 'a')))
  await taskFiles.write(file('../alloc/b'))
  await taskFiles.write(file('/local/c'))
  expect(readFileSync(join(root, 'local', 'a'), 'utf8')).toBe('text')
  expect(readFileSync(join(folder, 'allocation', 'alloc', 'b'), 'utf8')).toBe('text')
  expect(readFileSync(join(root, 'local', 'c'), 'utf8')).toBe('text')
})

test('a path that leads out is refused', async () => {
  for (const path of ['../../outside', '../../../outside', '..', '/../../outside']) {
    await expect(taskFiles.write(file(path)), path).rejects.toMatchObject({ code: 'PATH_ESCAPES' })
  }
})

test('a link that the task planted is not followed, neither as a folder nor as the file', async () => {
  const outside = join(folder, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'kept'), 'kept')
  symlinkSync(outside, join(root, 'local', 'trap'))
  symlinkSync(join(outside, 'kept'), join(root, 'local', 'name'))
  await expect(taskFiles.write(file('local/trap/x'))).rejects.toMatchObject({ code: 'PATH_ESCAPES' })
  await expect(taskFiles.read(root, 'local/trap/kept')).rejects.toMatchObject({ code: 'PATH_ESCAPES' })
  await expect(taskFiles.read(root, 'local/name')).rejects.toMatchObject({ code: 'NO_SUCH_FILE' })
  await taskFiles.write(file('local/name'))
  expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('kept')
  expect(lstatSync(join(root, 'local', 'name')).isFile()).toBe(true)
})

test('a volume is a link, made anew when its target changes, and never in place of something else', async () => {
  await taskFiles.link({ root, path: 'local/data', target: '/srv/one' })
  await taskFiles.link({ root, path: 'local/data', target: '/srv/two' })
  expect(readlinkSync(join(root, 'local/data'))).toBe('/srv/two')
  writeFileSync(join(root, 'local', 'taken'), '')
  await expect(taskFiles.link({ root, path: 'local/taken', target: '/srv' })).rejects.toMatchObject({ code: 'PATH_TAKEN' })
})

test('what the agent has elsewhere is moved in', async () => {
  writeFileSync(join(folder, 'made'), 'made')
  await moveIntoTask({ from: join(folder, 'made'), root, path: 'local/got', owner: '' })
  expect(readFileSync(join(root, 'local/got'), 'utf8')).toBe('made')
})
