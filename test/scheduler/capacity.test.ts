/** What is promised before and after a plan. */
import { expect, test } from 'vitest'
import type { Job } from '../../src/domain/index.js'
import { createScheduler, jobUsage, poolCapacities } from '../../src/scheduler/index.js'
import { evaluation, job } from '../fixtures.js'
import { group, Story } from './story.js'

const ASK = { cpuMhz: 100, memoryMb: 300 }
const times = (count: number) => ({ cpuMhz: count * ASK.cpuMhz, memoryMb: count * ASK.memoryMb })

function usageOf(story: Story, over: Partial<Job>) {
  const next = job({ ID: 'web', Name: 'web', ModifyIndex: 1_000, ...over })
  const wish = evaluation({ JobID: next.ID, Type: next.Type, AnnotatePlan: true })
  const result = createScheduler(story.state).schedule(wish, { nowMs: 1, newId: () => 'id', job: next })
  return jobUsage(story.state, next, result)
}

test('a service is told as it is once all of it runs, however slowly it is rolled out', () => {
  const story = new Story().nodes(3).register({ TaskGroups: [group(2)] })
  story.evaluate()
  expect(usageOf(story, { Version: 1, TaskGroups: [group(5)] })).toEqual({ pool: 'default', before: times(2), after: times(5) })
})

test('what finds no room is not promised', () => {
  const story = new Story().nodes(1)
  const { after } = usageOf(story, { TaskGroups: [group(10_000)] })
  const [{ total }] = poolCapacities(story.state, []) as [ReturnType<typeof poolCapacities>[number]]
  expect(after.cpuMhz).toBeGreaterThan(0)
  expect(after.cpuMhz).toBeLessThanOrEqual(total.cpuMhz)
  expect(after.memoryMb).toBeLessThanOrEqual(total.memoryMb)
})

test('system work is on every node', () => {
  expect(usageOf(new Story().nodes(3), { Type: 'system', TaskGroups: [group(1)] }).after).toEqual(times(3))
})

test('a template of others holds nothing itself', () => {
  const over = { Type: 'batch' as const, ParameterizedJob: { Payload: '', MetaRequired: null, MetaOptional: null } }
  expect(usageOf(new Story().nodes(1), over).after).toEqual(times(0))
})

test('of a pool all is told that its hosts have, what is promised there, and what removed jobs would free', () => {
  const story = new Story().nodes(2).register({ TaskGroups: [group(3)] })
  story.evaluate()
  expect(poolCapacities(story.state, [])).toMatchObject([{ pool: 'default', hosts: 2, promised: times(3), freed: times(0) }])
  expect(poolCapacities(story.state, [{ Namespace: 'default', ID: 'web' }])).toMatchObject([{ promised: times(3), freed: times(3) }])
  const [node] = story.state.nodes.values()
  story.do({ kind: 'node-status', nodeId: node!.ID, status: 'down', description: '', evaluations: [] })
  expect(poolCapacities(story.state, [])).toMatchObject([{ hosts: 1 }])
})
