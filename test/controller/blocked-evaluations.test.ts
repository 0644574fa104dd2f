import { describe, expect, test } from 'vitest'
import { BlockedEvaluations } from '../../src/controller/blocked-evaluations.js'
import type { Node } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, evaluation, node } from '../fixtures.js'

/** A host with one running allocation, and an evaluation that waits for its class. */
class Cluster {
  readonly state = new State()
  readonly woken: string[] = []
  readonly blocked: BlockedEvaluations

  constructor(over: Partial<Node>) {
    this.put(over)
    this.state.allocations.put(1, allocation({ ID: 'a', NodeID: 'n', ClientStatus: 'running' }))
    this.state.evaluations.put(1, evaluation({ ID: 'waits', Status: 'blocked', ClassEligibility: { small: true, large: false } }))
    this.blocked = new BlockedEvaluations(
      this.state,
      ({ ID }) => this.woken.push(ID),
      () => {},
    )
  }

  put(over: Partial<Node>): this {
    this.state.nodes.put(1, node({ ID: 'n', ComputedClass: 'small', ...over }))
    return this
  }

  end(): this {
    this.state.allocations.put(2, allocation({ ID: 'a', NodeID: 'n', ClientStatus: 'complete' }))
    return this
  }

  get isWoken(): boolean {
    this.blocked.wakeFreed()
    return this.woken.splice(0).length > 0
  }
}

describe('what waits for room is worked on again', () => {
  test('when something ends on a host of a class that it may use, and of no other', () => {
    expect(new Cluster({}).end().isWoken).toBe(true)
    expect(new Cluster({ ComputedClass: 'large' }).end().isWoken).toBe(false)
  })

  test('when a host comes, or has more to offer', () => {
    expect(new Cluster({ Status: 'down' }).put({ Status: 'ready' }).isWoken).toBe(true)
    expect(new Cluster({}).put({ NodeResources: structuredClone(node().NodeResources) }).isWoken).toBe(true)
  })

  test('not for what ends on a host that takes no work, until it takes work again', () => {
    const down = new Cluster({ Status: 'down' }).end()
    expect([down.isWoken, down.put({ Status: 'ready' }).isWoken]).toEqual([false, true])
    const draining = new Cluster({ SchedulingEligibility: 'ineligible' }).end()
    expect([draining.isWoken, draining.put({ SchedulingEligibility: 'eligible' }).isWoken]).toEqual([false, true])
  })
})
