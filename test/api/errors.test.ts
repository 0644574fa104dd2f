import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERROR_STATUS } from '../../src/adapters/http/error-status.js'

test('docs/errors.md lists exactly the codes and statuses of the table', () => {
  const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([A-Z_]+)` *\| (\d{3}) *\|/gm)]
  expect(Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))).toEqual(ERROR_STATUS)
})
