/** What templates are answered: at once what is new, held what is not, and nothing of namespaces that a host has no work of. */
import { expect, test } from 'vitest'
import { DATA_HELD_MS, type DataQuestion, dataKey } from '../../src/agent/index.js'
import { DataKeeper } from '../../src/controller/data-keeper.js'
import type { HostChannel, HostQuestion } from '../../src/controller/host-channel.js'
import type { Leader } from '../../src/controller/leader.js'
import { State, variableKey } from '../../src/state/index.js'
import { allocation, node, serviceRegistration } from '../fixtures.js'
import { ManualClock } from './manual-clock.js'

type Answers = readonly { readonly key: string; readonly version: string; readonly found: unknown }[]

function world() {
  const state = new State()
  state.clusterId = 'c'
  state.nodes.put(1, node({ ID: 'n1', Name: 'host-1', Attributes: { 'unique.network.ip-address': '10.0.0.1' } }))
  state.allocations.put(1, allocation({ ID: 'a1', NodeID: 'n1', Namespace: 'default' }))
  const clock = new ManualClock()
  let hear = (_: HostQuestion<'data'>) => {}
  let endTurn = () => {}
  const leader = {
    state,
    epoch: 1,
    isStopped: false,
    onTurnEnd: (work: () => void) => {
      endTurn = work
    },
    release: (_: number, output: () => void) => output(),
  } as unknown as Leader
  const channel = {
    on: (_: string, handle: typeof hear) => {
      hear = handle
    },
  } as unknown as HostChannel
  const keeper = new DataKeeper({ leader, channel, clock })
  let index = 1
  return {
    state,
    clock,
    keeper,
    endTurn: () => endTurn(),
    put(path: string, Items: Readonly<Record<string, string>>, Namespace = 'default') {
      index++
      const known = state.variables.get(variableKey({ Namespace, Path: path }))
      const CreateIndex = known?.CreateIndex ?? index
      state.variables.put(index, { Namespace, Path: path, Items, CreateIndex, ModifyIndex: index, CreateTime: 0, ModifyTime: 0 })
    },
    serve(ID: string, over: Parameters<typeof serviceRegistration>[0]) {
      state.services.put(++index, serviceRegistration({ ID, NodeID: 'n1', Namespace: 'default', ...over }))
    },
    /** @returns the answers as they come; empty while the question is held */
    ask(questions: readonly (readonly [DataQuestion, string])[], over: Partial<HostQuestion<'data'>> = {}) {
      const heard: Answers[] = []
      hear({
        nodeId: 'n1',
        publicKey: 'k',
        session: 's',
        message: { clusterId: 'c', epoch: 1, questions },
        isFresh: true,
        answer:
          ({ answers }) =>
          () =>
            void heard.push(answers),
        ...over,
      })
      return heard
    },
  }
}

const variable = (path: string, namespace = 'default'): DataQuestion => ({ kind: 'variable', namespace, path })

test('what is new is answered at once, what is known is held until it changes', () => {
  const { ask, put, endTurn } = world()
  put('soup', { kind: 'leek' })
  const first = ask([[variable('soup'), '']])
  expect(first[0]).toMatchObject([{ key: dataKey(variable('soup')), found: { kind: 'variable', variable: { Items: { kind: 'leek' } } } }])
  const held = ask([[variable('soup'), first[0]![0]!.version]])
  put('other', { a: '1' })
  endTurn()
  expect(held).toEqual([])
  put('soup', { kind: 'fish' })
  endTurn()
  expect(held).toMatchObject([[{ found: { variable: { Items: { kind: 'fish' } } } }]])
})

test('of several questions only those are answered that have changed', () => {
  const { ask, put, endTurn } = world()
  put('a', { x: '1' })
  const [known] = ask([
    [variable('a'), ''],
    [variable('b'), ''],
  ])
  const held = ask([
    [variable('a'), known![0]!.version],
    [variable('b'), known![1]!.version],
  ])
  expect(known![1]).toMatchObject({ found: { kind: 'absent' } })
  put('b', { y: '2' })
  endTurn()
  expect(held[0]!.map(({ key }) => key)).toEqual([dataKey(variable('b'))])
})

