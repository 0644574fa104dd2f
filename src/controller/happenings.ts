/** What people who watch a server want to be told as it happens: hosts that come and go, what becomes of roll-outs, and what fails. */
import { type Allocation, type Deployment, NAMESPACE_DEFAULT, type Node, type TaskEvent } from '../domain/index.js'
import type { RowChange, StateEvents } from '../state/index.js'

/** So many are told one by one: where a whole host fails, they are many. */
const FAILURES_MAX = 5

/** One sentence each, in order. */
export function describeHappenings(events: readonly StateEvents[]): readonly string[] {
  const changes = events.flatMap((event) => [...event.changes.values()])
  const failures = changes.map(describeFailure).filter((text) => text !== undefined)
  const more = failures.length - FAILURES_MAX
  return [
    ...changes.map(describe).filter((text) => text !== undefined),
    ...failures.slice(0, FAILURES_MAX),
    ...(more > 0 ? [`${more} more failed`] : []),
  ]
}

function describe({ table, before, after }: RowChange): string | undefined {
  if (table === 'nodes') return describeNode(before as Node | undefined, after as Node | undefined)
  if (table === 'deployments' && after !== undefined) return describeDeployment(before as Deployment | undefined, after as Deployment)
  return undefined
}

function describeFailure({ table, before, after }: RowChange): string | undefined {
  if (table !== 'allocations' || after === undefined) return undefined
  const { Name, Namespace, NodeName, ClientStatus, TaskStates } = after as Allocation
  if (ClientStatus !== 'failed' || (before as Allocation | undefined)?.ClientStatus === 'failed') return undefined
  const reasons = Object.entries(TaskStates ?? {}).flatMap(([task, { Failed, Events }]) => {
    const event = Failed ? Events.findLast(isReason) : undefined
    return event === undefined ? [] : [`: task ${task}: ${event.DisplayMessage || event.Type}`]
  })
  return `${nameIn(Namespace, Name)} failed on ${NodeName}${reasons[0] ?? ''}`
}

/** What follows from a failure, and does not say why. */
const CONSEQUENCES: ReadonlySet<string> = new Set(['Not Restarting', 'Restarting', 'Killing', 'Killed', 'Sibling Task Failed'])

function isReason({ Type }: TaskEvent): boolean {
  return !CONSEQUENCES.has(Type)
}

function describeNode(before: Node | undefined, after: Node | undefined): string | undefined {
  if (after === undefined) return before === undefined ? undefined : `host ${before.Name} is forgotten`
  const shortage = describeShortage(after)
  if (before === undefined) return `host ${after.Name} has joined, in the pool ${after.NodePool}${shortage === '' ? '' : `; ${shortage}`}`
  if (before.Name !== after.Name || before.NodePool !== after.NodePool)
    return `host ${before.Name} is ${after.Name} now, in the pool ${after.NodePool}`
  if (before.Status !== after.Status) return describeStatus(before, after)
  if (before.DrainStrategy === null && after.DrainStrategy !== null) return `host ${after.Name} is being drained`
  if (before.DrainStrategy !== null && after.DrainStrategy === null) return `the drain of host ${after.Name} is over`
  return shortage !== '' && describeShortage(before) === '' ? `host ${after.Name}: ${shortage}` : undefined
}

/** Its file keeps more for others than there is: nothing can be placed on it. */
function describeShortage({ NodeResources: all, ReservedResources: kept }: Node): string {
  if (kept.Cpu.CpuShares > 0 && kept.Cpu.CpuShares >= all.Cpu.CpuShares)
    return `all its cpu is reserved (${kept.Cpu.CpuShares} of ${all.Cpu.CpuShares} MHz)`
  if (kept.Memory.MemoryMB > 0 && kept.Memory.MemoryMB >= all.Memory.MemoryMB)
    return `all its memory is reserved (${kept.Memory.MemoryMB} of ${all.Memory.MemoryMB} MiB)`
  return ''
}

function describeStatus(before: Node, { Name, Status }: Node): string | undefined {
  if (Status === 'down') return `host ${Name} is silent: it counts as down`
  if (Status === 'disconnected') return `host ${Name} is silent: what runs there may come back`
  return Status === 'ready' && before.Status !== 'initializing' ? `host ${Name} is back` : undefined
}

function describeDeployment(before: Deployment | undefined, after: Deployment): string | undefined {
  const rollOut = `${nameIn(after.Namespace, after.JobID)}: the roll-out of version ${after.JobVersion}`
  if (before !== undefined && !isPromoted(before) && isPromoted(after)) return `${rollOut} is promoted`
  if (before?.Status === after.Status) return undefined
  switch (after.Status) {
    case 'successful':
      return `${rollOut} is done`
    case 'failed':
      return `${rollOut} failed: ${after.StatusDescription}`
    case 'paused':
      return `${rollOut} is paused`
    case 'running':
      if (before?.Status === 'paused') return `${rollOut} goes on`
      return needsPromotion(after) ? `${rollOut} waits to be promoted once its canaries are healthy` : undefined
    default:
      return undefined
  }
}

function nameIn(namespace: string, name: string): string {
  return namespace === NAMESPACE_DEFAULT ? name : `${namespace}/${name}`
}

function isPromoted({ TaskGroups }: Deployment): boolean {
  return Object.values(TaskGroups).some(({ DesiredCanaries, Promoted }) => DesiredCanaries > 0 && Promoted)
}

function needsPromotion({ TaskGroups }: Deployment): boolean {
  return Object.values(TaskGroups).some(({ DesiredCanaries, Promoted, AutoPromote }) => DesiredCanaries > 0 && !Promoted && !AutoPromote)
}
