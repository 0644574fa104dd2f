import { expect, test } from 'vitest'
import { isDeploymentActive, SECOND } from '../../src/domain/index.js'
import { allocation, job, node, task, uuid } from '../fixtures.js'
import { group, names, Story, withEnv } from './story.js'

test('a new service is placed count times under its own names, with a deployment', () => {
  const story = new Story().nodes(3).register({ TaskGroups: [group(3)] })
  const { plan, evaluation: ended } = story.evaluate()
  expect(plan.Placements.length).toBe(3)
  expect(new Set(names(story.wanted())).size).toBe(3)
  expect(ended.Status).toBe('complete')
  expect(story.state.deployments.all().map((row) => row.Status)).toEqual(['running'])
})

test('a second evaluation of a job that is as wanted does nothing', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(2)] })
  story.evaluate()
  const { plan } = story.evaluate()
  expect([plan.Placements.length, plan.Stops.length, plan.Updates.length]).toEqual([0, 0, 0])
})

test('a smaller count stops the highest names', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(4)] })
  story.evaluate()
  story.register({ TaskGroups: [group(2)], Version: 1 }).evaluate()
  expect(names(story.wanted()).map((name) => name.slice(-3))).toEqual(['[0]', '[1]'])
})

test('a new version replaces max_parallel at a time, and goes on when those are healthy', () => {
  const story = new Story().nodes(3).register({ TaskGroups: [group(3, { Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true)
  story.register({ TaskGroups: [group(3, { Tasks: withEnv('b') })], Version: 1 })
  const first = story.evaluate()
  expect([first.plan.Stops.length, first.plan.Placements.length]).toEqual([1, 1])
  expect(story.evaluate().plan.Placements.length).toBe(0)
  story.report(
    story.wanted().filter((row) => row.JobVersion === 1),
    'running',
    true,
  )
  expect(story.evaluate().plan.Placements.length).toBe(1)
})

test('a change of the restart policy alone is carried in place', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(1)] })
  story.evaluate()
  story.report(story.wanted(), 'running', true)
  const before = story.wanted()[0]!.ID
  const policy = { ...job().TaskGroups[0]!.RestartPolicy!, Attempts: 7 }
  story.register({ TaskGroups: [group(1, { RestartPolicy: policy, Tasks: [task({ RestartPolicy: policy })] })], Version: 1 })
  const { plan } = story.evaluate()
  expect([plan.Stops.length, plan.Placements.length, plan.Updates.map((row) => row.ID)]).toEqual([0, 0, [before]])
  expect(story.wanted()[0]!.JobVersion).toBe(1)
})

test('what the failures of a group lack is added up by task, where it was too little', () => {
  const large = task({ Name: 'large', Resources: { ...task().Resources, CPU: 100, MemoryMB: 600_000 } })
  const { evaluation } = new Story()
    .nodes(2)
    .register({ TaskGroups: [group(3, { Update: null, Tasks: [large] })] })
    .evaluate()
  expect(evaluation.FailedTGAllocs!['group']).toMatchObject({
    CoalescedFailures: 2,
    ResourcesExhausted: { large: { CPU: 0, MemoryMB: 1_800_000, Cores: 0, Networks: null } },
  })
})

test('what does not fit is blocked with the dimension, and placed when there is room', () => {
  const story = new Story()
    .nodes(1)
    .register({ TaskGroups: [group(1, { Tasks: [task({ Resources: { ...task().Resources, MemoryMB: 1_000_000 } })] })] })
  const { evaluation: ended, created } = story.evaluate()
  expect(ended.BlockedEval).toBe(created[0]!.ID)
  expect(Object.values(ended.FailedTGAllocs!)[0]!.DimensionExhausted).toEqual({ memory: 1 })
  expect(Object.values(ended.QueuedAllocations!)).toEqual([1])
})

test('a constraint that nobody meets is told by its text', () => {
  const story = new Story().nodes(2).register({ Constraints: [{ LTarget: '${attr.kernel.name}', Operand: '=', RTarget: 'plan9' }] })
  const { evaluation: ended } = story.evaluate()
  expect(Object.values(ended.FailedTGAllocs!)[0]!.ConstraintFiltered).toEqual({ '${attr.kernel.name} = plan9': 2 })
})

