/** Each decision is told as a code and facts, and as a sentence. */
import { expect, test } from 'vitest'
import type { Allocation, GroupExplanation, Reason, TaskState } from '../../src/domain/index.js'
import { explainPlan } from '../../src/scheduler/index.js'
import { node, task, taskEvent, taskState, uuid } from '../fixtures.js'
import { group, Story, withEnv } from './story.js'

const PLAIN = { Update: null }
const codes = (reasons: readonly Reason[]) => reasons.map(({ code }) => code)
const ofGroup = (story: Story): GroupExplanation => story.explain().groups[0]!

test('a placement tells why it is there, what its node scored and who was next', () => {
  const story = new Story().nodes(3).register({ TaskGroups: [group(1, PLAIN)] })
  story.evaluate()
  const [reason] = ofGroup(story).placements
  expect(reason).toMatchObject({ code: 'new', facts: { nodesEvaluated: 3, nodesFiltered: 0, nodesExhausted: 0 } })
  expect(reason!.text).toMatch(
    /^web\.group\[0\] is on (n\d): it was wanted and not there; \1 is the best of 3 that can take it, at [\d.]+ \(binpack [\d.]+\), next n\d [\d.]+$/,
  )
})

test('what follows another tells what became of that', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(1, { ...PLAIN, Tasks: withEnv('a') })] })
  story.evaluate()
  story.register({ Version: 1, TaskGroups: [group(1, { ...PLAIN, Tasks: withEnv('b') })] }).evaluate()
  expect(codes(ofGroup(story).placements)).toEqual(['replaces-older-version'])
  expect(ofGroup(story).stops[0]!.text).toMatch(/was ended on n\d: it ran version 0, the newest is 1$/)
  const [living] = story.wanted()
  story.report(
    story.state.allocations.all().filter((row) => row.DesiredStatus === 'stop'),
    'complete',
  )
  story.do({ kind: 'node-status', nodeId: living!.NodeID, status: 'down', description: '', evaluations: [] }).evaluate()
  expect(codes(ofGroup(story).placements)).toEqual(['replaces-lost'])
  expect(codes(ofGroup(story).stops)).toEqual(['node-down', 'older-version'])
})

test('what has completed by itself tells so, in the words of its host', () => {
  const story = new Story().nodes(1).register({ Type: 'batch', TaskGroups: [group(1, PLAIN)] })
  story.evaluate()
  story.report(story.wanted(), 'complete')
  const [end] = ofGroup(story).stops
  expect([end!.code, end!.text]).toEqual(['completed', 'web.group[0] has completed on n1: its tasks have ended'])
  expect(ofGroup(story).missing).toEqual([])
})

test('more than is wanted is told with the count', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(3, PLAIN)] })
  story.evaluate()
  story.register({ TaskGroups: [group(1, PLAIN)] }).evaluate()
  expect(codes(ofGroup(story).stops)).toEqual(['surplus', 'surplus'])
  expect(ofGroup(story).stops[0]!.text).toContain('more than the 1 wanted were there')
})

test('what has no node is told with every node and what stands against it', () => {
  const story = new Story().nodes(1)
  story.do({
    kind: 'node-register',
    node: node({ ID: uuid(9, 1), Name: 'odd', Attributes: {}, ComputedClass: 'odd' }),
    reportNumber: 0,
    evaluations: [],
  })
  const large = task({ Resources: { ...task().Resources, MemoryMB: 1_000_000 } })
  const Constraints = [{ LTarget: '${attr.kernel.name}', RTarget: 'linux', Operand: '=' }]
  story.register({ Constraints, TaskGroups: [group(2, { ...PLAIN, Tasks: [large] })] }).evaluate()
  const [shortfall, room] = ofGroup(story).missing
  expect([shortfall!.code, room!.code]).toEqual(['no-room', 'waits-for-room'])
  expect(shortfall!.facts['missing']).toBe(2)
  expect(shortfall!.facts['nodes']).toEqual([
    { node: 'n1', verdict: 'exhausted', reason: 'memory' },
    { node: 'odd', verdict: 'filtered', reason: '${attr.kernel.name} = linux' },
  ])
  expect(shortfall!.text).toBe('2 of group group have no node: of 2 node(s) 1 fail ${attr.kernel.name} = linux, 1 lack memory')
})

