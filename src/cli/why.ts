/** `drover why JOB`: why it runs where it runs, what ended, and what is missing. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import type { CommandModule, Io } from './command.js'
import { formatJson } from './json.js'
import { describeMissingDrivers, groupsMissingDrivers, type HostDrivers } from './missing-drivers.js'
import { resolve } from './resolve.js'
import { describeSetAside, describeWait } from './standing.js'
import type { ExplanationAnswer, JobAnswer, ReasonAnswer, WaitingAnswer } from './wire.js'

interface WhyOptions extends ConnectionOptions {
  readonly json: boolean
}

export const whyCommand: CommandModule = {
  name: 'why',
  usage: '[options] <JOB>',
  summary: 'tell why a job runs where it runs, what ended, and what is missing',
  exitCodes: { 0: 'told', 1: 'no such job, or no server answers' },
  completes: 'job',
  define(command: Command, io: Io, finish) {
    addConnectionOptions(command)
      .argument('<JOB>', 'the id of a job, or the beginning of one')
      .option('--json', 'codes and facts, for programs', false)
      .action((id: string, options: WhyOptions) => finish(tellWhy(id, options, io)))
  },
}

async function tellWhy(id: string, options: WhyOptions, io: Io): Promise<number> {
  const client = new Client(options, io)
  const found = await resolve(id, ['job'], client)
  const job = await client.get<JobAnswer>(`/v1/job/${encodeURIComponent(found.id)}`)
  const { Namespace, ID } = job
  const explanation = await client.get<ExplanationAnswer>(`/drover/v1/why/${Namespace}/${encodeURIComponent(ID)}`)
  const waiting = await client.get<readonly WaitingAnswer[]>('/drover/v1/waiting', { namespace: Namespace })
  const change = waiting.find(({ jobId }) => jobId === ID)
  if (options.json) io.out(formatJson({ ...explanation, waiting: change ?? null }))
  else {
    if (change !== undefined) io.out(`${ID} ${describeWait(change, Date.now())}\n`)
    const setAside = describeSetAside(explanation.standing)
    if (setAside !== '') io.out(`${setAside}\n`)
    const withoutDrivers = groupsMissingDrivers(explanation)
    const hosts = withoutDrivers.length === 0 ? [] : await client.get<readonly HostDrivers[]>('/v1/nodes')
    for (const group of explanation.groups) {
      const drivers = withoutDrivers.includes(group.group) ? describeMissingDrivers(job, [group.group], hosts) : ''
      io.out(describeGroup(group, drivers))
    }
  }
  return 0
}

function describeGroup(
  { group, wanted, running, placements, stops, missing }: ExplanationAnswer['groups'][number],
  /** What hosts without a driver say of it, in lines. */
  drivers: string,
): string {
  const head = `group ${group}: ${running} of ${wanted} run\n`
  return (
    head + section('missing', missing) + drivers.replace(/^(?=.)/gm, '    ') + section('there', placements) + section('ended lately', stops)
  )
}

function section(title: string, reasons: readonly ReasonAnswer[]): string {
  return reasons.length === 0 ? '' : `  ${title}\n${describeReasons(reasons, '    ')}`
}

/** A line for each reason, and one for each node that has its own reason against it. */
export function describeReasons(reasons: readonly ReasonAnswer[], indent: string): string {
  return reasons
    .map(({ text, facts }) => `${indent}${text}\n${(facts.nodes ?? []).map((node) => describeNode(node, `${indent}  `)).join('')}`)
    .join('')
}

function describeNode({ node, verdict, reason }: { node: string; verdict: string; reason: string }, indent: string): string {
  const words: Readonly<Record<string, string>> = { open: 'can take one now', filtered: `fails ${reason}`, exhausted: `lacks ${reason}` }
  return `${indent}${node} ${words[verdict] ?? verdict}\n`
}
