/** Who goes when there are more than wanted (Nomad docs, "Placement"). */
import { type Allocation, allocationNameIndex, isServerTerminal, type TaskGroup } from '../../domain/index.js'
import { LOST, NOT_NEEDED } from '../descriptions.js'
import type { Classified } from './classify.js'
import { NameIndex } from './names.js'
import type { GroupContext } from './types.js'

/** Stages the stops and tells which ids they are. The lost ones are always among them. */
export function computeStop(
  context: GroupContext,
  group: TaskGroup,
  sets: Pick<Classified, 'untainted' | 'migrate' | 'lost'>,
  canaries: readonly Allocation[],
  isCanarying: boolean,
  names: NameIndex,
  lostLater: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const { plan, job } = context
  for (const allocation of sets.lost) plan.stop(allocation, LOST, { ClientStatus: 'lost', ...followUpOf(lostLater.get(allocation.ID)) })
  plan.count(group.Name, 'Stop', sets.lost.length)
  const stopped = new Set<string>()
  const canaryIds = new Set(canaries.map(({ ID }) => ID))
  const ordinary = isCanarying ? sets.untainted.filter(({ ID }) => !canaryIds.has(ID)) : sets.untainted
  // What is out of sight is not in the surplus: ending it would end nothing of what runs too much.
  const inSight = ordinary.filter(({ ClientStatus }) => ClientStatus !== 'unknown')
  let surplus = inSight.length + sets.migrate.length - group.Count
  const stop = (allocation: Allocation) => {
    if (surplus <= 0 || stopped.has(allocation.ID) || isServerTerminal(allocation)) return
    stopped.add(allocation.ID)
    plan.stop(allocation, NOT_NEEDED)
    surplus--
  }
  if (surplus <= 0) return stopped
  const candidates = highestFirst(inSight)
  // Just promoted: the canary has taken the name of the one before it.
  const canaryNames = new Set(isCanarying ? [] : canaries.map(({ Name }) => Name))
  for (const allocation of candidates) if (canaryNames.has(allocation.Name) && !canaryIds.has(allocation.ID)) stop(allocation)
  for (const allocation of secondOfName(candidates)) {
    stop(allocation)
    if (stopped.has(allocation.ID)) names.unset(allocationNameIndex(allocation.Name))
  }
  const movingNames = new NameIndex(job.ID, group.Name, group.Count, sets.migrate).highest(Math.max(0, surplus))
  for (const allocation of sets.migrate) if (movingNames.has(allocation.Name)) stop(allocation)
  const highest = names.highest(Math.max(0, surplus))
  for (const allocation of candidates) if (highest.has(allocation.Name)) stop(allocation)
  for (const allocation of candidates) stop(allocation)
  plan.count(group.Name, 'Stop', stopped.size)
  return stopped
}

/** All but the newest of each name: a promotion that a new version overtook leaves two of one. */
function secondOfName(allocations: readonly Allocation[]): readonly Allocation[] {
  const newestFirst = [...allocations].sort((a, b) => b.JobCreateIndex - a.JobCreateIndex || b.JobVersion - a.JobVersion)
  const seen = new Set<string>()
  return newestFirst.filter(({ Name }) => {
    const isSecond = seen.has(Name)
    seen.add(Name)
    return isSecond
  })
}

function highestFirst(allocations: readonly Allocation[]): readonly Allocation[] {
  return [...allocations].sort((a, b) => allocationNameIndex(b.Name) - allocationNameIndex(a.Name))
}

function followUpOf(id: string | undefined): { readonly FollowupEvalID?: string } {
  return id === undefined ? {} : { FollowupEvalID: id }
}
