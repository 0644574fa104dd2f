/**
 * Compares an answer with a recorded expectation: what is expected is binding, what is absent is not compared, the sets of a plan and
 * the created evaluations are closed (`data/scheduler/README.md` §2).
 */
import type { Mismatch } from '../../compare.js'
import type { Answer } from './answer.js'

export interface Tolerances {
  /** Path of a set → the alternatives for its keys, space separated. */
  readonly oneOf?: Readonly<Record<string, readonly string[]>>
  readonly notCompared?: readonly string[]
}

/** Nothing but what is expected may be in these. */
const CLOSED =
  /^plans\[\d+\]\.(stops|placements|updates|preemptions|nodeCounts)$|^evalsCreated$|\.FailedTGAllocs$|\.DesiredTGUpdates(\.[^.]+)?$|\.FailedTGAllocs\.[^.]+\.(ConstraintFiltered|DimensionExhausted)$|\.ClassEligibility$/
const SETS = ['stops', 'placements', 'updates', 'preemptions'] as const
const TOLERANCE = 1e-9

export function compareExpectation(expected: Answer, got: Answer, tolerances: Tolerances, isSystem: boolean): readonly Mismatch[] {
  const comparison = new Comparison(tolerances, isSystem)
  comparison.compare(completed(expected), got, '')
  return comparison.mismatches
}

/** Absent sets are empty ones. */
function completed(expected: Answer): Answer {
  const plans = (expected['plans'] ?? []) as readonly Answer[]
  return {
    evalsCreated: {},
    ...expected,
    plans: plans.map((plan) => ({ ...Object.fromEntries(SETS.map((set) => [set, {}])), ...plan })),
  }
}

class Comparison {
  readonly mismatches: Mismatch[] = []
  readonly #tolerances: Tolerances
  readonly #isSystem: boolean

  constructor(tolerances: Tolerances, isSystem: boolean) {
    this.#tolerances = tolerances
    this.#isSystem = isSystem
  }

  compare(expected: unknown, got: unknown, path: string): void {
    if (this.#tolerances.notCompared?.includes(path) === true) return
    if (this.#isSkipped(path)) return
    if (Array.isArray(expected)) return this.#compareLists(expected, got, path)
    if (typeof expected === 'object' && expected !== null) return this.#compareObjects(expected as Answer, got, path)
    if (typeof expected === 'number' && typeof got === 'number' && Math.abs(expected - got) <= TOLERANCE) return
    if (expected === got || (isZero(expected) && isZero(got))) return
    this.#fail(path, expected, got)
  }

  #fail(path: string, expected: unknown, got: unknown): void {
    this.mismatches.push({ path: `$.${path}`, expected, got })
  }

  #isSkipped(path: string): boolean {
    // The number of candidates, and a text that Nomad overwrites with that of a plain deployment.
    return (
      this.#isSystem &&
      /\.DesiredTGUpdates\.[^.]+\.Place$|^deploymentsAfter\..*\.StatusDescription$|\.deploymentUpdates\..*\.StatusDescription$/.test(path)
    )
  }

  #compareLists(expected: readonly unknown[], got: unknown, path: string): void {
    const list = Array.isArray(got) ? got : []
    if (list.length !== expected.length) this.#fail(`${path}.length`, expected.length, list.length)
    for (const [at, item] of expected.entries()) this.compare(item, list[at], `${path}[${at}]`)
  }

  #compareObjects(expected: Answer, given: unknown, path: string): void {
    const got = this.#withoutSampling(expected, (given ?? {}) as Answer, path)
    const alternatives = this.#tolerances.oneOf?.[path]
    if (alternatives !== undefined) {
      const keys = Object.keys(got).sort().join(' ')
      if (!alternatives.includes(keys)) this.#fail(path, alternatives.join(' | '), keys)
    } else if (CLOSED.test(path)) {
      for (const key of Object.keys(got)) {
        if (isEmpty(got[key])) continue
        if (!(key in expected) && !(this.#isSystem && key === 'Place') && !this.#isUncompared(`${path}.${key}`))
          this.#fail(`${path}.${key}`, undefined, got[key])
      }
    }
    for (const [key, value] of Object.entries(expected)) {
      if (alternatives !== undefined && !(key in got)) continue
      const below = path === '' ? key : `${path}.${key}`
      if (key === 'NodeIn') this.#compareChoice(value as readonly string[], got['Node'], below)
      else this.compare(value, got[key], below)
    }
  }

  #isUncompared(path: string): boolean {
    return this.#tolerances.notCompared?.some((other) => other === path) === true
  }

  #compareChoice(nodes: readonly string[], node: unknown, path: string): void {
    if (!nodes.includes(String(node))) this.#fail(path, nodes, node)
  }

  /**
   * Nomad looks at as many nodes as it takes to find a few that fit, Drover at all: where Nomad did not look at all of them, what it
   * counted on the way says nothing. It also counts by class what it remembers of the class.
   */
  #withoutSampling(expected: Answer, got: Answer, path: string): Answer {
    if (/\.placements\.[^ ]+\.Metrics$/.test(path) && expected['NodesEvaluated'] !== sum(expected['NodesAvailable'])) {
      const { NodesEvaluated, NodesFiltered, NodesExhausted, ConstraintFiltered, ClassFiltered, DimensionExhausted, ScoreMetaData } =
        expected
      return { ...got, NodesEvaluated, NodesFiltered, NodesExhausted, ConstraintFiltered, ClassFiltered, DimensionExhausted, ScoreMetaData }
    }
    if (path.endsWith('.ConstraintFiltered') && 'computed class ineligible' in expected && sum(expected) === sum(got)) return expected
    if (path.endsWith('.ScoreMetaData')) return Object.fromEntries(Object.entries(got).filter(([node]) => node in expected))
    return got
  }
}

function sum(counts: unknown): number {
  return Object.values((counts ?? {}) as Readonly<Record<string, number>>).reduce((total, count) => total + count, 0)
}

function isZero(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
