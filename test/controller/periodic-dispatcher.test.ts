/** When periodic jobs are launched, over real tables and a clock that the test moves. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { PeriodicDispatcher } from '../../src/controller/periodic-dispatcher.js'
import { type Job, MILLISECOND, MINUTE, namespacedKey, type PeriodicConfig, unixNanoseconds } from '../../src/domain/index.js'
import { apply, type CommandBody, State } from '../../src/state/index.js'
import { job } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ManualClock } from './manual-clock.js'

const EVERY_MINUTE: PeriodicConfig = {
  Enabled: true,
  Spec: '* * * * *',
  Specs: null,
  SpecType: 'cron',
  ProhibitOverlap: false,
  TimeZone: 'UTC',
}
const MINUTE_MS = MINUTE / MILLISECOND

class Timed {
  readonly state = new State()
  readonly clock: ManualClock
  #dispatcher: PeriodicDispatcher

  constructor(clock = new ManualClock()) {
    this.clock = clock
    this.propose([{ kind: 'leadership-begin', epoch: 1, clusterId: 'c', leader: 'l' }])
    this.#dispatcher = this.#newDispatcher()
  }

  register(over: Partial<Job> & Pick<Job, 'Version'>): void {
    this.propose([{ kind: 'job-register', job: job({ ID: 'tick', Type: 'batch', ...over }), source: null, evaluations: [] }])
  }

  propose(bodies: readonly CommandBody[]): void {
    for (const body of bodies) apply(this.state, this.state.index + 1, { ...body, atMs: Math.max(this.state.atMs, this.clock.wallMs()) })
  }

  /** A new leader, on the same tables. */
  leadAgain(): void {
    this.#dispatcher.stop()
    this.#dispatcher = this.#newDispatcher()
  }

  /** Launched by a look, as minutes since the clock was made. */
  look(): readonly string[] {
    const before = new Set(this.children())
    this.#dispatcher.reconcile()
    return this.children().filter((id) => !before.has(id))
  }

  children(): readonly string[] {
    return this.state.jobs.by('parent', namespacedKey('default', 'tick')).map(({ ID }) => ID)
  }

  #newDispatcher(): PeriodicDispatcher {
    const { state, clock } = this
    const propose = (bodies: readonly CommandBody[]) => this.propose(bodies)
    return new PeriodicDispatcher({ view: state, clock, random: new SeededRandom(1), logger: silentLogger, propose, onDue: () => {} })
  }
}

/** The clock stands at a whole minute. */
function atWholeMinute(): Timed {
  const clock = new ManualClock()
  clock.advance(MINUTE_MS - (clock.wallMs() % MINUTE_MS))
  return new Timed(clock)
}

const idAt = (ms: number) => `tick/periodic-${ms / 1000}`

test('each of its times makes one child, and nothing is launched for the time of registration', () => {
  const timed = atWholeMinute()
  const beganMs = timed.clock.wallMs()
  timed.register({ Version: 0, Periodic: EVERY_MINUTE })
  expect(timed.look()).toEqual([])
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toEqual([idAt(beganMs + MINUTE_MS)])
  expect(timed.look()).toEqual([])
  expect(timed.state.evaluations.all()).toMatchObject([{ TriggeredBy: 'periodic-job', JobID: idAt(beganMs + MINUTE_MS) }])
})

test('a new leader launches no time again', () => {
  const timed = atWholeMinute()
  timed.register({ Version: 0, Periodic: EVERY_MINUTE })
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toHaveLength(1)
  timed.leadAgain()
  expect(timed.look()).toEqual([])
})

test('of several times that passed unseen one is made up for', () => {
  const timed = atWholeMinute()
  const beganMs = timed.clock.wallMs()
  timed.register({ Version: 0, Periodic: EVERY_MINUTE })
  timed.look()
  timed.clock.advance(10 * MINUTE_MS + 5_000)
  timed.leadAgain()
  expect(timed.look()).toEqual([idAt(beganMs + 10 * MINUTE_MS + 5_000)])
  expect(timed.look()).toEqual([])
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toEqual([idAt(beganMs + 11 * MINUTE_MS)])
})

test('a clock that is set back launches nothing again', () => {
  const timed = atWholeMinute()
  timed.register({ Version: 0, Periodic: EVERY_MINUTE })
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toHaveLength(1)
  timed.clock.wallOffsetMs -= 5 * MINUTE_MS
  expect(timed.look()).toEqual([])
})

test('where two must not overlap the time passes while the one before lives', () => {
  const timed = atWholeMinute()
  timed.register({ Version: 0, Periodic: { ...EVERY_MINUTE, ProhibitOverlap: true } })
  timed.clock.advance(MINUTE_MS)
  const [first] = timed.look()
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toEqual([])
  timed.propose([{ kind: 'job-deregister', namespace: 'default', jobId: first!, purge: true, evaluations: [] }])
  expect(timed.look()).toEqual([])
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toHaveLength(1)
})

test('a stopped, a disabled and a parameterized job is not launched; its children stay', () => {
  const timed = atWholeMinute()
  timed.register({ Version: 0, Periodic: EVERY_MINUTE })
  timed.clock.advance(MINUTE_MS)
  timed.look()
  timed.propose([{ kind: 'job-deregister', namespace: 'default', jobId: 'tick', purge: false, evaluations: [] }])
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toEqual([])
  expect(timed.children()).toHaveLength(1)
  timed.register({ Version: 2, Periodic: { ...EVERY_MINUTE, Enabled: false } })
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toEqual([])
  timed.register({ Version: 3, Periodic: EVERY_MINUTE, ParameterizedJob: { Payload: 'optional', MetaRequired: null, MetaOptional: null } })
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toEqual([])
})

test('new times count from when they were registered', () => {
  const timed = atWholeMinute()
  timed.register({ Version: 0, Periodic: { ...EVERY_MINUTE, Spec: '@yearly' } })
  timed.look()
  timed.clock.advance(30 * MINUTE_MS)
  timed.register({ Version: 1, Periodic: EVERY_MINUTE })
  expect(timed.look()).toEqual([])
  timed.clock.advance(MINUTE_MS)
  expect(timed.look()).toHaveLength(1)
})

test('times that never come are no reason to look', () => {
  const timed = atWholeMinute()
  timed.register({ Version: 0, Periodic: { ...EVERY_MINUTE, Spec: '0 0 30 2 *' }, SubmitTime: unixNanoseconds(0) })
  timed.clock.advance(3 * 24 * 60 * MINUTE_MS)
  expect(timed.look()).toEqual([])
})
