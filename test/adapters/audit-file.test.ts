/** The audit trail on disk: lines in files of bounded size, read again by the next life. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuditFile, readAuditFile } from '../../src/adapters/audit-file.js'
import type { AuditEntry } from '../../src/domain/index.js'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-audit-'))
  path = join(folder, 'audit.log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const entry = (number: number): AuditEntry => ({
  number,
  atMs: 1,
  actor: { kind: 'server' },
  action: 'job-register',
  subject: { jobId: `job "${number}"\n` },
  outcome: 'done',
  reason: '',
})

test('each entry is a line, and the next life reads them again, but for one that was cut off', () => {
  const file = new AuditFile({ path, fileBytesMax: 1e6, filesMax: 2 })
  file.write(entry(1))
  file.write(entry(2))
  file.close()
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  appendFileSync(path, '{"number": 3, "act')
  expect(readAuditFile(path)).toEqual([entry(1), entry(2)])
  expect(readAuditFile(join(folder, 'none'))).toEqual([])
})

test('files are of bounded size and number; the newest two are read', () => {
  const line = JSON.stringify(entry(10)).length + 1
  const file = new AuditFile({ path, fileBytesMax: 10 * line, filesMax: 3 })
  for (let number = 10; number < 75; number++) file.write(entry(number))
  file.close()
  expect(readdirSync(folder).sort()).toEqual(['audit.log', 'audit.log.1', 'audit.log.2'])
  expect(readAuditFile(path).map(({ number }) => number)).toEqual(Array.from({ length: 15 }, (_, at) => 60 + at))
})
