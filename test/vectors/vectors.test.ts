import { describe, expect, test } from 'vitest'
import { KINDS } from './kinds/index.js'
import { ownPath, runKind } from './run-kind.js'

describe.each(KINDS)('vectors $kind', (kind) => {
  test('every recorded case is answered as recorded, or its difference is listed', async () => {
    const failures: string[] = []
    let cases = 0
    for await (const result of runKind(kind, ownPath(kind))) {
      cases++
      if (result.mismatches.length > 0) failures.push(`${result.name}: ${JSON.stringify(result.mismatches[0])}`)
    }
    expect(failures).toEqual([])
    expect(cases).toBeGreaterThan(0)
  })
})
