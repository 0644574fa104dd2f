import { expect, test } from 'vitest'
import { DeclaredHosts, withDeclaration } from '../../src/controller/declared-hosts.js'
import type { NodeDeclaration } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { node } from '../fixtures.js'

const declaration = (name: string, over: Partial<NodeDeclaration> = {}): NodeDeclaration => ({
  name,
  path: `agents/${name}.hcl`,
  pool: 'default',
  nodeClass: '',
  datacenter: 'dc1',
  meta: {},
  publicKey: '',
  reserved: { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' },
  hostVolumes: {},
  isEligible: true,
  drain: null,
  ...over,
})

function hostsOf(...declarations: readonly NodeDeclaration[]) {
  const state = new State()
  for (const each of declarations) state.nodeDeclarations.put(1, each)
  const bound = ['K1', 'K2'].map((publicKey) => ({ name: `dev-${publicKey}`, publicKey }))
  return { state, hosts: new DeclaredHosts(state, bound, (key) => `id of ${key}`) }
}

test('a key stands under its own file, one of dev under a file without a key in order of path, or under none', () => {
  const { hosts } = hostsOf(declaration('z'), declaration('own', { publicKey: 'K0' }))
  expect(['K0', 'K1', 'K2', 'K3'].map((key) => hosts.find(key)?.name)).toEqual(['own', 'z', 'dev-K2', undefined])
  expect(hosts.findOf('id of K0')?.name).toBe('own')
  expect(hosts.findOf('id of K3')).toBeUndefined()
})

test('a host is as declared until its file says something else', () => {
  const said = declaration('own', { publicKey: 'K0', meta: { rack: 'r1' }, isEligible: false })
  const { state, hosts } = hostsOf(said)
  const joined = withDeclaration(node({ ID: 'id of K0', Meta: { rack: 'made up' } }), said, undefined)
  expect([joined.Meta, joined.SchedulingEligibility]).toEqual([{ rack: 'r1' }, 'ineligible'])
  expect(hosts.isAsDeclared(joined)).toBe(true)
  for (const change of [{ meta: {} }, { pool: 'gpu' }, { reserved: { ...said.reserved, ports: '22' } }]) {
    state.nodeDeclarations.put(2, { ...said, ...change })
    expect(hosts.isAsDeclared(joined)).toBe(false)
  }
  state.nodeDeclarations.delete(3, 'own')
  expect(hosts.isAsDeclared(joined)).toBe(true)
})

test('what is kept for the host itself is no compute that work can use', () => {
  const kept = declaration('own', { reserved: { cpuMhz: 1_500, memoryMb: 0, diskMb: 0, ports: '' } })
  const joined = withDeclaration(node({ Attributes: { 'cpu.totalcompute': '4000' } }), kept, undefined)
  expect(joined.Attributes['cpu.usablecompute']).toBe('2500')
  expect(withDeclaration(node({ Attributes: {} }), kept, undefined).Attributes).not.toHaveProperty('cpu.usablecompute')
})
