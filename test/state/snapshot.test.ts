/** What was read again takes as little memory as what it was written from. */
import { Packr } from 'msgpackr/pack'
import { describe, expect, test } from 'vitest'
import type { Job } from '../../src/domain/index.js'
import { apply, cutState, decodeSnapshot, dumpState, encodeCut, jobKey, jobVersionKey, State } from '../../src/state/index.js'
import { job, taskGroup } from '../fixtures.js'

const parent = job({ ID: 'parent', Type: 'batch', Meta: { from: 'parent' } })
const child = (ID: string, over: Partial<Job> = {}) => ({ ...parent, ID, ParentID: 'parent', ...over })

/** Each Command as it is read from a log: it shares nothing with any other. */
function replay(...jobs: readonly Job[]): State {
  const state = new State()
  for (const each of structuredClone(jobs.map((one) => [one])))
    apply(state, state.index + 1, { kind: 'job-register', job: each[0]!, source: null, evaluations: [], atMs: 0 })
  return state
}

function readAgain(state: State): State {
  return decodeSnapshot(Buffer.concat([...encodeCut(cutState(state))]))
}

const find = (state: State, ID: string): Job => state.jobs.get(jobKey({ Namespace: 'default', ID }))!

describe('a child has the parts of its parent and not copies of them', () => {
  test('when both are read from the log', () => {
    const state = replay(parent, child('a'))
    expect(find(state, 'a').TaskGroups).toBe(find(state, 'parent').TaskGroups)
    expect(find(state, 'a').Meta).toBe(find(state, 'parent').Meta)
  })

  test('when they are read from a snapshot', () => {
    const again = readAgain(replay(parent, child('a')))
    expect(find(again, 'a').TaskGroups).toBe(find(again, 'parent').TaskGroups)
  })

  test('and those of the child before it, when its parent has become another since', () => {
    const changed = { ...parent, Version: 1, TaskGroups: [taskGroup({ Name: 'other' })] }
    const state = replay(parent, child('a'), child('b'), changed)
    const again = readAgain(state)
    expect(dumpState(again)).toBe(dumpState(state))
    expect(find(again, 'a').TaskGroups).not.toEqual(find(again, 'parent').TaskGroups)
    expect(find(again, 'b').TaskGroups).toBe(find(again, 'a').TaskGroups)
  })

  test('but what it has of its own stays its own', () => {
    const state = readAgain(replay(parent, child('a', { Meta: { from: 'child' } }), child('b')))
    expect([find(state, 'a').Meta, find(state, 'b').Meta]).toEqual([{ from: 'child' }, { from: 'parent' }])
  })
})

test('a job and its current version are one object', () => {
  const again = readAgain(replay(parent))
  const { CreateIndex, Version } = find(again, 'parent')
  expect(again.jobVersions.get(jobVersionKey('default', 'parent', CreateIndex, Version))).toBe(find(again, 'parent'))
})

describe('the bytes', () => {
  test('bring back whatever names and values maps have', () => {
    const names = ['constructor', 'hasOwnProperty', 'a b', "it's", '0', '', 'x'.repeat(300), 'zwölf', '"']
    const metaOf = (at: number) => Object.fromEntries([...names, `only-${at}`, `${at}`].map((name) => [name, `${name} of ${at}`]))
    const state = replay(...Array.from({ length: 500 }, (_, at) => job({ ID: `job-${at}`, Meta: metaOf(at) })))
    const again = readAgain(state)
    expect(dumpState(again)).toBe(dumpState(state))
    expect(find(again, 'job-499').Meta).toEqual(metaOf(499))
  })

  test('of the format before, with the names in each object, are read as well', () => {
    const state = replay(parent, child('a'))
    const packr = new Packr({ useRecords: false })
    const frames = [...encodeCut(cutState(state))].map((frame) => {
      const slice = new Packr({ useRecords: true, mapsAsObjects: true }).unpack(frame.subarray(4))
      const body = packr.pack('format' in slice ? { ...slice, format: 1 } : slice)
      const size = Buffer.alloc(4)
      size.writeUInt32BE(body.length)
      return Buffer.concat([size, body])
    })
    expect(dumpState(decodeSnapshot(Buffer.concat(frames)))).toBe(dumpState(state))
  })

  test('of a format that is not known are refused', () => {
    const body = new Packr({ useRecords: false }).pack({ format: 3, counters: {} })
    const size = Buffer.alloc(4)
    size.writeUInt32BE(body.length)
    expect(() => decodeSnapshot(Buffer.concat([size, body]))).toThrow('snapshot has no header of format 2')
  })
})
