/** Which declaration each host stands under, and whether the host is what it says. */
import { NODE_POOL_DEFAULT, type Node, type NodeDeclaration, withUsableCompute } from '../domain/index.js'
import { computeNodeClass } from '../scheduler/index.js'
import type { StateView } from '../state/index.js'

/** Agents that `dev` started itself: their names and keys, in order. */
export type KeyBinding = readonly { readonly name: string; readonly publicKey: string }[]

export class DeclaredHosts {
  readonly #view: StateView
  readonly #boundKeys: KeyBinding
  readonly #nodeIdOf: (publicKey: string) => string
  /** Node id → key; made anew when declarations change. */
  #keys: ReadonlyMap<string, string> | undefined
  /** Rows that were compared since then. */
  #sound = new WeakSet<Node>()

  constructor(view: StateView, boundKeys: KeyBinding, nodeIdOf: (publicKey: string) => string) {
    this.#view = view
    this.#boundKeys = boundKeys
    this.#nodeIdOf = nodeIdOf
    view.nodeDeclarations.observe(() => {
      this.#keys = undefined
      this.#sound = new WeakSet()
    })
  }

  /** What a key may join under: its own declaration, or for an agent of `dev` one that names no key, else one made up for it. */
  find(publicKey: string): NodeDeclaration | undefined {
    const own = this.#view.nodeDeclarations.by('publicKey', publicKey)[0]
    if (own !== undefined) return own
    const at = this.#boundKeys.findIndex((bound) => bound.publicKey === publicKey)
    if (at < 0) return undefined
    const keyless = this.#view.nodeDeclarations.all().filter((declaration) => declaration.publicKey === '')
    return [...keyless].sort((a, b) => (a.path < b.path ? -1 : 1))[at] ?? madeUpDeclaration(this.#boundKeys[at]!.name, publicKey)
  }

  /** True too for one that is not declared any more: there is nothing that it should be. */
  isAsDeclared(node: Node): boolean {
    if (this.#sound.has(node)) return true
    const declaration = this.findOf(node.ID)
    const isSound = declaration === undefined || isSame(declaredPart(node), declaredPart(withDeclaration(node, declaration, node)))
    if (isSound) this.#sound.add(node)
    return isSound
  }

  findOf(nodeId: string): NodeDeclaration | undefined {
    this.#keys ??= this.#collectKeys()
    const key = this.#keys.get(nodeId)
    return key === undefined ? undefined : this.find(key)
  }

  #collectKeys(): ReadonlyMap<string, string> {
    const declared = this.#view.nodeDeclarations.all().map(({ publicKey }) => publicKey)
    const keys = [...declared, ...this.#boundKeys.map(({ publicKey }) => publicKey)].filter((key) => key !== '')
    return new Map(keys.map((key) => [this.#nodeIdOf(key), key]))
  }
}

function madeUpDeclaration(name: string, publicKey: string): NodeDeclaration {
  return {
    name,
    path: '',
    pool: NODE_POOL_DEFAULT,
    nodeClass: '',
    datacenter: 'dc1',
    meta: {},
    publicKey,
    reserved: { cpuMhz: 0, memoryMb: 0, diskMb: 0, ports: '' },
    hostVolumes: {},
    isEligible: true,
    drain: null,
  }
}

/** What the host knows of itself, with what the repository says of it; server-side history is kept. */
export function withDeclaration(node: Node, declaration: NodeDeclaration, known: Node | undefined): Node {
  const { reserved } = declaration
  const DrainStrategy = known?.DrainStrategy ?? null
  const isOpen = declaration.isEligible && declaration.drain === null && DrainStrategy === null
  const declared: Node = {
    ...node,
    Name: declaration.name,
    NodePool: declaration.pool,
    NodeClass: declaration.nodeClass,
    Datacenter: declaration.datacenter,
    Meta: declaration.meta,
    Attributes: withUsableCompute(node.Attributes, reserved.cpuMhz),
    ReservedResources: {
      ...node.ReservedResources,
      Cpu: { ...node.ReservedResources.Cpu, CpuShares: reserved.cpuMhz },
      Memory: { MemoryMB: reserved.memoryMb },
      Disk: { DiskMB: reserved.diskMb },
      Networks: { ReservedHostPorts: reserved.ports },
    },
    HostVolumes: Object.fromEntries(
      Object.entries(declaration.hostVolumes).map(([name, { path, readOnly }]) => [name, { Name: name, Path: path, ReadOnly: readOnly }]),
    ),
    Status: 'ready',
    StatusDescription: '',
    SchedulingEligibility: known?.SchedulingEligibility ?? (isOpen ? 'eligible' : 'ineligible'),
    DrainStrategy,
  }
  return { ...declared, ComputedClass: computeNodeClass(declared) }
}

function declaredPart(node: Node): unknown {
  const { Name, NodePool, NodeClass, Datacenter, Meta, ReservedResources, HostVolumes } = node
  return [Name, NodePool, NodeClass, Datacenter, Meta, ReservedResources, HostVolumes]
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
