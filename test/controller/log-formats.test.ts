/** Records of the log as earlier versions wrote them, and as none has written them yet. */
import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { CommandReader, encodeCommand, makeRecord } from '../../src/controller/log-record.js'
import type { Command } from '../../src/state/index.js'
import { evaluation, uuid } from '../fixtures.js'

const COMMAND: Command = { kind: 'evaluation-update', evaluations: [1, 2, 3].map((id) => evaluation({ ID: uuid(id) })), atMs: 5 }

function recordOf(format: number) {
  const packr = new Packr({ useRecords: false })
  const payload = packr.pack([format, [packr.pack(COMMAND)]])
  const head = { firstIndex: 7, epoch: 1, previousHash: 'before', count: 1, payload }
  return { ...head, hash: createHash('sha256').update('7 1 1 before ').update(payload).digest('hex') }
}

test('the names of members are written once, and read back as they were', () => {
  const bytes = encodeCommand(COMMAND).map((entry) => entry.bytes)
  expect(Buffer.concat(bytes).toString('latin1').split('TriggeredBy')).toHaveLength(2)
  expect(new CommandReader().read(makeRecord(7, 1, 'before', bytes))).toEqual([COMMAND])
})

test('a record with the names of members in each object is read as well', () => {
  expect(new CommandReader().read(recordOf(1))).toEqual([COMMAND])
})

test('a record of a later format is refused with what to do', () => {
  expect(() => new CommandReader().read(recordOf(3))).toThrow(/the log record at index 7 has format 3; start the version that wrote it/)
})
