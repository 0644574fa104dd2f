import { expect, test } from 'vitest'
import { fromCheckedJson, toCheckedJson } from '../../src/adapters/checked-json.js'

const VALUE = { id: 'a', counts: [1, 2, null], text: 'ü\u0000 "quoted"' }

test('what was written is read, also what has no checksum yet', () => {
  expect(fromCheckedJson(toCheckedJson(VALUE))).toEqual(VALUE)
  expect(fromCheckedJson(JSON.stringify(VALUE))).toEqual(VALUE)
})

test('no bit of it can flip, no end be missing, without that being known', () => {
  const whole = Buffer.from(toCheckedJson(VALUE))
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => fromCheckedJson(flipped.toString()), `bit ${bit}`).toThrow()
  }
  for (let length = 0; length < whole.length; length++) expect(() => fromCheckedJson(whole.subarray(0, length).toString())).toThrow()
  expect(() => fromCheckedJson('\0'.repeat(whole.length))).toThrow('it is no record')
})
