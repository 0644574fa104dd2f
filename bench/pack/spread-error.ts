import type { Node, Spread } from '../../src/domain/index.js'
import { ZONES } from './streams.js'

/** How far, in allocations, the zone that is farthest from its target is from it. Without targets all zones get the same. */
export function spreadError({ SpreadTarget }: Spread, nodes: readonly Node[], placed: readonly number[]): number {
  const actual = new Map<string, number>()
  for (const position of placed) {
    const zone = nodes[position]!.Meta!['zone']!
    actual.set(zone, (actual.get(zone) ?? 0) + 1)
  }
  const targets = SpreadTarget ?? []
  const wanted = targets.length === 0 ? ZONES.map((zone) => [zone, 1 / ZONES.length] as const) : targets.map(shareOf)
  return Math.max(...wanted.map(([zone, share]) => Math.abs((actual.get(zone) ?? 0) - share * placed.length)))
}

function shareOf({ Value, Percent }: { readonly Value: string; readonly Percent: number }) {
  return [Value, Percent / 100] as const
}
