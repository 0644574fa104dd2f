/** What a node gains by the CNI plugins and configurations of its host. */
import type { NodeResources } from '../../domain/index.js'
import { isRoot } from '../task-user.js'
import type { AllocationNetworks } from './allocation-networks.js'

export interface NetworkFingerprint {
  readonly attributes: Readonly<Record<string, string>>
  readonly networks: NonNullable<NodeResources['Networks']>
  readonly nodeNetworks: NonNullable<NodeResources['NodeNetworks']>
}

/** What the built-in list for bridges calls. */
const BRIDGE_PLUGINS = ['loopback', 'bridge', 'host-local', 'firewall', 'portmap']

export async function networkFingerprint(networks: AllocationNetworks): Promise<NetworkFingerprint> {
  const attributes: Record<string, string> = { 'nomad.bridge.hairpin_mode': String(networks.bridge.isHairpin) }
  // Namespaces are for root to make.
  if (!isRoot()) return { attributes, networks: [], nodeNetworks: [] }
  for (const name of networks.plugins.names()) {
    const version = await networks.plugins.versionOf(name)
    if (version !== undefined) attributes[`plugins.cni.version.${name}`] = version
  }
  const hasBridge = missingBridgePlugins(networks).length === 0
  const modes = [...(hasBridge ? ['bridge'] : []), ...networks.lists.names().map((name) => `cni/${name}`)]
  return {
    attributes,
    networks: modes.map((Mode) => ({ Mode })),
    nodeNetworks: modes.map((Mode) => ({ Mode, Device: '', MacAddress: '', Speed: 0, Addresses: null })),
  }
}

/** Of what groups on the bridge need; none: they work. */
export function missingBridgePlugins({ plugins }: Pick<AllocationNetworks, 'plugins'>): readonly string[] {
  return BRIDGE_PLUGINS.filter((name) => plugins.find(name) === undefined)
}