test('what ran on a node that is down is lost and placed elsewhere under the same name', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(1)] })
  story.evaluate()
  story.report(story.wanted(), 'running')
  const [lost] = story.wanted()
  story.do({ kind: 'node-status', nodeId: lost!.NodeID, status: 'down', description: '', evaluations: [] }).evaluate()
  expect(story.state.allocations.get(lost!.ID)!.ClientStatus).toBe('lost')
  const [next] = story.wanted()
  expect([next!.Name, next!.PreviousAllocation, next!.NodeID === lost!.NodeID]).toEqual([lost!.Name, lost!.ID, false])
})

test('a failed allocation waits for its delay and is then replaced elsewhere', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(1, { Update: null })] })
  story.evaluate()
  story.report(story.wanted(), 'failed')
  const later = story.evaluate()
  expect(later.plan.Placements.length).toBe(0)
  expect(later.created.map((row) => row.TriggeredBy)).toEqual(['alloc-reschedule'])
  const now = story.pass(31_000).evaluate({ ID: later.created[0]!.ID })
  expect(now.plan.Placements.map((row) => row.RescheduleTracker?.Events?.length)).toEqual([1])
})

test('a failed allocation that found no room when its delay was over is placed when there is some, even if the clock was set back', () => {
  const large = { Tasks: [task({ Resources: { ...task().Resources, MemoryMB: node().NodeResources.Memory.MemoryMB } })] }
  const story = new Story().nodes(1).register({ TaskGroups: [group(1, { Update: null, ...large })] })
  story.evaluate()
  story.report(story.wanted(), 'failed')
  const [later] = story.evaluate().created
  story.do({ kind: 'node-eligibility', nodeId: uuid(1, 1), eligibility: 'ineligible', evaluations: [] })
  const [blocked] = story.evaluate({ ID: later!.ID }).created
  expect(blocked!.Status).toBe('blocked')
  story.do({ kind: 'node-eligibility', nodeId: uuid(1, 1), eligibility: 'eligible', evaluations: [] })
  expect(story.evaluate({ ID: blocked!.ID, Status: 'blocked' }).plan.Placements.length).toBe(1)
})

test('a failed allocation that is beyond the count when its delay is over is not replaced', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(2, { Update: null })] })
  story.evaluate()
  story.report(story.wanted(), 'failed').evaluate()
  story.register({ TaskGroups: [group(1, { Update: null })] }).pass(60_000)
  const { plan } = story.evaluate()
  expect([names(plan.Placements), names(story.wanted())]).toEqual([['group[0]'], ['group[0]']])
})

test('a batch job that has run is not run again, one that failed is', () => {
  const story = new Story().nodes(1).register({ Type: 'batch', TaskGroups: [group(2, { Update: null })] })
  story.evaluate()
  const [first, second] = story.wanted()
  story.report([first!], 'complete').report([second!], 'failed')
  const { plan, created } = story.pass(60_000).evaluate()
  expect([plan.Placements.length, created.length]).toEqual([1, 0])
})

test('a system job runs once on every node, also on one that comes later', () => {
  const story = new Story().nodes(3).register({ Type: 'system', TaskGroups: [group(1)] })
  expect(story.evaluate().plan.Placements.length).toBe(3)
  story.do({ kind: 'node-register', node: node({ ID: uuid(9, 1), Name: 'n9' }), reportNumber: 0, evaluations: [] })
  expect(story.evaluate().plan.Placements.map((row) => row.NodeID)).toEqual([uuid(9, 1)])
})

