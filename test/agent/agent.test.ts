import { expect, test, vi } from 'vitest'
import { MockDriver } from '../../src/adapters/drivers/mock/mock-driver.js'
import { AGENT_DEFAULTS } from '../../src/agent/index.js'
import { SECOND } from '../../src/domain/index.js'
import { AgentHarness, mockTask, resources, stopped, wanted } from './harness.js'

const BATCH_POLICY = { Attempts: 0, Interval: 60 * SECOND, Delay: SECOND, Mode: 'fail', RenderTemplates: false }

test('an agent runs what it is told to and reports it', async () => {
  const { harness, server } = await begin([wanted(1)])
  expect(harness.running()).toHaveLength(1)
  expect(server.lastReport(wanted(1).allocation.ID)?.ClientStatus).toBe('running')
  expect(server.registered?.node.ID).toBe('node-1')
})

test('an allocation that is to stop ends and is reported complete', async () => {
  const { harness, server } = await begin([wanted(1)])
  server.publish([stopped(wanted(1), 20)])
  await harness.settle()
  expect(harness.running()).toEqual([])
  const report = server.lastReport(wanted(1).allocation.ID)!
  expect(report.ClientStatus).toBe('complete')
  expect(report.TaskStates['main']!.Events.map(({ Type }) => Type)).toEqual([
    'Received',
    'Task Setup',
    'Started',
    'Killing',
    'Terminated',
    'Killed',
  ])
})

test('an allocation that is to stop before it was ever seen is reported complete without a start', async () => {
  const { harness, server } = await begin([stopped(wanted(1), 20)])
  expect(harness.host.processes.size).toBe(0)
  expect(server.lastReport(wanted(1).allocation.ID)?.ClientStatus).toBe('complete')
})

test('what is absent from a newer set ends', async () => {
  const { harness, server } = await begin([wanted(1), wanted(2)])
  server.publish([wanted(2)])
  await harness.settle()
  expect(harness.running()).toEqual([`${wanted(2).allocation.ID}/main/1`])
})

test('neither an older version nor an older epoch is obeyed', async () => {
  const { harness, server } = await begin([wanted(1)])
  server.epoch = 3
  server.publish()
  await harness.settle()
  const newest = server.set()
  const nothing = { entries: [], bodies: [], jobs: [], count: 0, hash: '0000000000000000' }
  server.send({ ...newest, ...nothing, version: newest.version - 1 })
  server.send({ ...newest, ...nothing, epoch: 2, version: newest.version + 10 })
  await harness.settle()
  expect(harness.running()).toHaveLength(1)
})

test('an older epoch is not obeyed after a restart of the agent either', async () => {
  const { harness, server } = await begin([wanted(1)])
  server.epoch = 3
  server.publish()
  await harness.settle()
  await harness.kill()
  server.epoch = 2
  server.wanted = []
  server.version += 10
  await harness.start()
  await harness.clock.advance(10_000)
  expect(harness.running()).toHaveLength(1)
})

test('a foreign cluster is not obeyed', async () => {
  const { harness, server } = await begin([wanted(1)])
  server.clusterId = 'cluster-2'
  server.publish([])
  await harness.clock.advance(10_000)
  expect(harness.running()).toHaveLength(1)
})

test('nothing acts before all parts of a set are there, in whatever order they come', async () => {
  const { harness, server } = await begin([])
  server.wanted = [wanted(1), wanted(2)]
  server.version++
  server.messageBytesMax = 2_000
  const set = server.set()
  const parts = server.seal('desired', set, { session: '', number: set.version })
  expect(parts.length).toBeGreaterThan(2)
  const [first, ...others] = parts
  for (const part of others.reverse()) server.sendBytes(part)
  await harness.settle()
  expect(harness.running()).toEqual([])
  server.sendBytes(first!)
  await harness.settle()
  expect(harness.running()).toHaveLength(2)
})

test('a set whose entries are not those that it announces is pulled', async () => {
  const { harness, server } = await begin([])
  const pullsBefore = server.pullCount
  server.wanted = [wanted(1), wanted(2)]
  server.version++
  server.send({ ...server.set(), count: 3 })
  await harness.settle()
  expect(server.pullCount).toBe(pullsBefore + 1)
  expect(harness.running()).toHaveLength(2)
})

test('answers of many parts arrive: to a join, a pull and a report', async () => {
  const { harness, server } = await begin([wanted(1)], { messageBytesMax: 1_300 })
  expect(harness.running()).toHaveLength(1)
  server.publish([wanted(1), wanted(2)])
  await harness.settle()
  await expect.poll(() => server.lastReport(wanted(2).allocation.ID)?.ClientStatus).toBe('running')
})

