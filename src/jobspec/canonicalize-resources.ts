/** What a task, or a proxy's, asks of its host, as it is stored. */
import { canonicalizeNetwork } from './canonicalize-network.js'
import { type ApiObject, objectIn, objectsIn } from './decode/api-job.js'
import { CPU_DEFAULT, MEMORY_DEFAULT } from './defaults.js'
import { fill, textOr, weighted } from './fill.js'

export function canonicalizeResources(resources: ApiObject | undefined): ApiObject {
  const given = resources ?? {}
  // Cores that were spoken of, were it of none, leave no place for a default of shares.
  const filled = fill(given, { CPU: given['Cores'] == null ? CPU_DEFAULT : 0, MemoryMB: MEMORY_DEFAULT })
  const devices = objectsIn(given, 'Devices').map((device) => ({
    ...fill(device, { Count: 1 }),
    Affinities: weighted(device, 'Affinities'),
  }))
  const numa = objectIn(given, 'NUMA')
  const NUMA = numa === undefined ? null : { ...numa, Affinity: textOr(numa['Affinity'], 'none') }
  return { ...filled, NUMA, DiskMB: 0, Networks: objectsIn(given, 'Networks').map(canonicalizeNetwork), Devices: devices }
}
