/** The smallest case that still shows what a larger one showed. */
import type { ApiObject } from '../../src/jobspec/decode/api-job.js'

/** Takes members and items out as long as `holds` says that the result still shows it. At most `triesMax` are tried. */
export async function shrink<Value>(value: Value, holds: (smaller: Value) => Promise<boolean>, triesMax = 400): Promise<Value> {
  let smallest = value
  let tries = 0
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false
    for (const smaller of smallerOnes(smallest)) {
      if (tries++ >= triesMax) return smallest
      if (await holds(smaller)) {
        smallest = smaller
        hasShrunk = true
        break
      }
    }
  }
  return smallest
}

/** What a case is nothing without. */
const KEPT: ReadonlySet<string> = new Set(['ID', 'job', 'next'])

/** Greatest cuts first. */
function* smallerOnes<Value>(value: Value): Generator<Value> {
  if (Array.isArray(value)) {
    if (value.length > 1) for (const at of value.keys()) yield value.filter((_, index) => index !== at) as Value
    for (const [at, item] of value.entries())
      for (const smaller of smallerOnes(item)) yield value.map((one, index) => (index === at ? smaller : one)) as Value
    return
  }
  if (typeof value !== 'object' || value === null) return
  const entries = Object.entries(value as ApiObject)
  for (const [name] of entries) {
    if (KEPT.has(name)) continue
    yield Object.fromEntries(entries.filter(([other]) => other !== name)) as Value
  }
  for (const [name, inner] of entries) for (const smaller of smallerOnes(inner)) yield { ...value, [name]: smaller }
}
