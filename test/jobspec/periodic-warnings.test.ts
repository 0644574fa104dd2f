import { expect, test } from 'vitest'
import { periodicWarnings } from '../../src/jobspec/periodic-warnings.js'

function warned(Specs: readonly string[], Enabled = true): boolean {
  const Periodic = { Enabled, Spec: '', Specs, SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }
  return periodicWarnings({ Periodic }).length > 0
}

test('a periodic job whose time never comes is warned of', () => {
  expect(warned(['0 0 31 2 *'])).toBe(true)
  expect(warned(['0 0 * * fri-mon'])).toBe(true)
  expect(warned(['0 0 29 2 *'])).toBe(false)
  expect(warned(['0 0 31 2 1'])).toBe(false)
})

test('one that never comes hides those before it, and none after it', () => {
  expect(warned(['@weekly', '0 0 31 2 *'])).toBe(true)
  expect(warned(['0 0 31 2 *', '@weekly'])).toBe(false)
})

test('times that are switched off, or cannot be read, are not warned of', () => {
  expect(warned(['0 0 31 2 *'], false)).toBe(false)
  expect(warned(['nonsense'])).toBe(false)
})