test('a held question is answered with nothing after its time, by a newer one of its host, and when the server asks nobody any more', () => {
  const { ask, clock, keeper } = world()
  const known = ask([[variable('a'), '']])[0]![0]!.version
  const first = ask([[variable('a'), known]])
  const second = ask([[variable('a'), known]])
  expect([first, second]).toEqual([[[]], []])
  clock.advance(DATA_HELD_MS)
  expect(second).toEqual([[]])
  const third = ask([[variable('a'), known]])
  keeper.stop()
  clock.advance(DATA_HELD_MS)
  expect(third).toEqual([])
})

test('an old message that somebody kept is not answered', () => {
  const { ask, put } = world()
  put('soup', { kind: 'leek' })
  expect(ask([[variable('soup'), '']], { isFresh: false })).toEqual([])
})

test('a host is told nothing of namespaces that it runs nothing of, whatever it asks', () => {
  const { ask, put, state } = world()
  put('soup', { kind: 'leek' }, 'private')
  expect(ask([[variable('soup', 'private'), '']])[0]).toMatchObject([{ found: { kind: 'absent' } }])
  state.allocations.put(99, allocation({ ID: 'a2', NodeID: 'n1', Namespace: 'private' }))
  expect(ask([[variable('soup', 'private'), '']])[0]).toMatchObject([{ found: { kind: 'variable' } }])
  const elsewhere = { nodeId: 'n2' }
  expect(ask([[variable('soup', 'private'), '']], elsewhere)[0]).toMatchObject([{ found: { kind: 'absent' } }])
})

test('keys are members of the variables below kv, in order, and a list of variables has no values', () => {
  const { ask, put } = world()
  put('kv/app', { port: '80', value: 'whole' })
  put('kv/app/deep', { a: '1' })
  put('secret/app', { password: 'x' })
  const [answers] = ask([
    [{ kind: 'key', namespace: 'default', path: 'app/port' }, ''],
    [{ kind: 'key', namespace: 'default', path: 'app' }, ''],
    [{ kind: 'key', namespace: 'default', path: 'app/none' }, ''],
    [{ kind: 'keys', namespace: 'default', prefix: 'app' }, ''],
    [{ kind: 'keys', namespace: 'default', prefix: '' }, ''],
    [{ kind: 'variables', namespace: 'default', prefix: 'secret/' }, ''],
  ])
  const pathsOf = (at: number) =>
    (answers![at]!.found as { pairs: { path: string; value: string }[] }).pairs.map(({ path, value }) => [path, value])
  expect([pathsOf(0), pathsOf(1)]).toEqual([[['app/port', '80']], [['app', 'whole']]])
  expect(answers![2]!.found).toEqual({ kind: 'absent' })
  expect(pathsOf(3)).toEqual([
    ['app/deep/a', '1'],
    ['app/port', '80'],
  ])
  expect(pathsOf(4).map(([path]) => path)).toEqual(['app', 'app/deep/a', 'app/port'])
  expect(answers![5]!.found).toMatchObject({ kind: 'variables', variables: [{ Path: 'secret/app' }] })
  expect(JSON.stringify(answers![5]!.found)).not.toContain('password')
})

test('a service has its instances with the address of their host, and follows both', () => {
  const { ask, serve, endTurn, state } = world()
  serve('s2', { ServiceName: 'web', Tags: ['b', 'a'], Port: 2 })
  serve('s1', { ServiceName: 'web', Tags: ['c'], Port: 1 })
  serve('s3', { ServiceName: 'db', Tags: null })
  const service: DataQuestion = { kind: 'service', namespace: 'default', name: 'web' }
  const [answers] = ask([
    [service, ''],
    [{ kind: 'services', namespace: 'default' }, ''],
  ])
  const instances = (found: unknown) =>
    (found as { instances: { registration: { ID: string }; nodeName: string; nodeAddress: string }[] }).instances
  expect(instances(answers![0]!.found).map(({ registration, nodeName, nodeAddress }) => [registration.ID, nodeName, nodeAddress])).toEqual([
    ['s1', 'host-1', '10.0.0.1'],
    ['s2', 'host-1', '10.0.0.1'],
  ])
  expect(answers![1]!.found).toEqual({
    kind: 'services',
    services: [
      { name: 'db', tags: [] },
      { name: 'web', tags: ['a', 'b', 'c'] },
    ],
  })
  const held = ask([[service, answers![0]!.version]])
  state.nodes.put(50, node({ ID: 'n1', Name: 'host-1', Attributes: { 'unique.network.ip-address': '10.0.0.9' } }))
  endTurn()
  expect(instances(held[0]![0]!.found).map(({ nodeAddress }) => nodeAddress)).toEqual(['10.0.0.9', '10.0.0.9'])
})
