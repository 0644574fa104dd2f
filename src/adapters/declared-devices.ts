/** Devices that the file of a host declares: what the server places by, and what a task is given with them. */
import { type Stats, statSync } from 'node:fs'
import type { DeviceGrant, DevicePort } from '../agent/index.js'
import {
  type AllocatedDeviceResource,
  type DeviceAttribute,
  type NodeDevice,
  type NodeDeviceResource,
  OrchestratorError,
} from '../domain/index.js'

/** Devices of one kind. Nodes are paths of files below `/dev`. */
export interface DeclaredDevice {
  readonly vendor: string
  readonly type: string
  readonly model: string
  /** The nodes of each, by its id. */
  readonly instances: Readonly<Record<string, readonly string[]>>
  /** Nodes that come with any of them. */
  readonly shared_nodes: readonly string[]
  /** A variable that tells a task the ids of its own, with commas between. */
  readonly ids_variable?: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly attributes: Readonly<Record<string, string | number | boolean>>
}

export class DeclaredDevices implements DevicePort {
  readonly #declared: readonly DeclaredDevice[]

  constructor(declared: readonly DeclaredDevice[]) {
    this.#declared = declared
  }

  /** As they are now. Null: none are declared. */
  look(): readonly NodeDeviceResource[] | null {
    if (this.#declared.length === 0) return null
    return this.#declared.map(({ vendor, type, model, instances, shared_nodes, attributes }) => ({
      Vendor: vendor,
      Type: type,
      Name: model,
      Instances: Object.entries(instances).map(([id, nodes]) => instanceOf(id, [...nodes, ...shared_nodes])),
      Attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)])),
    }))
  }

  grant(devices: readonly AllocatedDeviceResource[]): DeviceGrant {
    const grants = devices.map((device) => this.#grantOf(device))
    return {
      environment: Object.assign({}, ...grants.map(({ environment }) => environment)) as DeviceGrant['environment'],
      nodes: [...new Set(grants.flatMap(({ nodes }) => nodes))],
    }
  }

  #grantOf({ Vendor, Type, Name, DeviceIDs }: AllocatedDeviceResource): DeviceGrant {
    const kind = `${Vendor}/${Type}/${Name}`
    const declared = this.#declared.find(({ vendor, type, model }) => `${vendor}/${type}/${model}` === kind)
    const ids = DeviceIDs ?? []
    const nodes = ids.flatMap((id) => {
      const own = declared?.instances[id]
      if (own === undefined)
        throw new OrchestratorError('DEVICE', `device ${kind} ${id} is not declared on this host any more`, { kind, id })
      return own
    })
    if (declared === undefined) return { environment: {}, nodes }
    const told = declared.ids_variable === undefined ? {} : { [declared.ids_variable]: ids.join(',') }
    return { environment: { ...declared.env, ...told }, nodes: [...nodes, ...declared.shared_nodes] }
  }
}

function instanceOf(id: string, nodes: readonly string[]): NodeDevice {
  const missing = nodes.find((path) => !isDevice(path))
  return {
    ID: id,
    Healthy: missing === undefined,
    HealthDescription: missing === undefined ? '' : `${missing} is no device`,
    Locality: null,
  }
}

function isDevice(path: string): boolean {
  let found: Stats
  try {
    found = statSync(path)
  } catch {
    // Not there, or not for this user.
    return false
  }
  return found.isCharacterDevice() || found.isBlockDevice()
}

function attributeOf(value: string | number | boolean): DeviceAttribute {
  if (typeof value === 'boolean') return { Bool: value }
  if (typeof value === 'string') return { String: value }
  return Number.isInteger(value) ? { Int: value } : { Float: value }
}
