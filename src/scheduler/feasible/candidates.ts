/** Which nodes a job may look at: its pool, its datacenters, and ready (Nomad docs, "Placement"). */
import { isReady, type Job, NODE_POOL_ALL, NODE_POOL_DEFAULT, type Node } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'

export interface Candidates {
  /** Ready nodes of the pool in the job's datacenters, ordered by id. */
  readonly nodes: readonly Node[]
  readonly byDatacenter: Readonly<Record<string, number>>
}

export function findCandidates(view: StateView, job: Pick<Job, 'NodePool' | 'Datacenters'>): Candidates {
  const inDatacenters = datacenterMatcher(job.Datacenters)
  const nodes = nodesOfPool(view, job.NodePool).filter((node) => isReady(node) && inDatacenters(node.Datacenter))
  const byDatacenter: Record<string, number> = {}
  for (const node of nodes) byDatacenter[node.Datacenter] = (byDatacenter[node.Datacenter] ?? 0) + 1
  return { nodes, byDatacenter }
}

function nodesOfPool(view: StateView, pool: string): readonly Node[] {
  return pool === NODE_POOL_ALL ? view.nodes.all() : view.nodes.by('pool', pool || NODE_POOL_DEFAULT)
}

export function isInPool(node: Node, pool: string): boolean {
  return pool === NODE_POOL_ALL || node.NodePool === (pool || NODE_POOL_DEFAULT)
}

/** Globs in which only `*` is special. */
export function datacenterMatcher(globs: readonly string[]): (datacenter: string) => boolean {
  if (globs.includes('*')) return () => true
  const exact = new Set(globs.filter((glob) => !glob.includes('*')))
  const patterns = globs.filter((glob) => glob.includes('*')).map((glob) => glob.split('*'))
  return (datacenter) => exact.has(datacenter) || patterns.some((parts) => matchesParts(datacenter, parts))
}

/** The parts stand in this order, the first at the beginning and the last at the end. */
function matchesParts(text: string, parts: readonly string[]): boolean {
  const [first, ...rest] = parts
  const last = rest.pop()!
  if (!text.startsWith(first!) || text.length < first!.length + last.length || !text.endsWith(last)) return false
  let at = first!.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}
