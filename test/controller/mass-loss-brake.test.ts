/** When many hosts are lost at once, what they ran waits; the tables are real, and time is in hand. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { ACTS } from '../../src/controller/acts/index.js'
import { heartbeatTtlMs } from '../../src/controller/heartbeat-ttl.js'
import { MassLossBrake, PAUSE_MS_MAX } from '../../src/controller/mass-loss-brake.js'
import { createScheduler } from '../../src/scheduler/index.js'
import { apply, type CommandBody, State } from '../../src/state/index.js'
import { allocation, evaluation, job, node, taskGroup } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ManualClock } from './manual-clock.js'

const idOf = (number: number) => `n${String(number).padStart(4, '0')}`

class Losses {
  readonly state = new State()
  readonly clock = new ManualClock()
  readonly random = new SeededRandom(1)
  readonly brake: MassLossBrake

  constructor(hosts: number) {
    this.propose([{ kind: 'leadership-begin', epoch: 1, clusterId: 'c', leader: 'l' }])
    for (let number = 1; number <= hosts; number++) this.join(number)
    const { state, clock, random } = this
    const propose = (bodies: readonly CommandBody[]) => this.propose(bodies)
    this.brake = new MassLossBrake({ view: state, clock, random, logger: silentLogger, propose, onDue: () => {} })
  }

  propose(bodies: readonly CommandBody[]): void {
    for (const body of bodies) apply(this.state, this.state.index + 1, { ...body, atMs: Math.max(this.state.atMs, this.clock.wallMs()) })
  }

  join(number: number): void {
    this.propose([{ kind: 'node-register', node: node({ ID: idOf(number), Name: idOf(number) }), reportNumber: 0, evaluations: [] }])
  }

  /** Called silent together, as the registrar does it. @returns whether they are held */
  lose(numbers: readonly number[], missing = 0): boolean {
    const nodeIds = numbers.map(idOf)
    const isHeld = this.brake.holds(nodeIds, missing)
    if (isHeld) this.propose([{ kind: 'loss-hold', nodeIds }])
    for (const nodeId of nodeIds) this.propose([{ kind: 'node-status', nodeId, status: 'down', description: '', evaluations: [] }])
    return isHeld
  }

  /** Lets time pass, with a look at every second of it. @returns how many hosts are held afterwards */
  pass(ms: number): number {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.clock.advance(1_000)
      this.brake.reconcile()
    }
    return this.state.heldLosses.count
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

test('three hosts of four are replaced as ever, four of five are held', () => {
  expect(new Losses(4).lose(range(1, 3))).toBe(false)
  expect(new Losses(5).lose(range(1, 4))).toBe(true)
})

test('a fifth of the hosts is replaced as ever, one more is held', () => {
  expect(new Losses(100).lose(range(1, 20))).toBe(false)
  expect(new Losses(100).lose(range(1, 21))).toBe(true)
})

test('hosts that go one after the other count together within a minute, and not beyond', () => {
  const slow = new Losses(10)
  expect(range(1, 8).map((number) => [slow.lose([number]), slow.pass(31_000)][0])).not.toContain(true)
  const quick = new Losses(10)
  expect(range(1, 5).map((number) => [quick.lose([number]), quick.pass(5_000)][0])).toEqual([false, false, false, true, true])
})

test('those that have missed most of their beats count with the first that is silent', () => {
  const losses = new Losses(100)
  expect([losses.lose([1], 19), losses.lose([2], 30)]).toEqual([false, true])
})

test('whoever came back is not counted any more', () => {
  const losses = new Losses(10)
  losses.lose([1, 2, 3])
  for (const number of [1, 2, 3]) losses.join(number)
  expect(losses.lose([4, 5])).toBe(false)
})

test('the pause ends when most are back, and what the others ran is looked at', () => {
  const losses = new Losses(10)
  losses.propose([{ kind: 'job-register', job: job({ ID: 'web' }), source: null, evaluations: [] }])
  losses.state.allocations.put(losses.state.index, allocation({ JobID: 'web', NodeID: idOf(1), ClientStatus: 'running' }))
  losses.lose(range(1, 6))
  expect(losses.pass(60_000)).toBe(6)
  for (const number of range(2, 6)) losses.join(number)
  // Others may be about to come back too.
  expect(losses.pass(5_000)).toBe(1)
  expect(losses.state.evaluations.count).toBe(0)
  expect(losses.pass(10_000)).toBe(0)
  expect(losses.state.evaluations.all()).toMatchObject([{ JobID: 'web', Status: 'pending' }])
})

test('the pause ends by itself when nobody comes back', () => {
  const losses = new Losses(5)
  losses.lose(range(1, 5))
  expect([losses.pass(PAUSE_MS_MAX - 5_000), losses.pass(10_000)]).toEqual([5, 0])
})

test('somebody who knows that they are gone ends the pause, for one host or for all', () => {
  const losses = new Losses(5)
  const env = { random: losses.random, nowMs: 0 }
  const release = (nodeIds: readonly string[] | null) => {
    const outcome = ACTS['losses-release'](losses.state, { nodeIds }, env)
    if (outcome.kind === 'decided') losses.propose(outcome.commands)
    return outcome.kind
  }
  expect(release(null)).toBe('refused')
  losses.lose(range(1, 4))
  expect([release([idOf(5)]), release([idOf(2)]), losses.state.heldLosses.count]).toEqual(['refused', 'decided', 3])
  expect([release(null), losses.state.heldLosses.count]).toEqual(['decided', 0])
})

test.each(['service', 'system'] as const)('what a held host runs of a %s job is neither lost nor placed again, and then it is', (Type) => {
  const losses = new Losses(2)
  const { state } = losses
  const groups = [taskGroup({ Name: 'g', Count: 1 })]
  losses.propose([{ kind: 'job-register', job: job({ ID: 'web', Type, TaskGroups: groups }), source: null, evaluations: [] }])
  const { CreateIndex, Version } = state.jobs.get('default\u0000web')!
  const own = {
    JobID: 'web',
    TaskGroup: 'g',
    Name: 'web.g[0]',
    JobCreateIndex: CreateIndex,
    JobVersion: Version,
    ClientStatus: 'running' as const,
  }
  for (const ID of Type === 'system' ? [idOf(1), idOf(2)] : [idOf(1)])
    state.allocations.put(state.index, allocation({ ID: `of-${ID}`, NodeID: ID, ...own }))
  const stopped = () => {
    let ids = 0
    const asked = evaluation({ JobID: 'web', Type, Status: 'pending' })
    const { plan } = createScheduler(state).schedule(asked, { nowMs: 0, newId: () => `id-${ids++}` })
    return [plan.Stops.length, plan.Placements.length]
  }
  losses.propose([
    { kind: 'loss-hold', nodeIds: [idOf(1)] },
    { kind: 'node-status', nodeId: idOf(1), status: 'down', description: '', evaluations: [] },
  ])
  expect(stopped()).toEqual([0, 0])
  losses.propose([{ kind: 'loss-release', nodeIds: [idOf(1)], evaluations: [] }])
  expect(stopped()).toEqual([1, Type === 'system' ? 0 : 1])
})

test('a silent host is known within ten seconds at any size', () => {
  const lookMs = 400
  const brokerMs = 500
  for (const hosts of [0, 1, 50, 1_000, 5_000, 100_000]) expect(heartbeatTtlMs(hosts) + lookMs + brokerMs).toBeLessThanOrEqual(10_000)
  expect(heartbeatTtlMs(10)).toBeLessThan(heartbeatTtlMs(5_000))
})
