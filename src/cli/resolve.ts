/** What somebody means: an exact name first, then the only thing that begins so. */
import type { Client } from './client.js'
import { CommandError } from './command.js'
import { describeWait } from './standing.js'
import { shortId } from './table.js'
import type { AllocationStub, NodeStub, SearchAnswer, SourceAnswer, WaitingAnswer } from './wire.js'

export const KINDS = ['job', 'allocation', 'node', 'evaluation', 'deployment'] as const
export type Kind = (typeof KINDS)[number]

export interface Found {
  readonly kind: Kind
  readonly id: string
}

const CONTEXTS: Readonly<Record<Kind, string>> = {
  job: 'jobs',
  allocation: 'allocs',
  node: 'nodes',
  evaluation: 'evals',
  deployment: 'deployment',
}

/** @throws CommandError with what could be meant, or where it is instead */
export async function resolve(text: string, kinds: readonly Kind[], client: Client): Promise<Found> {
  const found = await search(text, kinds, client, {})
  const exact = found.find(({ id }) => id === text) ?? (await findByName(text, kinds, client))
  if (exact !== undefined) return exact
  const [only, ...others] = found
  if (only === undefined) throw new CommandError(await explainAbsence(text, kinds, client))
  if (others.length === 0) return only
  const listed = found.slice(0, 10).map(({ kind, id }) => `  ${kind} ${id}`)
  throw new CommandError(`${text} is the beginning of ${found.length} ids, give more of it:\n${listed.join('\n')}`)
}

async function search(
  text: string,
  kinds: readonly Kind[],
  client: Client,
  query: Readonly<Record<string, string>>,
): Promise<readonly Found[]> {
  const { Matches } = await client.put<SearchAnswer>('/v1/search', { Prefix: text, Context: 'all' }, query)
  return kinds.flatMap((kind) => (Matches[CONTEXTS[kind]] ?? []).map((id) => ({ kind, id })))
}

/** Nodes have names, and allocations are called `job.group[0]`. */
async function findByName(text: string, kinds: readonly Kind[], client: Client): Promise<Found | undefined> {
  if (kinds.includes('allocation') && text.endsWith(']')) {
    const named = (await client.get<readonly AllocationStub[]>('/v1/allocations')).filter(({ Name }) => Name === text)
    const isRunning = (allocation: AllocationStub) => Number(allocation.ClientStatus === 'running')
    const [newest] = named.sort((a, b) => isRunning(b) - isRunning(a) || b.CreateIndex - a.CreateIndex)
    if (newest !== undefined) return { kind: 'allocation', id: newest.ID }
  }
  if (!kinds.includes('node')) return undefined
  const node = (await client.get<readonly NodeStub[]>('/v1/nodes')).find(({ Name }) => Name === text)
  return node === undefined ? undefined : { kind: 'node', id: node.ID }
}

async function explainAbsence(text: string, kinds: readonly Kind[], client: Client): Promise<string> {
  const { namespace } = client.connection
  const frozen = (await client.get<readonly SourceAnswer[]>('/drover/v1/source'))
    .flatMap((source) => source.frozen)
    .filter((file) => (file.jobId ?? nameOfFile(file.path)) === text && (file.namespace ?? namespace) === namespace)
  if (frozen.length > 0) return `job ${text} has never run, since its file has mistakes:\n${describeMistakes(frozen)}`
  const waiting = await client.get<readonly WaitingAnswer[]>('/drover/v1/waiting')
  const held = kinds.includes('job') ? waiting.find(({ jobId }) => jobId === text) : undefined
  if (held !== undefined) return `job ${text} ${describeWait(held, Date.now())}`
  const elsewhere = namespace === '*' ? [] : await search(text, kinds, client, { namespace: '*' })
  const job = elsewhere.find(({ kind, id }) => kind === 'job' && id === text) ?? elsewhere[0]
  const what = kinds.length === 1 ? `no ${kinds[0]}` : kinds.length === KINDS.length ? 'nothing' : `no ${kinds.join(' and no ')}`
  const hint =
    job === undefined
      ? '"drover status" lists the jobs'
      : `another namespace has ${job.kind} ${job.kind === 'job' ? job.id : shortId(job.id)}: look there with -n NAMESPACE, or everywhere with -n "*"`
  return `${what} is called ${text} in namespace ${namespace}; ${hint}`
}

/** What a file is called whose text does not even say which job it is. */
function nameOfFile(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.nomad\..*$/, '')
}

function describeMistakes(files: SourceAnswer['frozen']): string {
  return files
    .flatMap(({ mistakes }) => mistakes)
    .map(({ place, summary, detail }) => `  ${place}: ${summary}${detail === '' ? '' : `: ${detail}`}`)
    .join('\n')
}
