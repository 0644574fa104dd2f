/** What the task is given of the devices that the server took for it on this host. */
import { explainError } from '../../domain/index.js'
import type { DeviceGrant } from '../ports.js'
import { HookFailure, type HookRow } from './hook.js'

const NOTHING: DeviceGrant = { environment: {}, nodes: [] }

export const DEVICES: HookRow = {
  name: 'devices',
  runs: 'each-start',
  appliesTo: ({ Resources }) => (Resources.Devices ?? []).length > 0,
  create({ allocation, task, ports, event }) {
    let grant = NOTHING
    return {
      async prestart() {
        try {
          grant = ports.devices.grant(allocation().AllocatedResources.Tasks[task().Name]?.Devices ?? [])
        } catch (error) {
          throw new HookFailure(event('Setup Failure', { fact: 'setup_error', text: explainError(error) }), false)
        }
      },
      environment: () => ({ device: grant.environment }),
      devices: () => grant.nodes,
    }
  },
}
