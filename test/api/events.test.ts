import { describe, expect, test } from 'vitest'
import type { Job } from '../../src/domain/index.js'
import { allocation, deployment, evaluation, job, node, serviceRegistration } from '../fixtures.js'
import { World } from './world.js'

interface Line {
  readonly Index?: number
  readonly Events?: readonly {
    readonly Topic: string
    readonly Type: string
    readonly Key: string
    readonly Payload: Record<string, unknown>
  }[]
}

/** Lines of the stream until `count` that are no heartbeat have come. */
async function follow(world: World, query: string, count: number, meanwhile: () => void = () => {}): Promise<readonly Line[]> {
  const address = await world.http.listen({ host: '127.0.0.1', port: 0 })
  const leaving = new AbortController()
  const response = await fetch(`${address}/v1/event/stream${query}`, { signal: leaving.signal })
  const lines: Line[] = []
  let rest = ''
  meanwhile()
  for await (const chunk of response.body!) {
    const parts = (rest + new TextDecoder().decode(chunk)).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map((part) => JSON.parse(part) as Line))
    if (lines.filter((line) => line.Events !== undefined).length >= count) break
  }
  leaving.abort()
  await world.http.close()
  return lines
}

function typesOf(lines: readonly Line[]): readonly string[] {
  return lines.flatMap(({ Index, Events }) => (Events ?? []).map(({ Topic, Type, Key }) => `${Index} ${Topic} ${Type} ${Key}`))
}

test('the stream begins with an empty object and replays what is kept', async () => {
  const world = new World()
  world.register(job())
  const lines = await follow(world, '', 1)
  expect(lines[0]).toEqual({})
  expect(typesOf(lines)).toEqual(['1 Job JobRegistered web'])
})

test('what happens later is told when it is durable, each Command in one line, the job of a plan last', async () => {
  const world = new World()
  const web = world.register(job())
  const lines = await follow(world, '?index=2', 1, () => {
    world.kind = 'plan-apply'
    world.change((state, index) => {
      const at = { CreateIndex: index, ModifyIndex: index }
      state.jobs.put(index, { ...web, Status: 'running', ModifyIndex: index })
      state.allocations.put(index, { ...allocation({ ID: 'a', JobCreateIndex: web.CreateIndex }), ...at })
      state.deployments.put(index, { ...deployment({ ID: 'd' }), ...at })
      state.evaluations.put(index, { ...evaluation({ ID: 'e' }), ...at })
    })
  })
  expect(typesOf(lines)).toEqual([
    '2 Deployment PlanResult d',
    '2 Allocation PlanResult a',
    '2 Job PlanResult web',
    '2 Evaluation EvaluationUpdated e',
  ])
  const [payload] = lines.flatMap(({ Events }) => Events ?? []).filter(({ Topic }) => Topic === 'Allocation')
  expect(payload?.Payload['Allocation']).not.toHaveProperty('Job')
})

describe('a plan and the end of its evaluation are one Command and are told as the two writes that clients know', () => {
  /** @param allocations of the plan @param Status of the job, then */
  async function told(allocations: readonly string[], Status: Job['Status']): Promise<readonly string[]> {
    const world = new World()
    const web = world.register(job({ Status: 'running' }))
    world.change((state, index) => state.evaluations.put(index, { ...evaluation({ ID: 'e', Status: 'pending' }), CreateIndex: index }))
    const lines = await follow(world, '?index=3', 1, () => {
      world.kind = 'plan-apply'
      world.change((state, index) => {
        for (const ID of allocations) state.allocations.put(index, { ...allocation({ ID }), CreateIndex: index })
        state.jobs.put(index, { ...web, Status, ModifyIndex: index })
        state.evaluations.put(index, { ...evaluation({ ID: 'e', Status: 'complete' }), CreateIndex: index })
        state.evaluations.put(index, { ...evaluation({ ID: 'later', Status: 'blocked' }), CreateIndex: index })
      })
    })
    return typesOf(lines)
  }

  test('with what it placed', async () => {
    expect(await told(['a'], 'running')).toEqual([
      '3 Evaluation PlanResult e',
      '3 Allocation PlanResult a',
      '3 Job PlanResult web',
      '3 Evaluation EvaluationUpdated e',
      '3 Evaluation EvaluationUpdated later',
    ])
  })

  test('and with nothing, after which its job is over', async () => {
    expect(await told([], 'dead')).toEqual([
      '3 Evaluation EvaluationUpdated e',
      '3 Evaluation EvaluationUpdated later',
      '3 Job EvaluationUpdated web',
    ])
  })
})

