/** This host as a node: what it finds out itself, under what the repository says of it. */
import { type Node, withUsableCompute } from '../domain/index.js'
import type { Driver } from './driver.js'
import type { Fingerprint } from './ports.js'

/** The host with its drivers, which find out for themselves what they can. */
export async function fingerprintHost(fingerprint: Fingerprint, drivers: readonly Driver[]): Promise<Node> {
  const node = await fingerprint()
  const found = await Promise.all(drivers.map(async (driver) => ({ driver, found: await driver.fingerprint() })))
  const attributes = { ...node.Attributes }
  const infos: Record<string, Node['Drivers'][string]> = { ...node.Drivers }
  for (const { driver, found: of } of found) {
    const { nodeAttributes, ...info } = of
    infos[driver.name] = info
    Object.assign(attributes, nodeAttributes)
  }
  return { ...node, Attributes: attributes, Drivers: infos }
}

/** What the host found out itself, under the name, pool, class and meta that the repository gives it. */
export function withDeclared(node: Node, declared: Node): Node {
  const { Name, NodePool, NodeClass, Datacenter, Meta, ReservedResources, HostVolumes } = declared
  const Attributes = withUsableCompute(node.Attributes, ReservedResources.Cpu.CpuShares)
  return { ...node, Name, NodePool, NodeClass, Datacenter, Meta, Attributes, ReservedResources, HostVolumes }
}
