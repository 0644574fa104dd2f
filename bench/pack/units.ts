import type { NodeSize } from '../cluster/makers.js'

export const CORE_MHZ = 2_500
/** In the MiB that everything here is counted in. */
export const GIB = 1_024

export function nodeSize(cores: number, memoryGib: number): NodeSize {
  return { cores, cpuMhz: cores * CORE_MHZ, memoryMb: memoryGib * GIB }
}
