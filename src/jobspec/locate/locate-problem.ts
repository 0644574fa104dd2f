/** Points the problems of a finished job at the blocks and attributes that they are about. */
import { type Fault, fault } from '../mistakes.js'
import type { Span, Syntax } from '../syntax.js'
import type { Problem } from '../validate/problem.js'
import { type BlockPlace, jobPlace } from './block-place.js'
import { problemLines } from './problem-lines.js'

type Descent = (place: BlockPlace, found: RegExpExecArray) => BlockPlace | undefined

/** What a sentence is told under, and the block that this means. The first that matches counts. */
const BLOCKS: readonly (readonly [RegExp, Descent])[] = [
  [/^Task group network/, (place) => place.block('network', 0)],
  [/^Task group (?:service|scaling)/, (place) => place],
  [/^Task group volume validation for (.+) failed/, (place, [, name]) => place.block('volume', name!)],
  [/^Task group (.+) validation failed/, (place, [, name]) => groupPlace(place, name!)],
  [/^Task (.+) validation failed/, (place, [, name]) => place.block('task', name!)],
  [
    /^(Constraint|Affinity|Spread|Template|Artifact) (\d+)/,
    (place, [, type, number]) => place.block(type!.toLowerCase(), Number(number) - 1),
  ],
  [/^service\[(\d+)\]/i, (place, [, at]) => place.block('service', Number(at))],
  [/^device (\d+)/, (place, [, number]) => place.block('resources', 0)?.block('device', Number(number) - 1)],
  [/^Vault /, (place) => place.block('vault', 0)],
  [/^Action (.+) validation failed/, (place, [, name]) => place.block('action', name!)],
  [/^Port (\S+) /, (place, [, label]) => place.block('port', label!)],
  [/^minimum (?:CPU|MemoryMB) /, (place) => place.block('resources', 0)],
  [/^meta "drover"/, (place) => place.block('meta', 0)],
  [/config "[^"]+"/, (place) => place.block('config', 0)],
]

/** What a sentence says, and the attribute of the block that this means. */
const ATTRIBUTES: readonly (readonly [RegExp, string])[] = [
  [/^meta "drover"/, 'drover'],
  [/^job priority /, 'priority'],
  [/job type/i, 'type'],
  [/nonexistent node pool/, 'node_pool'],
  [/datacenter/, 'datacenters'],
  [/^Task group count |cannot exceed 1 with system/, 'count'],
  [/^minimum CPU /, 'cpu'],
  [/^minimum MemoryMB /, 'memory'],
  [/^KillTimeout /, 'kill_timeout'],
  [/^ShutdownDelay /, 'shutdown_delay'],
]

export function locateProblem(syntax: Syntax, problem: Problem): readonly Fault[] {
  const job = jobPlace(syntax)
  return problemLines(problem.text).map(({ text, under }) => {
    const detail = under.map((words) => words.replace(/ (?:validation )?failed$/, '')).join(' › ')
    if (job === undefined) return { summary: text, detail }
    return fault(syntax, spanOf(job, problem, [...under, text]), text, detail)
  })
}

function spanOf(job: BlockPlace, { group, task }: Problem, sentences: readonly string[]): Span {
  let place = (group === undefined ? undefined : groupPlace(job, group)) ?? job
  if (task !== undefined) place = place.block('task', task) ?? place
  for (const sentence of sentences) place = descend(place, sentence) ?? place
  const said = sentences.at(-1)!
  const config = /config "([^"]+)"/.exec(said)?.[1]
  const name = config ?? ATTRIBUTES.find(([pattern]) => pattern.test(said))?.[1]
  return (name === undefined ? undefined : place.attribute(name)) ?? place.span
}

function descend(place: BlockPlace, sentence: string): BlockPlace | undefined {
  for (const [pattern, into] of BLOCKS) {
    const found = pattern.exec(sentence)
    if (found !== null) return into(place, found)
  }
  return undefined
}

/** A task that stands in the job itself makes a group of its own name. */
function groupPlace(job: BlockPlace, name: string): BlockPlace | undefined {
  return job.block('group', name) ?? job.block('task', name)
}