test('a node that goes down in the roll-out of a system job leaves its turn to another', () => {
  const Update = { ...group(1).Update!, MaxParallel: 1 }
  const story = new Story().nodes(3).register({ Type: 'system', TaskGroups: [group(1, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, Type: 'system', TaskGroups: [group(1, { Update, Tasks: withEnv('b') })] })
  const [first] = story.evaluate().plan.Placements
  expect(story.evaluate().plan.Placements).toEqual([])
  story.do({ kind: 'node-status', nodeId: first!.NodeID, status: 'down', description: '', evaluations: [] })
  const { plan } = story.evaluate()
  expect([plan.Stops.find(({ ID }) => ID === first!.ID)?.ClientStatus, plan.Placements.length]).toEqual(['lost', 1])
})

test('a canary of a system job that is lost is tried on another node', () => {
  const Update = { ...group(1).Update!, MaxParallel: 1, Canary: 25 }
  const story = new Story().nodes(3).register({ Type: 'system', TaskGroups: [group(1, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, Type: 'system', TaskGroups: [group(1, { Update, Tasks: withEnv('b') })] })
  const [first] = story.evaluate().plan.Placements
  story.do({ kind: 'node-status', nodeId: first!.NodeID, status: 'down', description: '', evaluations: [] })
  const placed = story.evaluate().plan.Placements
  expect(placed.map(({ DeploymentStatus }) => DeploymentStatus?.Canary)).toEqual([true])
})

test('a canary of a system job that fails is tried again where it was, and a newer version begins there', () => {
  const Update = { ...group(1).Update!, MaxParallel: 1, Canary: 25 }
  const versionOf = (Version: number, value: string) =>
    ({ Version, Type: 'system', TaskGroups: [group(1, { Update, Tasks: withEnv(value) })] }) as const
  const story = new Story().nodes(3).register(versionOf(0, 'a'))
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register(versionOf(1, 'b'))
  const [first] = story.evaluate().plan.Placements
  story.report([first!], 'failed', false)
  const again = story.evaluate().plan.Placements
  expect(again.map(({ NodeID, DeploymentStatus }) => [NodeID, DeploymentStatus?.Canary])).toEqual([[first!.NodeID, true]])
  story.register(versionOf(2, 'c'))
  expect(story.evaluate().plan.Placements.map(({ NodeID }) => NodeID)).toEqual([first!.NodeID])
})

test('a stopped job stops everything and cancels its deployment', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(2)] })
  story.evaluate()
  story.do({ kind: 'job-deregister', namespace: 'default', jobId: job().ID, purge: false, evaluations: [] }).evaluate()
  expect(story.wanted()).toEqual([])
  expect(story.state.deployments.all().map((row) => row.Status)).toEqual(['cancelled'])
})

test('two allocations never get the same static port on one node', () => {
  const networks = [{ Mode: 'host', ReservedPorts: [{ Label: 'http', Value: 8080, To: 0, HostNetwork: 'default' }] }]
  const story = new Story().nodes(2).register({ TaskGroups: [group(3, { Networks: networks })] })
  const { plan, evaluation: ended } = story.evaluate()
  expect(new Set(plan.Placements.map((row) => row.NodeID)).size).toBe(2)
  expect(Object.values(ended.FailedTGAllocs!)[0]!.DimensionExhausted).toMatchObject({ 'network: reserved port collision http=8080': 2 })
})

