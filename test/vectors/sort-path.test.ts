import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findKinds, sortPath } from './run-kind.js'

const folder = mkdtempSync(join(tmpdir(), 'drover-kinds-'))
const file = (name: string) => join(folder, name)
for (const name of ['canary.json', 'stop.json', 'other.json']) writeFileSync(file(name), '{"cases": []}')
afterAll(() => rmSync(folder, { recursive: true }))

const sorted = (kind: string, path: string) => sortPath(findKinds(kind), path).map((found) => [found[0].kind, found[1]])

test('cases of one kind are in whatever file they are', () => {
  expect(sorted('scheduler/canary', file('other.json'))).toEqual([['scheduler/canary', file('other.json')]])
})

test('cases of several kinds are told by the names of their files', () => {
  expect(sorted('scheduler', file('stop.json'))).toEqual([['scheduler/stop', file('stop.json')]])
  expect(sorted('scheduler', folder)).toEqual([
    ['scheduler/stop', file('stop.json')],
    ['scheduler/canary', file('canary.json')],
  ])
})

test('a name that tells nothing is refused', () => {
  expect(() => sorted('scheduler', file('other.json'))).toThrow('has the name of no kind; say which it is of: scheduler/placement')
})
