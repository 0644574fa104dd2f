/** Lists of ports as operators write them: `22,80,8000-8100`. */

export const PORT_LIMIT = 65_536

export type PortRanges =
  | { readonly kind: 'ports'; readonly ports: readonly number[] }
  | { readonly kind: 'malformed'; readonly reason: string }

/** Every port named, in order and with repetitions; the reason in Nomad's words when the text is no such list. */
export function readPortRanges(text: string): PortRanges {
  if (text === '') return { kind: 'ports', ports: [] }
  const ports: number[] = []
  for (const part of text.split(',')) {
    const range = part.trim()
    if (range === '') return malformed("can't specify empty port")
    const bounds = range.split('-')
    if (bounds.length > 2) return malformed('can only parse single port numbers or port ranges (ex. 80,100-120,150)')
    for (const bound of bounds) {
      const fault = findFault(bound)
      if (fault !== undefined) return malformed(`strconv.ParseUint: parsing "${bound}": ${fault}`)
    }
    const [from, to] = [Number(bounds[0]), Number(bounds.at(-1))]
    if (to < from) return malformed(`invalid range: ending value (${to}) less than starting (${from}) value`)
    if (from === 0) return malformed('port must be > 0')
    // Nomad's own bound: the port after the last one is let through here, and is nobody's.
    if (to > PORT_LIMIT) return malformed(`port must be < ${PORT_LIMIT} but found ${to}`)
    if (ports.length + to - from + 1 > PORT_LIMIT) return malformed(`maximum of ${PORT_LIMIT} ports can be reserved`)
    for (let port = from; port <= to; port++) ports.push(port)
  }
  return { kind: 'ports', ports }
}

const UINT64_MAX = 2n ** 64n - 1n

/** Why the text is no unsigned number of 64 bits. */
function findFault(text: string): string | undefined {
  if (!/^\d+$/.test(text)) return 'invalid syntax'
  return BigInt(text) > UINT64_MAX ? 'value out of range' : undefined
}

function malformed(reason: string): PortRanges {
  return { kind: 'malformed', reason }
}

/** The ports of a list that has been checked before; none of a malformed one. */
export function parsePortRanges(text: string): readonly number[] {
  const read = readPortRanges(text)
  return read.kind === 'ports' ? read.ports : []
}