test('a body that is missing keeps what runs and is pulled', async () => {
  const { harness, server } = await begin([wanted(1)])
  const pullsBefore = server.pullCount
  server.wanted = [wanted(1), wanted(2)]
  server.version++
  server.send({ ...server.set(), baseVersion: 1, bodies: [] })
  await harness.settle()
  expect(server.pullCount).toBe(pullsBefore + 1)
  expect(harness.running()).toHaveLength(2)
})

test('a lost set is noticed within one heartbeat', async () => {
  const { harness, server } = await begin([])
  server.wanted = [wanted(1)]
  server.version++
  await harness.clock.advance(1_001)
  expect(harness.running()).toHaveLength(1)
})

test('once a server that was away answers again, a lost message is said again soon', async () => {
  const { harness, server } = await begin([])
  await harness.kill()
  server.isSilent = true
  await harness.start()
  await harness.clock.advance(60_000)
  const asked: { readonly atMs: number; readonly nonce: string }[] = []
  server.isSilent = false
  server.answerRegister = ({ nonce }) => {
    asked.push({ atMs: harness.clock.nowMs, nonce })
    if (nonce === '') return server.challenge()
    return asked.length === 2 ? undefined : server.accepted()
  }
  await harness.clock.advance(60_000)
  expect(asked.map(({ nonce }) => nonce)).toEqual(['', 'prove it', '', 'prove it'])
  const [first, , again] = asked.map(({ atMs }) => atMs)
  expect(again! - first!).toBeLessThanOrEqual(AGENT_DEFAULTS.requestTimeoutMs + 100)
})

test('a server that only ever challenges is asked less and less', async () => {
  const { harness, server } = await begin([])
  await harness.kill()
  let asked = 0
  server.answerRegister = () => {
    asked++
    return server.challenge()
  }
  await harness.start()
  await harness.clock.advance(60_000)
  expect(asked).toBeGreaterThan(20)
  expect(asked).toBeLessThan(80)
})

test('work goes on and restarts while the server is silent', async () => {
  const { harness, server } = await begin([wanted(1, {}, [mockTask({ Config: { run_for: '20s' } })])])
  server.isSilent = true
  await harness.clock.advance(50_000)
  expect(harness.running()).toHaveLength(1)
  expect(harness.running()[0]).not.toBe(`${wanted(1).allocation.ID}/main/1`)
})

test('after kill -9 of the agent its task is attached again and not started anew', async () => {
  const { harness, server } = await begin([wanted(1)])
  const before = harness.host.running()
  await harness.kill()
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.host.running()).toEqual(before)
  server.publish([stopped(wanted(1), 20)])
  await harness.settle()
  expect(server.lastReport(wanted(1).allocation.ID)?.ClientStatus).toBe('complete')
})

test('a task that ended while the agent was away is reported with its exit code', async () => {
  const batch = wanted(1, {}, [mockTask({ Config: { run_for: '3s', exit_code: 7 }, RestartPolicy: BATCH_POLICY })])
  const { harness, server } = await begin([batch])
  await harness.kill()
  await harness.clock.advance(5_000)
  await harness.start()
  const report = server.lastReport(batch.allocation.ID)!
  expect(report.ClientStatus).toBe('failed')
  expect(report.TaskStates['main']!.Events.find(({ Type }) => Type === 'Terminated')?.ExitCode).toBe(7)
})

test('a host that was rebooted starts its tasks again, but only once the server still wants them', async () => {
  const { harness, server } = await begin([wanted(1)])
  await harness.kill()
  harness.host.reboot()
  server.isSilent = true
  await harness.start()
  await harness.clock.advance(30_000)
  expect(harness.running()).toEqual([])
  server.isSilent = false
  await harness.clock.advance(10_000)
  expect(harness.running()).toHaveLength(1)
})

test('a start whose answer the agent did not live to hear is found and not repeated', async () => {
  const harness = new AgentHarness()
  harness.host.killSupervisor()
  harness.server.wanted = [wanted(1)]
  await harness.start()
  await harness.kill()
  harness.host.startSupervisor()
  await harness.settle()
  await harness.start()
  await harness.clock.advance(5_000)
  expect(harness.running()).toHaveLength(1)
})

test('a report stays in the outbox until the server has acknowledged it, over restarts of the agent', async () => {
  const harness = new AgentHarness()
  const { server } = harness
  server.acknowledgesReports = false
  server.wanted = [wanted(1)]
  await harness.start()
  await harness.kill()
  server.acknowledgesReports = true
  await harness.start()
  await harness.clock.advance(1_000)
  expect(server.lastReport(wanted(1).allocation.ID)?.ClientStatus).toBe('running')
})