test('more of a group that comes with canaries leaves no two of one name', () => {
  const Update = { ...group(1).Update!, MaxParallel: 3, Canary: 2 }
  const story = new Story().nodes(4).register({ TaskGroups: [group(1, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, TaskGroups: [group(3, { Update, Tasks: withEnv('b') })] }).evaluate()
  story.report(story.wanted(), 'running', true)
  const deploymentId = story.state.deployments.all().find(isDeploymentActive)!.ID
  story.do({ kind: 'deployment-promote', deploymentId, groups: ['group'], evaluations: [] }).evaluate()
  expect(
    story
      .wanted()
      .map(({ Name, JobVersion }) => `${Name} ${JobVersion}`)
      .sort(),
  ).toEqual([0, 1, 2].map((index) => `web.group[${index}] 1`))
})

test('a canary is placed beside what runs, and the rest follows its promotion', () => {
  const update = { ...job().TaskGroups[0]!.Update!, Canary: 1, MaxParallel: 2 }
  const story = new Story().nodes(3).register({ TaskGroups: [group(2, { Update: update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true)
  story.evaluate()
  story.register({ TaskGroups: [group(2, { Update: update, Tasks: withEnv('b') })], Version: 1 }).evaluate()
  const canaries = story.wanted().filter((row) => row.DeploymentStatus?.Canary === true)
  expect([story.wanted().length, canaries.length]).toEqual([3, 1])
  story.report(canaries, 'running', true)
  const deployment = story.state.deployments.all().find((row) => row.JobVersion === 1)!
  story
    .do({ kind: 'deployment-promote', deploymentId: deployment.ID, groups: Object.keys(deployment.TaskGroups), evaluations: [] })
    .evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  expect(story.wanted().map((row) => row.JobVersion)).toEqual([1, 1])
})

test('canaries are placed as long as the trial lasts, also when nothing else is left', () => {
  const Update = { ...group(1).Update!, Canary: 1 }
  const story = new Story().nodes(4).register({ TaskGroups: [group(1, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, TaskGroups: [group(1, { Update, Tasks: withEnv('b') })] }).evaluate()
  for (const { NodeID: nodeId } of story.wanted())
    story.do({ kind: 'node-status', nodeId, status: 'down', description: '', evaluations: [] })
  story.evaluate()
  expect(story.wanted().map((row) => [row.JobVersion, row.DeploymentStatus?.Canary === true])).toContainEqual([1, true])
})

test('canaries that were drained away are not moved again once their trial was given up', () => {
  const Update = { ...group(2).Update!, Canary: 1 }
  const story = new Story().nodes(4).register({ TaskGroups: [group(2, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, TaskGroups: [group(2, { Update, Tasks: withEnv('b') })] }).evaluate()
  for (let drains = 1; drains <= 3; drains++) {
    const [canary] = story.wanted().filter((row) => row.DeploymentStatus?.Canary === true)
    story.do({ kind: 'allocation-transition', transitions: { [canary!.ID]: { Migrate: true } }, evaluations: [] }).evaluate()
    story.report([canary!], 'complete').evaluate()
  }
  story.register({ Version: 2, TaskGroups: [group(2, { Update: { ...Update, Canary: 0 }, Tasks: withEnv('c') })] }).evaluate()
  expect(names(story.wanted())).toEqual(['group[0]', 'group[1]'])
  expect(story.wanted().some((row) => row.DeploymentStatus?.Canary === true)).toBe(false)
})

test('what is moved while canaries are tried keeps the version that is proven', () => {
  const Update = { ...group(2).Update!, Canary: 1 }
  const story = new Story().nodes(4).register({ TaskGroups: [group(2, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Version: 1, TaskGroups: [group(2, { Update, Tasks: withEnv('b') })] }).evaluate()
  const ordinary = story.wanted().filter((row) => row.JobVersion === 0)
  story.do({ kind: 'allocation-transition', transitions: { [ordinary[0]!.ID]: { Migrate: true } }, evaluations: [] }).evaluate()
  const moved = story.wanted().find((row) => row.PreviousAllocation === ordinary[0]!.ID)!
  expect([moved.Name, moved.JobVersion, moved.DeploymentStatus?.Canary]).toEqual([ordinary[0]!.Name, 0, undefined])
})

test('a roll-out of a system job that is paused updates nothing until it goes on', () => {
  const Update = { ...group(1).Update!, MaxParallel: 1 }
  const story = new Story().nodes(3).register({ Type: 'system', TaskGroups: [group(1, { Update, Tasks: withEnv('a') })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.register({ Type: 'system', Version: 1, TaskGroups: [group(1, { Update, Tasks: withEnv('b') })] }).evaluate()
  const versions = () =>
    story
      .wanted()
      .map(({ JobVersion }) => JobVersion)
      .sort()
  expect(versions()).toEqual([0, 0, 1])
  const { ID: DeploymentID } = story.state.deployments.all().find(isDeploymentActive)!
  const become = (Status: 'paused' | 'running') =>
    story.do({ kind: 'deployment-update', updates: [{ DeploymentID, Status, StatusDescription: '' }], evaluations: [] })
  become('paused').report(story.wanted(), 'running', true).evaluate()
  expect(versions()).toEqual([0, 0, 1])
  become('running').evaluate()
  expect(versions()).toEqual([0, 1, 1])
})

test('who replaces all that a silent node ran begins no roll-out of the version that ran', () => {
  const Disconnect = { LostAfter: 3_600 * SECOND, Replace: true, Reconcile: 'keep-original', StopOnClientAfter: null } as const
  const story = new Story().nodes(1).register({ TaskGroups: [group(2, { Disconnect })] })
  story.evaluate()
  story.report(story.wanted(), 'running', true).evaluate()
  story.nodes(2)
  const [first] = story.wanted()
  story.do({ kind: 'node-status', nodeId: first!.NodeID, status: 'disconnected', description: '', evaluations: [] }).evaluate()
  story.pass(600_000).evaluate({ ID: story.wanted()[0]!.FollowupEvalID! })
  expect(story.wanted().map(({ ClientStatus }) => ClientStatus)).toEqual(['unknown', 'unknown', 'pending', 'pending'])
  expect(story.state.deployments.all().map(({ Status }) => Status)).toEqual(['successful'])
})

test('an allocation of a job that is not there any more is stopped', () => {
  const story = new Story().nodes(1).register({ TaskGroups: [group(1)] })
  story.evaluate()
  expect(allocation().JobID).toBe(job().ID)
  const { plan } = story
    .do({ kind: 'job-deregister', namespace: 'default', jobId: job().ID, purge: false, evaluations: [] })
    .evaluate({ TriggeredBy: 'job-deregister' })
  expect(plan.Stops.length).toBe(1)
})
