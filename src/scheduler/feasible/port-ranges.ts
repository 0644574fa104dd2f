/** Lists of ports as operators write them: `22,80,8000-8100`. */

export const PORT_LIMIT = 65_536

export type PortRanges =
  | { readonly kind: 'ports'; readonly ports: readonly number[] }
  | { readonly kind: 'malformed'; readonly reason: string }

/** Every port named, in order and with repetitions; the reason in Nomad's words when the text is no such list. */
export function readPortRanges(text: string): PortRanges {
  if (text.trim() === '') return { kind: 'ports', ports: [] }
  const ports: number[] = []
  for (const part of text.split(',')) {
    const range = part.trim()
    if (range === '') return malformed("can't specify empty port")
    const bounds = range.split('-')
    if (bounds.length > 2) return malformed('can only parse single port numbers or port ranges (ex. 80,100-120,150)')
    const wrong = bounds.find((bound) => !/^\d+$/.test(bound.trim()))
    if (wrong !== undefined) return malformed(`strconv.ParseUint: parsing "${wrong.trim()}": invalid syntax`)
    const [from, to] = [Number(bounds[0]), Number(bounds.at(-1))]
    if (to < from) return malformed(`invalid range: starting value (${from}) less than ending (${to}) value`)
    if (to >= PORT_LIMIT) return malformed(`port must be < ${PORT_LIMIT} but found ${to}`)
    for (let port = from; port <= to; port++) ports.push(port)
  }
  return { kind: 'ports', ports }
}

function malformed(reason: string): PortRanges {
  return { kind: 'malformed', reason }
}

/** The ports of a list that has been checked before; none of a malformed one. */
export function parsePortRanges(text: string): readonly number[] {
  const read = readPortRanges(text)
  return read.kind === 'ports' ? read.ports : []
}
