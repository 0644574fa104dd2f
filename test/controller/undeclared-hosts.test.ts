import { expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { DeclaredHosts } from '../../src/controller/declared-hosts.js'
import type { Leader } from '../../src/controller/leader.js'
import { UndeclaredHosts } from '../../src/controller/undeclared-hosts.js'
import { SECOND } from '../../src/domain/index.js'
import { apply, type CommandBody, State } from '../../src/state/index.js'
import { allocation, job, node } from '../fixtures.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { ManualClock } from './manual-clock.js'

function world(stopAfterUndeclaredMs?: number) {
  const state = new State()
  const web = job({ ID: 'web' })
  state.jobs.put(1, web)
  state.nodes.put(1, node({ ID: 'n', SchedulingEligibility: 'eligible' }))
  const base = { NodeID: 'n', JobID: 'web', JobCreateIndex: web.CreateIndex, DesiredStatus: 'run' as const }
  state.allocations.put(1, allocation({ ...base, ID: 'running', ClientStatus: 'running' }))
  state.allocations.put(1, allocation({ ...base, ID: 'ended', ClientStatus: 'complete' }))
  if (stopAfterUndeclaredMs !== undefined) state.schedulerConfiguration = { ...state.schedulerConfiguration, stopAfterUndeclaredMs }
  const proposed: CommandBody[] = []
  const clock = new ManualClock()
  const leader = {
    state,
    clock,
    propose: (commands: readonly CommandBody[]) => {
      for (const command of commands) apply(state, state.index + 1, { ...command, atMs: clock.wallMs() })
      proposed.push(...commands)
    },
  } as unknown as Leader
  const declarations = new DeclaredHosts(state, [], (key) => key)
  const hosts = new UndeclaredHosts({ leader, clock, random: new SeededRandom(1), logger: silentLogger, declarations })
  return { state, hosts, clock, proposed }
}

test('a host without a file is drained, with ten minutes to go', () => {
  const { hosts, clock, proposed } = world()
  hosts.look('n')
  expect(proposed).toMatchObject([
    { kind: 'host-order' },
    { kind: 'node-drain', nodeId: 'n', eligibility: 'ineligible', drain: { Deadline: 600 * SECOND } },
  ])
  clock.advance(599_000)
  hosts.look('n')
  expect(proposed.filter(({ kind }) => kind === 'allocation-transition')).toEqual([])
  clock.advance(1_000)
  hosts.look('n')
  expect(proposed.at(-1)).toMatchObject({
    kind: 'allocation-transition',
    transitions: { running: { Migrate: true } },
    evaluations: [{ JobID: 'web', NodeID: 'n' }],
  })
  expect(Object.keys((proposed.at(-1) as { transitions: object }).transitions)).toEqual(['running'])
})

test('the cluster may say how long, and a file that is back ends the count', () => {
  const { hosts, clock, proposed, state } = world(30_000)
  hosts.look('n')
  clock.advance(29_000)
  state.nodeDeclarations.put(2, {
    name: 'n',
    path: 'agents/n.hcl',
    pool: 'default',
    nodeClass: '',
    datacenter: 'dc1',
    meta: {},
    publicKey: 'n',
    reserved: { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' },
    hostVolumes: {},
    isEligible: true,
    drain: null,
  })
  hosts.look('n')
  state.nodeDeclarations.delete(3, 'n')
  clock.advance(29_000)
  hosts.look('n')
  expect(proposed.filter(({ kind }) => kind === 'allocation-transition')).toEqual([])
  clock.advance(30_000)
  hosts.look('n')
  expect(proposed.filter(({ kind }) => kind === 'allocation-transition')).toHaveLength(1)
})
