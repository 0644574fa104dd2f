/** What the hosts that lack a job's drivers say of them. */
import type { ExplanationAnswer, NodeStub, PlanAnswer } from './wire.js'

/** The filter of the scheduler that turns such hosts away. */
const MISSING = 'missing drivers'
const HOSTS_SHOWN = 3

export type HostDrivers = Pick<NodeStub, 'Name' | 'NodePool' | 'Drivers'>

interface JobDrivers {
  readonly NodePool?: string
  readonly TaskGroups?: readonly { readonly Name: string; readonly Tasks?: readonly { readonly Driver: string }[] | null }[] | null
}

/** The groups that hosts were turned away from for it. */
export function groupsWithoutDrivers({ FailedTGAllocs }: Pick<PlanAnswer, 'FailedTGAllocs'>): readonly string[] {
  return Object.entries(FailedTGAllocs ?? {}).flatMap(([group, { ConstraintFiltered }]) =>
    ConstraintFiltered?.[MISSING] === undefined ? [] : [group],
  )
}

/** The same of an explanation: the groups of which an allocation is missing for it. */
export function groupsMissingDrivers({ groups }: Pick<ExplanationAnswer, 'groups'>): readonly string[] {
  return groups
    .filter(({ missing }) => missing.some(({ facts }) => (facts.nodes ?? []).some(({ reason }) => reason === MISSING)))
    .map(({ group }) => group)
}

/** A line for each driver and each thing that is said of it. */
export function describeMissingDrivers(job: JobDrivers, groups: readonly string[], hosts: readonly HostDrivers[]): string {
  const tasks = (job.TaskGroups ?? []).filter(({ Name }) => groups.includes(Name)).flatMap(({ Tasks }) => Tasks ?? [])
  const wanted = [...new Set(tasks.map(({ Driver }) => Driver))].sort()
  const inPool = hosts.filter(({ NodePool }) => job.NodePool === undefined || job.NodePool === 'all' || NodePool === job.NodePool)
  return wanted.flatMap((driver) => linesOf(driver, inPool)).join('')
}

function linesOf(driver: string, hosts: readonly HostDrivers[]): readonly string[] {
  const byReason = new Map<string, string[]>()
  for (const { Name, Drivers } of hosts) {
    const own = Drivers[driver]
    if (own?.Detected && own.Healthy) continue
    const reason = own === undefined ? 'this agent has no such driver' : own.HealthDescription
    byReason.set(reason, [...(byReason.get(reason) ?? []), Name])
  }
  return [...byReason].map(([reason, names]) => `${driver} on ${shown(names)}: ${reason}\n`)
}

function shown(names: readonly string[]): string {
  const first = names.toSorted().slice(0, HOSTS_SHOWN).join(', ')
  return names.length > HOSTS_SHOWN ? `${first} and ${names.length - HOSTS_SHOWN} more` : first
}
