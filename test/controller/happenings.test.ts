import { describe, expect, test } from 'vitest'
import { describeHappenings } from '../../src/controller/happenings.js'
import type { Allocation, Deployment, DeploymentState, Node, TaskEvent, TaskState } from '../../src/domain/index.js'
import type { RowChange } from '../../src/state/index.js'
import { allocation, deployment, node } from '../fixtures.js'

const told = (...changes: readonly RowChange[]) =>
  describeHappenings([{ index: 1, kind: 'job-register', changes: new Map(changes.map((change, at) => [String(at), change])) }])

const oak = (over: Partial<Node>) => node({ Name: 'oak', NodePool: 'gpu', ...over })
const ofNode = (before: Node | undefined, after: Node | undefined): RowChange => ({ table: 'nodes', key: 'n', before, after })

const GROUP: DeploymentState = {
  AutoRevert: false,
  AutoPromote: false,
  ProgressDeadline: 0,
  RequireProgressBy: '',
  Promoted: false,
  PlacedCanaries: null,
  DesiredCanaries: 1,
  DesiredTotal: 1,
  PlacedAllocs: 0,
  HealthyAllocs: 0,
  UnhealthyAllocs: 0,
}
const web = (over: Partial<Deployment>) => deployment({ JobID: 'web', JobVersion: 3, TaskGroups: {}, Status: 'running', ...over })
const ofDeployment = (before: Deployment | undefined, after: Deployment | undefined): RowChange => ({
  table: 'deployments',
  key: 'd',
  before,
  after,
})

test('hosts that join, go silent, come back, are drained and forgotten', () => {
  const ready = oak({ Status: 'ready' })
  const draining = oak({ Status: 'ready', DrainStrategy: {} as NonNullable<Node['DrainStrategy']> })
  expect(
    told(
      ofNode(undefined, ready),
      ofNode(ready, oak({ Status: 'down' })),
      ofNode(ready, oak({ Status: 'disconnected' })),
      ofNode(oak({ Status: 'down' }), ready),
      ofNode(ready, draining),
      ofNode(draining, ready),
      ofNode(ready, undefined),
    ),
  ).toEqual([
    'host oak has joined, in the pool gpu',
    'host oak is silent: it counts as down',
    'host oak is silent: what runs there may come back',
    'host oak is back',
    'host oak is being drained',
    'the drain of host oak is over',
    'host oak is forgotten',
  ])
})

test('a host that says more of itself, or is ready for the first time, is no news', () => {
  expect(told(ofNode(oak({ Status: 'initializing' }), oak({ Status: 'ready' })))).toEqual([])
  expect(told(ofNode(oak({ Status: 'ready' }), oak({ Status: 'ready', Attributes: { a: 'b' } })))).toEqual([])
})

test('roll-outs that are done, fail, are paused, go on, wait to be promoted, and are', () => {
  const canaries = (Promoted: boolean) => ({ main: { ...GROUP, Promoted } })
  expect(
    told(
      ofDeployment(web({}), web({ Status: 'successful' })),
      ofDeployment(web({}), web({ Status: 'failed', StatusDescription: 'Failed due to unhealthy allocations' })),
      ofDeployment(web({}), web({ Status: 'paused' })),
      ofDeployment(web({ Status: 'paused' }), web({})),
      ofDeployment(undefined, web({ TaskGroups: canaries(false) })),
      ofDeployment(web({ TaskGroups: canaries(false) }), web({ TaskGroups: canaries(true), Namespace: 'apps' })),
    ),
  ).toEqual([
    'web: the roll-out of version 3 is done',
    'web: the roll-out of version 3 failed: Failed due to unhealthy allocations',
    'web: the roll-out of version 3 is paused',
    'web: the roll-out of version 3 goes on',
    'web: the roll-out of version 3 waits to be promoted once its canaries are healthy',
    'apps/web: the roll-out of version 3 is promoted',
  ])
})

test('one that begins, makes progress, or gives way to a newer one is no news', () => {
  expect(
    told(ofDeployment(undefined, web({})), ofDeployment(web({}), web({ Status: 'cancelled' })), ofDeployment(web({}), undefined)),
  ).toEqual([])
})

test('a host that its file gives another name or pool, and one whose file reserves all it has', () => {
  const kept = (CpuShares: number) => {
    const { ReservedResources } = node()
    return { ReservedResources: { ...ReservedResources, Cpu: { ...ReservedResources.Cpu, CpuShares } } }
  }
  const total = node().NodeResources.Cpu.CpuShares
  expect(
    told(
      ofNode(oak({}), oak({ Name: 'elm', NodePool: 'default' })),
      ofNode(oak({}), oak(kept(total))),
      ofNode(oak(kept(total)), oak({ ...kept(total), Meta: {} })),
      ofNode(undefined, oak(kept(total + 1))),
    ),
  ).toEqual([
    'host oak is elm now, in the pool default',
    `host oak: all its cpu is reserved (${total} of ${total} MHz)`,
    `host oak has joined, in the pool gpu; all its cpu is reserved (${total + 1} of ${total} MHz)`,
  ])
})

describe('what fails', () => {
  const event = (Type: string, DisplayMessage = '') => ({ Type, DisplayMessage }) as TaskEvent
  const task = (Failed: boolean, ...Events: TaskEvent[]) => ({ Failed, Events, State: 'dead' }) as unknown as TaskState
  const ofAllocation = (before: Partial<Allocation> | undefined, after: Partial<Allocation>): RowChange => ({
    table: 'allocations',
    key: 'a',
    before: before === undefined ? undefined : allocation(before),
    after: allocation(after),
  })
  const failed: Partial<Allocation> = {
    ClientStatus: 'failed',
    TaskStates: {
      sidecar: task(false, event('Killed', 'Sent interrupt')),
      other: task(true, event('Sibling Task Failed', "Task's sibling failed")),
      main: task(true, event('Terminated', 'Exit Code: 3'), event('Not Restarting', 'Exceeded allowed attempts')),
    },
  }

  test('is told with its reason, once', () => {
    const running: Partial<Allocation> = { ClientStatus: 'running' }
    expect(
      told(
        ofAllocation(running, failed),
        ofAllocation(failed, { ...failed, DesiredStatus: 'stop' }),
        ofAllocation(running, { ClientStatus: 'complete' }),
        ofAllocation(undefined, { ...failed, Namespace: 'apps', TaskStates: {} }),
      ),
    ).toEqual(['web.group[0] failed on n1: task main: Exit Code: 3', 'apps/web.group[0] failed on n1'])
  })

  test('in great numbers is counted', () => {
    expect(told(...Array.from({ length: 12 }, () => ofAllocation(undefined, failed))).slice(4)).toEqual([
      'web.group[0] failed on n1: task main: Exit Code: 3',
      '7 more failed',
    ])
  })
})
