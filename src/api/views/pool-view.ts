import type { NodePool } from '../../domain/index.js'
import { FragmentCache } from '../encode.js'

export const poolJson = new FragmentCache<NodePool>(wholePool)

/** Pools have no hash here: they are compared by their index. */
export function wholePool(pool: NodePool): Readonly<Record<string, unknown>> {
  return { ...pool, Hash: '' }
}
