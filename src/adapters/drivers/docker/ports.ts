/** Ports of the host that lead into a container: those of its group by their labels, or of the task itself by `port_map`. */
import type { TaskStart } from '../../../agent/index.js'
import type { DockerConfig } from '../../../jobspec/index.js'
import { startError } from '../driver-errors.js'

export interface PortBindings {
  readonly exposed: Record<string, Record<string, never>>
  readonly bindings: Record<string, { readonly HostIp: string; readonly HostPort: string }[]>
  /** What the task should know of its own ports. */
  readonly environment: Readonly<Record<string, string>>
}

interface Binding {
  readonly label: string
  readonly ip: string
  readonly hostPort: number
  readonly port: number
}

/** @throws OrchestratorError DRIVER_START for a label that there is not */
export function portBindings(request: TaskStart, config: DockerConfig): PortBindings {
  const mapped = mappedPorts(request, config)
  const all = [...groupPorts(request, config), ...mapped]
  const exposed: Record<string, Record<string, never>> = {}
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { ip, hostPort, port } of all) {
    for (const protocol of ['tcp', 'udp']) {
      const key = `${port}/${protocol}`
      exposed[key] = {}
      bindings[key] = [...(bindings[key] ?? []), { HostIp: ip, HostPort: String(hostPort) }]
    }
  }
  const environment = Object.fromEntries(
    mapped.map(({ label, port }) => [`NOMAD_PORT_${label.replace(/[^A-Za-z0-9_.]/g, '_')}`, String(port)]),
  )
  return { exposed, bindings, environment }
}

function groupPorts({ allocation }: TaskStart, { ports = [] }: DockerConfig): readonly Binding[] {
  const known = allocation.AllocatedResources.Shared.Ports ?? []
  return ports.map((label) => {
    const found = known.find(({ Label }) => Label === label)
    if (found === undefined) throw startError(`Port "${label}" not found, check network block`)
    return { label, ip: found.HostIP, hostPort: found.Value, port: found.To > 0 ? found.To : found.Value }
  })
}

/** All that the task itself was given: at its own number unless `port_map` says another. */
function mappedPorts({ allocation, resources }: TaskStart, { port_map = {} }: DockerConfig): readonly Binding[] {
  const labels = Object.keys(port_map)
  const [network] = resources.Networks ?? []
  if (network === undefined) {
    if (labels.length === 0) return []
    const isOfGroup = (allocation.AllocatedResources.Shared.Ports ?? []).length > 0
    throw startError(
      isOfGroup
        ? "'port_map' cannot map group network ports, use 'ports' instead"
        : 'Trying to map ports but no network interface is available',
    )
  }
  const known = [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])]
  const missing = labels.find((label) => !known.some(({ Label }) => Label === label))
  if (missing !== undefined) throw startError(`Port "${missing}" not found, check network block`)
  return known.map(({ Label, Value }) => ({ label: Label, ip: network.IP ?? '', hostPort: Value, port: port_map[Label] ?? Value }))
}
