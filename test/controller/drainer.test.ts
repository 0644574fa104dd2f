/** How hosts are emptied, over real tables. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { drainCommand } from '../../src/controller/drain-command.js'
import { Drainer } from '../../src/controller/drainer.js'
import { type Allocation, type JobType, rfc3339, SECOND } from '../../src/domain/index.js'
import { apply, type CommandBody, leftOnNode, State } from '../../src/state/index.js'
import { allocation, job, node, taskGroup, uuid } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ManualClock } from './manual-clock.js'

const MIGRATE = { MaxParallel: 1, HealthCheck: 'checks', MinHealthyTime: 0, HealthyDeadline: 0 }
const HEALTHY = { Healthy: true, Timestamp: rfc3339(0), Canary: false, ModifyIndex: 1 }

class Draining {
  readonly state = new State()
  readonly clock = new ManualClock()
  readonly #drainer: Drainer
  #proposed: CommandBody[] = []

  constructor() {
    this.propose([{ kind: 'leadership-begin', epoch: 1, clusterId: 'c', leader: 'l' }])
    for (const ID of ['old', 'new']) this.state.nodes.put(1, node({ ID, Name: ID }))
    const { state, clock } = this
    const propose = (bodies: readonly CommandBody[]) => this.propose(bodies)
    this.#drainer = new Drainer({ view: state, clock, random: new SeededRandom(1), logger: silentLogger, propose, onDue: () => {} })
  }

  propose(bodies: readonly CommandBody[]): void {
    this.#proposed.push(...bodies)
    for (const body of bodies) apply(this.state, this.state.index + 1, { ...body, atMs: Math.max(this.state.atMs, this.clock.wallMs()) })
  }

  job(ID: string, Type: JobType, count: number): void {
    const group = taskGroup({ Name: 'g', Count: count, Migrate: MIGRATE })
    this.propose([{ kind: 'job-register', job: job({ ID, Type, TaskGroups: [group] }), source: null, evaluations: [] }])
  }

  put(number: number, JobID: string, over: Partial<Allocation> = {}): void {
    const { CreateIndex, Version } = this.state.jobs.get(`default\u0000${JobID}`)!
    const base = { ID: uuid(number, 6), JobID, TaskGroup: 'g', NodeID: 'old', JobCreateIndex: CreateIndex, JobVersion: Version }
    const known = this.state.allocations.get(base.ID)
    this.state.allocations.put(this.state.index, { ...allocation({ ClientStatus: 'running' }), ...base, ...known, ...over })
  }

  drain(deadlineSeconds: number, ignoreSystemJobs = false): void {
    const terms = { deadline: deadlineSeconds * SECOND, ignoreSystemJobs, meta: null }
    this.propose([drainCommand(this.state.nodes.get('old')!, terms, this.clock.wallMs())])
  }

  /** Numbers of what a look sends away; `complete` when the host is drained. */
  look(): readonly (number | 'complete')[] {
    this.#proposed = []
    this.#drainer.reconcile()
    return this.#proposed.flatMap((body): readonly (number | 'complete')[] => {
      if (body.kind === 'node-drain-complete') return ['complete']
      return body.kind === 'allocation-transition' ? Object.keys(body.transitions).map((id) => Number(id.slice(-2))) : []
    })
  }

  waits(): readonly string[] {
    return leftOnNode(this.state, this.state.nodes.get('old')!, this.clock.wallMs()).map(({ wait }) => wait)
  }
}

test('services go one by one, as the health of what replaces them allows', () => {
  const draining = new Draining()
  draining.job('web', 'service', 2)
  draining.put(1, 'web', { DeploymentStatus: HEALTHY })
  draining.put(2, 'web', { DeploymentStatus: HEALTHY })
  draining.drain(600)
  expect(draining.look()).toEqual([1])
  expect(draining.waits()).toEqual(['ending', 'healthy-others'])
  draining.put(1, 'web', { DesiredStatus: 'stop', ClientStatus: 'complete' })
  draining.put(3, 'web', { NodeID: 'new' })
  expect(draining.look()).toEqual([])
  draining.put(3, 'web', { DeploymentStatus: HEALTHY })
  expect(draining.look()).toEqual([2])
  draining.put(2, 'web', { DesiredStatus: 'stop' })
  expect(draining.look()).toEqual([])
  draining.put(2, 'web', { ClientStatus: 'complete' })
  expect(draining.look()).toEqual(['complete'])
  expect(draining.state.nodes.get('old')).toMatchObject({
    DrainStrategy: null,
    SchedulingEligibility: 'ineligible',
    LastDrain: { Status: 'complete' },
  })
})

test('batch work may end by itself; at the deadline it is stopped and not begun again', () => {
  const draining = new Draining()
  draining.job('sum', 'batch', 1)
  draining.put(1, 'sum')
  draining.drain(60)
  expect(draining.look()).toEqual([])
  expect(draining.waits()).toEqual(['own-end'])
  draining.clock.advance(60_000)
  expect(draining.look()).toEqual([1])
  expect(draining.state.allocations.get(uuid(1, 6))?.DesiredTransition).toMatchObject({ Migrate: true, MigrateDisablePlacement: true })
  draining.put(1, 'sum', { DesiredStatus: 'stop', ClientStatus: 'complete' })
  expect(draining.look()).toEqual(['complete'])
  expect(draining.state.nodes.get('old')?.Events.at(-1)).toMatchObject({
    Message: 'Node drain complete',
    Details: { deadline_reached: 'true' },
  })
})

test('system jobs go last, or not at all', () => {
  const draining = new Draining()
  draining.job('web', 'service', 1)
  draining.job('guard', 'system', 1)
  draining.put(1, 'web', { DeploymentStatus: HEALTHY })
  draining.put(2, 'guard')
  draining.drain(600)
  expect(draining.look()).toEqual([1])
  expect(draining.waits()).toEqual(['ending', 'all-else'])
  draining.put(1, 'web', { DesiredStatus: 'stop', ClientStatus: 'complete' })
  expect(draining.look()).toEqual([2])
  draining.put(2, 'guard', { DesiredStatus: 'stop', ClientStatus: 'complete' })
  draining.put(3, 'guard')
  draining.drain(600, true)
  expect(draining.look()).toEqual(['complete'])
})

test('a drain that is forced waits for nobody, and an empty host is drained at once', () => {
  const draining = new Draining()
  draining.drain(600)
  expect(draining.look()).toEqual(['complete'])
  draining.job('web', 'service', 3)
  draining.put(1, 'web')
  draining.put(2, 'web')
  draining.drain(-1)
  expect(draining.look()).toEqual([1, 2])
})

test('more go at once when the job asks for fewer', () => {
  const draining = new Draining()
  draining.job('web', 'service', 3)
  for (const number of [1, 2, 3]) draining.put(number, 'web', { DeploymentStatus: HEALTHY })
  draining.drain(600)
  expect(draining.look()).toEqual([1])
  expect(draining.look()).toEqual([])
  draining.job('web', 'service', 2)
  expect(draining.look()).toEqual([2])
})

test('what is unhealthy is moved without waiting for others', () => {
  const draining = new Draining()
  draining.job('web', 'service', 2)
  draining.put(1, 'web', { DeploymentStatus: { ...HEALTHY, Healthy: false } })
  draining.put(2, 'web')
  draining.drain(600)
  expect(draining.look()).toEqual([1])
})
