/** The words that a virtual machine is started with. Source: Nomad docs, "QEMU Driver"; QEMU docs, "Invocation". */
import { basename } from 'node:path'
import type { TaskStart } from '../../../agent/index.js'
import type { DriverConfigOf } from '../../../jobspec/index.js'
import { startError } from '../driver-errors.js'

export type QemuConfig = DriverConfigOf<'qemu'>

export const KVM = 'kvm'
/** As the emulator sees it. Nobody but the task's user and the agent may enter the folder. */
export const MONITOR = '/secrets/qemu-monitor.sock'
/** For whoever talks to the guest's agent. */
const GUEST_AGENT = '/local/qa.sock'
const MEMORY_MB_MIN = 128
const MEMORY_MB_MAX = 4_000_000

interface Forward {
  readonly hostPort: number
  readonly port: number
}

/** @param image as the emulator sees it @throws OrchestratorError DRIVER_START */
export function machineWords(request: TaskStart, config: QemuConfig, image: string): readonly string[] {
  const { accelerator, machine_type, drive_interface, args = [] } = config
  const { MemoryMB } = request.resources.Memory
  if (MemoryMB < MEMORY_MB_MIN || MemoryMB > MEMORY_MB_MAX)
    throw startError(`QEMU memory assignment out of bounds: ${MemoryMB} MB, of ${MEMORY_MB_MIN} to ${MEMORY_MB_MAX}`)
  return [
    ...['-machine', `type=${machine_type || 'pc'},accel=${accelerator || 'tcg'}`],
    ...['-name', option(basename(image))],
    ...['-m', `${MemoryMB}M`],
    ...['-drive', `file=${option(image)},if=${drive_interface || 'ide'},id=image0`],
    '-nographic',
    ...(accelerator === KVM ? ['-cpu', 'host'] : []),
    ...(config.graceful_shutdown === true ? ['-qmp', `unix:${MONITOR},server=on,wait=off`] : []),
    ...(config.guest_agent === true ? guestAgentWords() : []),
    ...networkWords(forwardsOf(request, config)),
    ...args,
  ]
}

function guestAgentWords(): readonly string[] {
  return [
    ...['-chardev', `socket,path=${GUEST_AGENT},server=on,wait=off,id=qga0`],
    ...['-device', 'virtio-serial', '-device', 'virtserialport,chardev=qga0,name=org.qemu.guest_agent.0'],
  ]
}

/** Without a port to forward the machine has the network that its emulator gives by itself. */
function networkWords(forwards: readonly Forward[]): readonly string[] {
  if (forwards.length === 0) return []
  const rules = forwards.flatMap(({ hostPort, port }) => ['tcp', 'udp'].map((protocol) => `hostfwd=${protocol}::${hostPort}-:${port}`))
  return ['-netdev', ['user', 'id=user.0', ...rules].join(','), '-device', 'virtio-net,netdev=user.0']
}

/** Of the group and of the task; in a network of its own a port is where the host's leads to. */
function forwardsOf({ allocation, resources, network }: TaskStart, { port_map = {} }: QemuConfig): readonly Forward[] {
  const ofGroup = (allocation.AllocatedResources.Shared.Ports ?? []).map(({ Label, Value, To }) => {
    return [Label, network.kind === 'namespace' && To > 0 ? To : Value] as const
  })
  const ofTask = (resources.Networks ?? []).flatMap(({ ReservedPorts, DynamicPorts }) =>
    [...(ReservedPorts ?? []), ...(DynamicPorts ?? [])].map(({ Label, Value }) => [Label, Value] as const),
  )
  const known = new Map([...ofGroup, ...ofTask])
  return Object.entries(port_map).map(([label, port]) => {
    const hostPort = known.get(label)
    if (hostPort === undefined) throw startError(`Unknown port label ${JSON.stringify(label)}`)
    return { hostPort, port }
  })
}

/** A value among options that commas divide. */
function option(value: string): string {
  return value.replaceAll(',', ',,')
}
