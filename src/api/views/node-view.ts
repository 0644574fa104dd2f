/** How nodes look on the wire; clients before 2.0 also need `Resources` and `Reserved` (Nomad API docs, "Nodes"). */
import { NO_RESOURCES, type Node } from '../../domain/index.js'
import { FragmentCache } from '../encode.js'

export const nodeJson = new FragmentCache<Node>(wholeNode)

export function wholeNode(node: Node): Readonly<Record<string, unknown>> {
  return {
    ...node,
    SecretID: '',
    Links: node.Links ?? {},
    NodeResources: nodeResources(node),
    HostVolumes: node.HostVolumes ?? {},
    HostNetworks: node.HostNetworks ?? {},
    CSIControllerPlugins: {},
    CSINodePlugins: {},
    IdentitySigningKeyID: '',
    Drain: node.DrainStrategy !== null,
    Resources: {
      ...NO_RESOURCES,
      CPU: node.NodeResources.Cpu.CpuShares,
      MemoryMB: node.NodeResources.Memory.MemoryMB,
      DiskMB: node.NodeResources.Disk.DiskMB,
      Networks: node.NodeResources.Networks,
    },
    Reserved: {
      ...NO_RESOURCES,
      CPU: node.ReservedResources.Cpu.CpuShares,
      MemoryMB: node.ReservedResources.Memory.MemoryMB,
      DiskMB: node.ReservedResources.Disk.DiskMB,
    },
  }
}

/** Clients draw the cores of a node: where their topology is not known, all are alike. */
function nodeResources({ NodeResources }: Node): Node['NodeResources'] {
  const known = NodeResources.Processors?.Topology
  if (known !== undefined && known !== null) return NodeResources
  const { CpuShares, TotalCpuCores } = NodeResources.Cpu
  const BaseSpeed = TotalCpuCores === 0 ? 0 : Math.round(CpuShares / TotalCpuCores)
  const core = { SocketID: 0, NodeID: 0, Grade: true, Disable: false, BaseSpeed, MaxSpeed: 0, GuessSpeed: 0 }
  const Cores = Array.from({ length: TotalCpuCores }, (_, ID) => ({ ...core, ID }))
  const Topology = { Nodes: [0], Distances: null, Cores, OverrideTotalCompute: 0, OverrideWitholdCompute: 0 }
  return { ...NodeResources, Processors: { Topology } }
}

/** What a filter sees: the settings of a drain lie one level deeper there than on the wire. */
export function nodeView(node: Node): object {
  return node.DrainStrategy === null ? node : { ...node, DrainStrategy: { ...node.DrainStrategy, DrainSpec: node.DrainStrategy } }
}

function nodeStub(node: Node, withResources: boolean, withOs: boolean): Readonly<Record<string, unknown>> {
  return {
    Address: hostOf(node.HTTPAddr),
    ID: node.ID,
    Attributes: withOs ? { 'os.name': attributeOf(node, 'os.name') } : null,
    Datacenter: node.Datacenter,
    Name: node.Name,
    NodePool: node.NodePool,
    NodeClass: node.NodeClass,
    Version: attributeOf(node, 'nomad.version'),
    Drain: node.DrainStrategy !== null,
    SchedulingEligibility: node.SchedulingEligibility,
    Status: node.Status,
    StatusDescription: node.StatusDescription,
    Drivers: node.Drivers,
    HostVolumes: node.HostVolumes ?? {},
    NodeResources: withResources ? nodeResources(node) : null,
    ReservedResources: withResources ? node.ReservedResources : null,
    LastDrain: node.LastDrain,
    CreateIndex: node.CreateIndex,
    ModifyIndex: node.ModifyIndex,
  }
}

/** A node that was never fingerprinted has none at all. */
function attributeOf(node: Node, name: string): string {
  const attributes: Node['Attributes'] | null = node.Attributes
  return attributes?.[name] ?? ''
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

const stubs = [false, true].map((resources) => [false, true].map((os) => new FragmentCache<Node>((node) => nodeStub(node, resources, os))))

export function nodeStubJson(node: Node, withResources = false, withOs = false): Uint8Array {
  return stubs[Number(withResources)]![Number(withOs)]!.of(node)
}
