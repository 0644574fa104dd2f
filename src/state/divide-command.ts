/**
 * Where a Command may be cut in two. Both halves together do what the whole does, and a log that ends between them is a state that
 * was allowed: whoever proposed the whole looks again and finds what is left to do.
 */
import type { Plan } from '../domain/index.js'
import type { CommandOf } from './apply/kind.js'
import type { Command } from './command.js'

/** Two smaller ones, in order; undefined for what means something only as a whole. */
export function divideCommand(command: Command): readonly [Command, Command] | undefined {
  switch (command.kind) {
    case 'evaluation-update':
      return halve(command, ['evaluations'])
    case 'node-declare':
      return halve(command, ['removed', 'declarations'])
    case 'loss-hold':
      return halve(command, ['nodeIds'])
    case 'source-files':
      return halve(command, ['mended', 'frozen', 'moved'])
    case 'version-times':
      return halve(command, ['times'])
    case 'source-claims':
      return halve(command, ['released', 'claimed'])
    case 'changes-drop':
      return halve(command, ['changes'])
    case 'allocation-adopt':
      return halve(command, ['allocations'])
    case 'garbage-collect':
      // A job takes with it what it has done: a batch job that had lost that alone would be done again by whoever has it evaluated.
      return halve(command, ['jobs', 'allocations', 'evaluations', 'deployments', 'nodes'])
    case 'node-register':
    case 'node-status':
    case 'node-eligibility':
    case 'node-drain':
    case 'node-deregister':
    case 'loss-release':
    case 'deployment-promote':
    case 'deployment-health':
      return evaluationsFirst(command)
    case 'deployment-update':
      return evaluationsFirst(command) ?? halve(command, ['updates'])
    case 'allocation-update':
      return evaluationsFirst(command) ?? halveReports(command)
    case 'allocation-transition':
      return evaluationsFirst(command) ?? halveTransitions(command)
    case 'plan-apply':
      return dividePlan(command)
    default:
      return undefined
  }
}

/** The first half of the rows of all `lists`, in that order, and the second. */
function halve<Whole extends object>(whole: Whole, lists: readonly (keyof Whole)[]): readonly [Whole, Whole] | undefined {
  const rowsOf = (name: keyof Whole) => whole[name] as readonly unknown[]
  const count = lists.reduce((sum, name) => sum + rowsOf(name).length, 0)
  if (count < 2) return undefined
  let room = Math.floor(count / 2)
  const first = { ...whole }
  const second = { ...whole }
  for (const name of lists) {
    first[name] = rowsOf(name).slice(0, room) as Whole[typeof name]
    second[name] = rowsOf(name).slice(room) as Whole[typeof name]
    room = Math.max(0, room - rowsOf(name).length)
  }
  return [first, second]
}

/**
 * To be evaluated once more than needed does no harm. The other way round, a log that ends in between would hold a cause whose
 * evaluations nobody asks for again.
 */
function evaluationsFirst(command: Caused): readonly [Command, Command] | undefined {
  const { evaluations, atMs } = command
  return evaluations.length === 0
    ? undefined
    : [
        { kind: 'evaluation-update', evaluations, atMs },
        { ...command, evaluations: [] },
      ]
}

type Caused = CommandOf<
  | 'node-register'
  | 'node-status'
  | 'node-eligibility'
  | 'node-drain'
  | 'node-deregister'
  | 'loss-release'
  | 'deployment-update'
  | 'deployment-promote'
  | 'deployment-health'
  | 'allocation-update'
  | 'allocation-transition'
>

/** The report counts as taken with its last part: before that the agent says all of it again. */
function halveReports(command: CommandOf<'allocation-update'>): readonly [Command, Command] | undefined {
  const halves = halve(command, ['reports'])
  if (halves === undefined) return undefined
  const { number: _, ...unnumbered } = withOwnServices(halves[0])
  return [unnumbered, withOwnServices(halves[1])]
}

function withOwnServices(command: CommandOf<'allocation-update'>): CommandOf<'allocation-update'> {
  const ids = new Set(command.reports.map((report) => report.ID))
  return { ...command, services: command.services.filter((service) => ids.has(service.AllocID)) }
}

function halveTransitions(command: CommandOf<'allocation-transition'>): readonly [Command, Command] | undefined {
  const entries = Object.entries(command.transitions)
  if (entries.length < 2) return undefined
  const middle = Math.floor(entries.length / 2)
  return [
    { ...command, transitions: Object.fromEntries(entries.slice(0, middle)) },
    { ...command, transitions: Object.fromEntries(entries.slice(middle)) },
  ]
}

const PLAN_ROWS = ['Stops', 'Preemptions', 'Updates', 'Placements'] as const
const WITHOUT_ROWS = { Stops: [], Preemptions: [], Updates: [], Placements: [] }
const WITHOUT_DEPLOYMENT = { Deployment: null, DeploymentUpdates: [] }

/**
 * What is freed before what takes its place, and the deployment before what counts into it. The end of the evaluation stands alone
 * at the end: without it the evaluation is worked on again.
 */
function dividePlan(command: CommandOf<'plan-apply'>): readonly [Command, Command] | undefined {
  const { plan, closes } = command
  const hasRows = PLAN_ROWS.some((name) => plan[name].length > 0)
  const hasDeployment = plan.Deployment !== null || plan.DeploymentUpdates.length > 0
  const part = (rest: Plan): Command => ({ ...command, plan: { ...rest, Annotations: null }, closes: null })
  if (closes !== null)
    return hasRows || hasDeployment ? [part(plan), { ...command, plan: { ...plan, ...WITHOUT_ROWS, ...WITHOUT_DEPLOYMENT } }] : undefined
  if (hasDeployment) return hasRows ? [part({ ...plan, ...WITHOUT_ROWS }), part({ ...plan, ...WITHOUT_DEPLOYMENT })] : undefined
  const halves = halve(plan, PLAN_ROWS)
  return halves === undefined ? undefined : [part(halves[0]), part(halves[1])]
}
