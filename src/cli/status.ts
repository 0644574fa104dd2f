/** `drover status [ID]`: what runs, or one thing of it by its id, its name or the beginning of its id. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { showAllocation } from './status/allocation.js'
import { showDeployment } from './status/deployment.js'
import { showEvaluation } from './status/evaluation.js'
import { showJob } from './status/job.js'
import { showJobs } from './status/jobs.js'
import { showNode } from './status/node.js'
import type { NodeStub, SearchAnswer } from './wire.js'

/** Prints one object; `asJson` as the API sent it. */
export type Show = (id: string, client: Client, io: Io, asJson: boolean) => Promise<void>

const KINDS: Readonly<Record<string, { readonly name: string; readonly show: Show }>> = {
  jobs: { name: 'job', show: showJob },
  allocs: { name: 'allocation', show: showAllocation },
  nodes: { name: 'node', show: showNode },
  evals: { name: 'evaluation', show: showEvaluation },
  deployment: { name: 'deployment', show: showDeployment },
}

export const statusCommand: CommandModule = {
  name: 'status',
  usage: '[options] [ID]',
  summary: 'show the jobs, or one job, allocation, node, evaluation or deployment',
  exitCodes: { 0: 'shown', 1: 'not found, not unique, or no server answers' },
  define(command: Command, io: Io, finish) {
    addConnectionOptions(command)
      .argument('[ID]', 'an id, the beginning of one, or the name of a node')
      .option('--json', 'what the API answers, for programs', false)
      .action((id: string | undefined, options: ConnectionOptions & { readonly json: boolean }) => finish(showStatus(id, options, io)))
  },
}

async function showStatus(id: string | undefined, options: ConnectionOptions & { readonly json: boolean }, io: Io): Promise<number> {
  const client = new Client(options, io)
  if (id === undefined) await showJobs(client, io, options.json)
  else {
    const found = await resolve(id, client)
    await found.show(found.id, client, io, options.json)
  }
  return 0
}

interface Candidate {
  readonly id: string
  readonly name: string
  readonly show: Show
}

/** An exact job id is meant before anything that only begins so. @throws CommandError */
async function resolve(id: string, client: Client): Promise<Candidate> {
  const { Matches } = await client.put<SearchAnswer>('/v1/search', { Prefix: id, Context: 'all' })
  const candidates = Object.entries(KINDS).flatMap(([context, { name, show }]) =>
    (Matches[context] ?? []).map((match) => ({ id: match, name, show })),
  )
  const exact = candidates.find((candidate) => candidate.id === id)
  if (exact !== undefined) return exact
  const all = candidates.length > 0 ? candidates : await nodesNamed(id, client)
  const [only, ...others] = all
  if (only === undefined)
    throw new CommandError(`nothing is called ${id} in namespace ${client.connection.namespace}; "drover status" lists the jobs`)
  if (others.length === 0) return only
  const listed = all.slice(0, 10).map((candidate) => `  ${candidate.name} ${candidate.id}`)
  throw new CommandError(`${id} is the beginning of ${all.length} ids, give more of it:\n${listed.join('\n')}`)
}

async function nodesNamed(name: string, client: Client): Promise<readonly Candidate[]> {
  const nodes = await client.get<readonly NodeStub[]>('/v1/nodes')
  return nodes.filter((node) => node.Name === name).map((node) => ({ id: node.ID, name: 'node', show: showNode }))
}
