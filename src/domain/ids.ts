/** A place in the log: the number of the Command that made a change. Also `X-Nomad-Index`. */
export type LogIndex = number

/** Draws a fresh UUID (lower case, 8-4-4-4-12). Pure layers are handed one; adapters and the simulation supply it. */
export type NewId = () => string

/** `<namespace>\0<id>`: the key under which everything that is unique per namespace is stored. */
export function namespacedKey(namespace: string, id: string): string {
  return `${namespace}\u0000${id}`
}

export function parseNamespacedKey(key: string): readonly [namespace: string, id: string] {
  const cut = key.indexOf('\u0000')
  return [key.slice(0, cut), key.slice(cut + 1)]
}

/** `<job>.<group>[<index>]` */
export function allocationName(jobId: string, taskGroup: string, index: number): string {
  return `${jobId}.${taskGroup}[${index}]`
}

/** The slot number inside an allocation's name; -1 when the name has none. */
export function allocationNameIndex(name: string): number {
  const open = name.lastIndexOf('[')
  const index = open < 0 ? Number.NaN : Number(name.slice(open + 1, -1))
  return Number.isInteger(index) ? index : -1
}
