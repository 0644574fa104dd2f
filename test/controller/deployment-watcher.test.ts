/** What a roll-out's watcher proposes, over real tables. */
import { expect, test } from 'vitest'
import { DeploymentWatcher } from '../../src/controller/deployment-watcher.js'
import { type Allocation, type DeploymentState, rfc3339, SECOND, type TaskGroup } from '../../src/domain/index.js'
import { type CommandBody, State } from '../../src/state/index.js'
import { allocation, deployment, deploymentState, job, taskGroup, uuid } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ManualClock } from './manual-clock.js'

const DEPLOYMENT = uuid(1, 5)
const HEALTHY = { Healthy: true, Timestamp: rfc3339(0), Canary: false, ModifyIndex: 5 }
const UNHEALTHY = { ...HEALTHY, Healthy: false }
const FOR_EVER = { Attempts: 0, Interval: 0, Delay: 30 * SECOND, DelayFunction: 'constant' as const, MaxDelay: 0, Unlimited: true }
const NEVER = { ...FOR_EVER, Unlimited: false }

/** The roll-out of a job's group of two. */
class Rollout {
  readonly clock = new ManualClock()
  readonly state = new State()
  readonly #proposed: CommandBody[] = []
  readonly #watcher: DeploymentWatcher

  constructor(states: Partial<DeploymentState> = {}, group: Partial<TaskGroup> = {}) {
    const { clock, state } = this
    state.jobs.put(1, job({ TaskGroups: [taskGroup({ Count: 2, ReschedulePolicy: FOR_EVER, ...group })] }))
    const groups = { group: deploymentState({ DesiredTotal: 2, RequireProgressBy: rfc3339(clock.wallMs() + 600_000), ...states }) }
    state.deployments.put(1, deployment({ ID: DEPLOYMENT, TaskGroups: groups }))
    const propose = (bodies: readonly CommandBody[]) => this.#proposed.push(...bodies)
    this.#watcher = new DeploymentWatcher({ view: state, clock, random: new SeededRandom(1), propose, onDue: () => {} })
  }

  /** Allocations change, and the watcher looks. Answers the kinds of what it proposes, and to what it says that it may be replaced. */
  look(...rows: readonly Partial<Allocation>[]): readonly string[] {
    for (const [at, row] of rows.entries()) {
      this.state.allocations.put(1, { ...allocation({ ID: uuid(at, 6), DeploymentID: DEPLOYMENT, ClientStatus: 'running' }), ...row })
    }
    this.#watcher.reconcile()
    return this.#proposed.splice(0).map((body) => {
      if (body.kind === 'allocation-transition') return `${body.kind} ${Object.keys(body.transitions).map((id) => Number(id.slice(-1)))}`
      return body.kind === 'deployment-update' ? `${body.updates[0]!.Status}: ${body.updates[0]!.StatusDescription}` : body.kind
    })
  }
}

test('each that becomes healthy asks for the next step, once', () => {
  const rollout = new Rollout()
  expect(rollout.look({ DeploymentStatus: HEALTHY })).toEqual(['evaluation-update'])
  expect(rollout.look({ DeploymentStatus: { ...HEALTHY } })).toEqual([])
})

test('what does not become healthy may be replaced as long as its policy allows, and is told so once', () => {
  const rollout = new Rollout()
  expect(rollout.look({ DeploymentStatus: UNHEALTHY, ClientStatus: 'failed' })).toEqual(['allocation-transition 0'])
  expect(rollout.look({ DeploymentStatus: { ...UNHEALTHY }, ClientStatus: 'failed', DesiredTransition: { Reschedule: true } })).toEqual([])
})

test('so may what fails after it had been healthy, while the others are still awaited', () => {
  const rollout = new Rollout()
  rollout.look({ DeploymentStatus: HEALTHY })
  expect(rollout.look({ DeploymentStatus: HEALTHY, ClientStatus: 'failed' })).toEqual(['allocation-transition 0'])
})

test('without an attempt left the roll-out fails at once', () => {
  const rollout = new Rollout({}, { ReschedulePolicy: NEVER })
  expect(rollout.look({ DeploymentStatus: UNHEALTHY, ClientStatus: 'failed' })).toEqual(['failed: Failed due to unhealthy allocations'])
})

test('it fails when its deadline passes without progress', () => {
  const rollout = new Rollout()
  expect(rollout.look({})).toEqual([])
  rollout.clock.advance(600_000)
  expect(rollout.look()).toEqual(['failed: Failed due to progress deadline'])
})

test('when all are healthy it asks for the step that finds nothing left to do', () => {
  const rollout = new Rollout({ HealthyAllocs: 2 })
  expect(rollout.look({ DeploymentStatus: HEALTHY }, { DeploymentStatus: HEALTHY })).toEqual(['evaluation-update'])
})