test('an allocation placed within the share of one that is to end starts only when that one has ended', async () => {
  const large = (number: number, over = {}) => {
    const one = wanted(number, over, [mockTask({ Config: { kill_after: '3s' } })])
    const AllocatedResources = { ...one.allocation.AllocatedResources, Tasks: { main: resources(3_000, 64) } }
    return { ...one, allocation: { ...one.allocation, AllocatedResources } }
  }
  const { harness, server } = await begin([large(1)])
  server.publish([stopped(large(1), 20), large(2)])
  await harness.settle()
  expect(harness.running()).toEqual([`${large(1).allocation.ID}/main/1`])
  await harness.clock.advance(3_100)
  expect(harness.running()).toEqual([`${large(2).allocation.ID}/main/1`])
})

test('an allocation waits for the end of the one it replaces on the same node', async () => {
  const old = wanted(1, {}, [mockTask({ Config: { kill_after: '2s' } })])
  const { harness, server } = await begin([old])
  server.publish([stopped(old, 20), wanted(2, { PreviousAllocation: old.allocation.ID })])
  await harness.settle()
  expect(harness.running()).toHaveLength(1)
  await harness.clock.advance(2_100)
  expect(harness.running()).toEqual([`${wanted(2).allocation.ID}/main/1`])
})

test('a task that does not heed its signal is killed after its kill timeout', async () => {
  const stubborn = wanted(1, {}, [mockTask({ Config: { kill_after: '1h' }, KillTimeout: 5 * SECOND })])
  const { harness, server } = await begin([stubborn])
  server.publish([stopped(stubborn, 20)])
  await harness.clock.advance(4_900)
  expect(harness.running()).toHaveLength(1)
  await harness.clock.advance(200)
  expect(harness.running()).toEqual([])
  expect(server.lastReport(stubborn.allocation.ID)?.TaskStates['main']!.Events.find(({ Type }) => Type === 'Terminated')?.Signal).toBe(9)
})

test('an agent that is stopped with its tasks starts them again when it is back, with no failure counted', async () => {
  const { harness, server } = await begin([wanted(1)])
  const told = server.reports.length
  await harness.agent.stop({ tasks: 'end' })
  expect(harness.running()).toEqual([])
  expect(server.reports).toHaveLength(told)
  await harness.start()
  expect(harness.running()).toHaveLength(1)
  expect(server.lastReport(wanted(1).allocation.ID)?.TaskStates['main']!.Restarts).toBe(0)
})

test('an agent that is stopped with its tasks waits until their drivers have cleared them away', async () => {
  const { harness } = await begin([wanted(1)])
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const clear = vi.spyOn(MockDriver.prototype, 'clear').mockReturnValue(held)
  let hasStopped = false
  const stopping = harness.agent.stop({ tasks: 'end' }).then(() => {
    hasStopped = true
  })
  await harness.clock.advance(1_000)
  expect([clear.mock.calls.length, hasStopped]).toEqual([1, false])
  letGo()
  await stopping
  clear.mockRestore()
})

test('an agent that has stopped waits for nothing, so that its process can end', async () => {
  const { harness } = await begin([wanted(1)])
  await harness.agent.stop({ tasks: 'end' })
  expect(harness.clock.waiting).toBe(0)
})

test('nor does one that cannot reach its server', async () => {
  const { harness, server } = await begin([wanted(1)])
  server.isSilent = true
  await harness.kill()
  await harness.start()
  await harness.clock.advance(10_000)
  await harness.agent.stop({ tasks: 'keep' })
  // Until nothing is left of the life that was killed either.
  await harness.clock.advance(60_000)
  expect(harness.clock.waiting).toBe(0)
})

test('folders of ended allocations go, except for the newest', async () => {
  const { harness, server } = await begin([wanted(1), wanted(2)])
  server.publish([stopped(wanted(1), 20), stopped(wanted(2), 20)])
  await harness.settle()
  server.publish([])
  await harness.settle()
  expect(harness.folders.size).toBe(1)
})

async function begin(initially: Parameters<AgentHarness['server']['publish']>[0] = [], { messageBytesMax = 1_000_000 } = {}) {
  const harness = new AgentHarness()
  harness.server.messageBytesMax = messageBytesMax
  harness.server.wanted = initially
  await harness.start()
  expect(harness.failures).toEqual([])
  return { harness, server: harness.server }
}