test('a failure that is replaced later is told with the time, one that is not with the attempts', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(1, PLAIN)] })
  story.evaluate()
  story.report(story.wanted(), 'failed').evaluate()
  expect(codes(ofGroup(story).missing)).toEqual(['reschedule-later'])
  const never = { Attempts: 0, Interval: 0, Delay: 0, DelayFunction: 'constant' as const, MaxDelay: 0, Unlimited: false }
  const other = new Story().nodes(1).register({ TaskGroups: [group(1, { ...PLAIN, ReschedulePolicy: never })] })
  other.evaluate()
  other.report(other.wanted(), 'failed').evaluate()
  expect(codes(ofGroup(other).missing)).toEqual(['no-reschedule-left'])
})

test('a roll-out tells how far it is, and who must promote it', () => {
  const update = { ...group(1).Update!, MaxParallel: 1, Canary: 1 }
  const story = new Story().nodes(3).register({ TaskGroups: [group(2, { Update: update, Tasks: withEnv('a') })] })
  story.evaluate()
  expect(ofGroup(story).missing[0]!.text).toBe('0 of 2 are healthy; the next follow when these are')
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, TaskGroups: [group(2, { Update: update, Tasks: withEnv('b') })] }).evaluate()
  expect(codes(ofGroup(story).placements)).toContain('canary')
  story.report(
    story.wanted().filter((row) => row.DeploymentStatus?.Canary === true),
    'running',
    true,
  )
  expect(codes(ofGroup(story).missing)).toEqual(['roll-out-waits-for-promotion'])
})

test('a task that waits for what its template reads tells what that is, in the words of its host', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(1)] })
  story.evaluate()
  const [{ ID, NodeID, NodeName }] = story.wanted() as [Allocation]
  const report = (State: TaskState['State']) => {
    const told = taskEvent({ Type: 'Template', Details: { display_message: 'Missing: nomad.var.block(a)' } })
    const TaskStates = { main: taskState({ State, Events: [taskEvent(), told] }) }
    const reports = [{ ID, ClientStatus: 'pending' as const, ClientDescription: '', TaskStates }]
    story.do({ kind: 'allocation-update', nodeId: NodeID, reports, services: [], evaluations: [] })
  }
  report('pending')
  expect(ofGroup(story).missing[0]).toMatchObject({
    code: 'template-waits',
    text: `task main of web.group[0] waits on ${NodeName}: Missing: nomad.var.block(a)`,
  })
  report('running')
  expect(codes(ofGroup(story).missing)).not.toContain('template-waits')
})

test('a plan is explained before it is applied', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(2, { ...PLAIN, Tasks: withEnv('a') })] })
  story.evaluate()
  const before = story.state.jobs.all()[0]!
  const next = { ...before, Version: 1, JobModifyIndex: 99, TaskGroups: [group(1, { ...PLAIN, Tasks: withEnv('b') })] }
  const result = story.plan(next)
  expect(codes(explainPlan(story.state, next, result))).toEqual(['surplus', 'older-version', 'replaces-older-version'])
})

test('a periodic and a parameterized job miss nothing: others are made from them', () => {
  const periodic = { Enabled: true, Spec: '', Specs: ['@daily'], SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }
  for (const kind of [
    { Periodic: periodic },
    { ParameterizedJob: { Payload: 'optional', MetaRequired: null, MetaOptional: null } as const },
  ]) {
    const story = new Story().nodes(1).register({ Type: 'batch', ...kind, TaskGroups: [group(2, PLAIN)] })
    expect(ofGroup(story)).toMatchObject({ wanted: 0, missing: [{ code: 'made-into-others' }] })
  }
})

test('who had to make room is told by whom, in the plan and afterwards', () => {
  const large = [task({ Resources: { ...task().Resources, MemoryMB: 5_000 } })]
  const story = new Story().nodes(1).register({ Priority: 20, TaskGroups: [group(1, { ...PLAIN, Tasks: large })] })
  story.evaluate()
  story.register({ ID: 'agent', Name: 'agent', Type: 'system', Priority: 80, TaskGroups: [group(1, { ...PLAIN, Tasks: large })] })
  const result = story.plan(story.state.jobs.all().find((each) => each.ID === 'agent')!)
  const told = 'web.group[0] was ended on n1: agent.group[0] is more important and needed the room'
  expect(explainPlan(story.state, undefined, result)[0]).toMatchObject({ code: 'preempted', facts: { newestVersion: 0 }, text: told })
  expect(result.plan.Annotations?.PreemptedAllocs?.map(({ Name }) => Name)).toEqual(['web.group[0]'])
  story.evaluate({ JobID: 'agent', Type: 'system' })
  expect(ofGroup(story).stops.map(({ text }) => text)).toEqual([told])
})