test('topics narrow by kind and by what an object belongs to', async () => {
  const world = new World()
  world.change((state, index) => {
    const at = { CreateIndex: index, ModifyIndex: index }
    state.evaluations.put(index, { ...evaluation({ ID: 'mine' }), ...at })
    state.evaluations.put(index, { ...evaluation({ ID: 'other', JobID: 'other' }), ...at })
    state.nodes.put(index, { ...node(), ...at })
  })
  expect(typesOf(await follow(world, '?topic=Evaluation:web', 1))).toEqual(['1 Evaluation JobRegistered mine'])
})

test('other namespaces are not told of, nodes always are', async () => {
  const world = new World()
  world.kind = 'node-register'
  world.change((state, index) => {
    const at = { CreateIndex: index, ModifyIndex: index }
    state.evaluations.put(index, { ...evaluation({ Namespace: 'ops' }), ...at })
    state.nodes.put(index, { ...node({ ID: 'n' }), ...at })
  })
  expect(typesOf(await follow(world, '', 1))).toEqual(['1 Node NodeRegistration n'])
})

test('a service says itself whether it came or went', async () => {
  const world = new World()
  world.kind = 'allocation-update'
  world.change((state, index) => state.services.put(index, { ...serviceRegistration({ ID: 's' }), CreateIndex: index, ModifyIndex: index }))
  world.change((state, index) => state.services.delete(index, 's'))
  expect(typesOf(await follow(world, '', 2))).toEqual(['1 Service ServiceRegistration s', '2 Service ServiceDeregistration s'])
})

test('a client that goes away leaves nobody following', async () => {
  const world = new World()
  await follow(world, '', 0, () => world.register(job()))
  while (world.events.isFollowed) await new Promise((resolve) => setImmediate(resolve))
})

test.each([
  ['node-drain-complete', 'Node NodeDrain'],
  ['node-deregister', 'Node NodeDeregistration'],
] as const)('%s is told as %s', async (kind, expected) => {
  const world = new World()
  world.change((state, index) => state.nodes.put(index, { ...node({ ID: 'n' }), ModifyIndex: index }))
  const lines = await follow(world, '?index=2', 1, () => {
    world.kind = kind
    world.change((state, index) => {
      if (kind === 'node-deregister') state.nodes.delete(index, 'n')
      else state.nodes.put(index, { ...node({ ID: 'n' }), ModifyIndex: index })
    })
  })
  expect(typesOf(lines)).toEqual([`2 ${expected} n`])
})

test('what a host is told by its file, and changes of variables, are told; what is in a variable is not', async () => {
  const world = new World()
  const variable = {
    Namespace: 'default',
    Path: 'a/b',
    Items: { key: 'hidden' },
    CreateIndex: 2,
    ModifyIndex: 2,
    CreateTime: 0,
    ModifyTime: 0,
  }
  const lines = await follow(world, '?index=1', 3, () => {
    world.kind = 'host-order'
    world.change((state, index) => state.hostOrders.put(index, { nodeId: 'n', statement: 'drain' }))
    world.kind = 'variable-put'
    world.change((state, index) => state.variables.put(index, variable))
    world.kind = 'variable-delete'
    world.change((state, index) => state.variables.delete(index, 'default\u0000a/b'))
  })
  expect(typesOf(lines)).toEqual(['1 Node NodeOrdered n', '2 Variable VariableUpdated a/b', '3 Variable VariableDeleted a/b'])
  expect(JSON.stringify(lines)).not.toContain('hidden')
})

test('health by hand, and hosts whose replacement is paused and goes on, are told', async () => {
  const world = new World()
  const lines = await follow(world, '?index=1', 3, () => {
    world.kind = 'deployment-health'
    world.change((state, index) => state.deployments.put(index, { ...deployment({ ID: 'd' }), ModifyIndex: index }))
    world.kind = 'loss-hold'
    world.change((state, index) => state.heldLosses.put(index, { nodeId: 'n', sinceMs: 0 }))
    world.kind = 'loss-release'
    world.change((state, index) => {
      state.heldLosses.delete(index, 'n')
      state.evaluations.put(index, { ...evaluation({ ID: 'e' }), ModifyIndex: index })
    })
  })
  expect(typesOf(lines)).toEqual([
    '1 Deployment DeploymentAllocHealth d',
    '2 Node NodeReplacementPaused n',
    '3 Evaluation EvaluationUpdated e',
    '3 Node NodeReplacementResumed n',
  ])
})
