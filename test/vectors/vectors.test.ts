import { describe, expect, test } from 'vitest'
import { KINDS } from './kinds/index.js'
import { OPEN_CASES } from './open-cases.js'
import { ownPath, runKind } from './run-kind.js'

describe.each(KINDS)('vectors $kind', (kind) => {
  test('every recorded case is answered as recorded, or its difference or its being open is listed', async () => {
    const open = new Set(OPEN_CASES[kind.kind] ?? [])
    const failures: string[] = []
    const closed: string[] = []
    let cases = 0
    for await (const result of runKind(kind, ownPath(kind))) {
      cases++
      if (result.mismatches.length === 0 && open.has(result.name)) closed.push(result.name)
      if (result.mismatches.length > 0 && !open.has(result.name)) failures.push(`${result.name}: ${JSON.stringify(result.mismatches[0])}`)
    }
    expect(failures).toEqual([])
    expect(closed, 'these pass now: take them off test/vectors/open-cases.json').toEqual([])
    expect(cases).toBeGreaterThan(0)
  })
})
