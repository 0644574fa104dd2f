/** `/v1/search`, `/v1/search/fuzzy`: pure, so answered whatever is written elsewhere (Nomad API docs, "Search"). */
import { compareText, type Job, NAMESPACE_DEFAULT } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { contactHeaders, type ReadDeps } from '../blocking.js'
import { memberOf, readJsonBody } from '../body.js'
import { encodeJson } from '../encode.js'
import { requestFailed } from '../errors.js'
import { jsonAnswer } from '../request.js'
import type { Call, Route } from '../router.js'
import { inNamespace, ofPastToo } from './reading.js'
import { policiesOf } from './scaling.js'

/** The contexts, and whether their ids are UUIDs. */
const CONTEXTS = {
  allocs: true,
  jobs: false,
  nodes: true,
  node_pools: false,
  evals: true,
  deployment: true,
  plugins: false,
  volumes: false,
  scaling_policy: true,
  vars: false,
  namespaces: false,
  host_volumes: true,
} as const
type Context = keyof typeof CONTEXTS

const PREFIX_MATCHES_MAX = 20
const FUZZY_MATCHES_MAX = 100
const FUZZY_TEXT_LENGTH_MIN = 2

export function searchRoutes(deps: ReadDeps): readonly Route[] {
  const both = (handler: (call: Call) => ReturnType<typeof answerSearch>) => {
    const marked = ofPastToo(handler)
    return { PUT: marked, POST: marked }
  }
  return [
    { pattern: '/v1/search', methods: both((call) => answerSearch(deps, call, searchPrefix)) },
    { pattern: '/v1/search/fuzzy', methods: both((call) => answerSearch(deps, call, searchFuzzy)) },
  ]
}

interface Matches {
  readonly matches: Readonly<Record<string, unknown>>
  readonly truncations: Readonly<Record<string, boolean>>
}

type Search = (view: StateView, call: Call, contexts: readonly Context[], body: ReturnType<typeof readJsonBody>) => Matches

async function answerSearch(deps: ReadDeps, call: Call, search: Search) {
  const body = readJsonBody(call.request.body)
  const contexts = readContexts(String(memberOf(body, 'Context') ?? ''))
  const { index, found } = await deps.reader.read((view) => ({ index: indexOf(view, contexts), found: search(view, call, contexts, body) }))
  const answer = { Matches: found.matches, Truncations: found.truncations, Index: index, LastContact: 0, KnownLeader: true, NextToken: '' }
  return jsonAnswer(encodeJson(answer), contactHeaders(deps.reader, index))
}

function readContexts(name: string): readonly Context[] {
  const all = Object.keys(CONTEXTS) as Context[]
  if (name === 'all') return all
  if (Object.hasOwn(CONTEXTS, name)) return [name as Context]
  throw requestFailed(`context must be one of [${all.join(' ')}] or 'all' for all contexts; got "${name}"`)
}

function indexOf(view: StateView, contexts: readonly Context[]): number {
  const tables: Partial<Record<Context, { readonly index: number }>> = {
    allocs: view.allocations,
    jobs: view.jobs,
    nodes: view.nodes,
    node_pools: view.nodePools,
    evals: view.evaluations,
    deployment: view.deployments,
    scaling_policy: view.jobs,
    namespaces: view.namespaces,
  }
  return contexts.reduce((index, context) => Math.max(index, tables[context]?.index ?? 0), 1)
}

/** Ids in order; what belongs to a namespace is narrowed to the one asked for. */
function idsOf(view: StateView, call: Call, context: Context): readonly string[] {
  const isHere = inNamespace(call)
  switch (context) {
    case 'allocs':
      return view.allocations
        .all()
        .filter(isHere)
        .map((row) => row.ID)
    case 'jobs':
      return view.jobs
        .all()
        .filter(isHere)
        .map((row) => row.ID)
    case 'evals':
      return view.evaluations
        .all()
        .filter(isHere)
        .map((row) => row.ID)
    case 'deployment':
      return view.deployments
        .all()
        .filter(isHere)
        .map((row) => row.ID)
    case 'nodes':
      return view.nodes.all().map((row) => row.ID)
    case 'node_pools':
      return view.nodePools.all().map((row) => row.Name)
    case 'namespaces':
      return view.namespaces.all().map((row) => row.Name)
    case 'scaling_policy':
      return view.jobs
        .all()
        .filter(isHere)
        .flatMap(policiesOf)
        .map((row) => row.ID)
        .sort(compareText)
    default:
      return []
  }
}

/** A prefix that cannot begin a UUID leaves the contexts of UUIDs out. */
function searchPrefix(view: StateView, call: Call, contexts: readonly Context[], body: ReturnType<typeof readJsonBody>): Matches {
  const prefix = String(memberOf(body, 'Prefix') ?? '')
  const searched = /^[0-9a-fA-F-]*$/.test(prefix)
    ? contexts
    : contexts.filter((context) => !CONTEXTS[context] || context === 'scaling_policy' || context === 'host_volumes')
  const matches: Record<string, readonly string[] | null> = {}
  const truncations: Record<string, boolean> = {}
  for (const context of searched) {
    const wanted = CONTEXTS[context] ? prefix.toLowerCase() : prefix
    const found = idsOf(view, call, context).filter((id) => id.startsWith(wanted))
    matches[context] = found.length === 0 ? null : found.slice(0, PREFIX_MATCHES_MAX)
    truncations[context] = found.length > PREFIX_MATCHES_MAX
  }
  return { matches, truncations }
}

interface FuzzyMatch {
  readonly ID: string
  readonly Scope: readonly string[] | null
}

/** Contexts whose ids are matched from their beginning; they are listed even without a match. */
const MATCHED_BY_PREFIX: ReadonlySet<Context> = new Set(['evals', 'deployment', 'scaling_policy', 'volumes', 'host_volumes'])

function searchFuzzy(view: StateView, call: Call, contexts: readonly Context[], body: ReturnType<typeof readJsonBody>): Matches {
  const text = String(memberOf(body, 'Text') ?? '').toLowerCase()
  if (text.length < FUZZY_TEXT_LENGTH_MIN) {
    throw requestFailed(`fuzzy search query must be at least ${FUZZY_TEXT_LENGTH_MIN} characters, got ${text.length}`)
  }
  const matches: Record<string, readonly FuzzyMatch[]> = {}
  const truncations: Record<string, boolean> = {}
  for (const context of contexts) {
    truncations[context] = false
    if (MATCHED_BY_PREFIX.has(context)) {
      if (contexts.length > 1 || context !== 'volumes')
        keep(
          matches,
          truncations,
          context,
          idsOf(view, call, context)
            .filter((id) => id.startsWith(text))
            .map(unscoped),
          true,
        )
      continue
    }
    for (const [name, candidates] of fuzzyCandidates(view, call, context)) keep(matches, truncations, name, rank(candidates, text), false)
  }
  return { matches, truncations }
}

function keep(
  matches: Record<string, readonly FuzzyMatch[]>,
  truncations: Record<string, boolean>,
  name: string,
  found: readonly FuzzyMatch[],
  evenIfEmpty: boolean,
): void {
  if (found.length > 0 || evenIfEmpty) matches[name] = found.slice(0, FUZZY_MATCHES_MAX)
  if (found.length > FUZZY_MATCHES_MAX || Object.hasOwn(truncations, name)) truncations[name] = found.length > FUZZY_MATCHES_MAX
}

const unscoped = (ID: string): FuzzyMatch => ({ ID, Scope: null })

function* fuzzyCandidates(
  view: StateView,
  call: Call,
  context: Context,
): Iterable<readonly [name: string, candidates: readonly FuzzyMatch[]]> {
  const isHere = inNamespace(call)
  if (context === 'nodes') yield ['nodes', view.nodes.all().map(({ Name, ID }) => ({ ID: Name, Scope: [ID] }))]
  if (context === 'namespaces') yield ['namespaces', view.namespaces.all().map(({ Name }) => unscoped(Name))]
  if (context === 'node_pools') yield ['node_pools', view.nodePools.all().map(({ Name }) => unscoped(Name))]
  if (context === 'allocs') {
    yield [
      'allocs',
      view.allocations
        .all()
        .filter(isHere)
        .map(({ Name, Namespace, ID }) => ({ ID: Name, Scope: [Namespace, ID] })),
    ]
  }
  if (context === 'jobs') yield* jobCandidates(view.jobs.all().filter(isHere))
}

/** Jobs are found by their own name and by what is in them. */
function* jobCandidates(jobs: readonly Job[]): Iterable<readonly [name: string, candidates: readonly FuzzyMatch[]]> {
  const scope = ({ Namespace = NAMESPACE_DEFAULT, ID }: Job) => [Namespace, ID]
  const groups = jobs.flatMap((job) => job.TaskGroups.map((group) => ({ group, scope: scope(job) })))
  const tasks = groups.flatMap(({ group, scope }) => group.Tasks.map((task) => ({ task, scope: [...scope, group.Name] })))
  yield ['jobs', jobs.map((job) => ({ ID: job.Name, Scope: scope(job) }))]
  yield ['groups', groups.map(({ group, scope }) => ({ ID: group.Name, Scope: scope }))]
  yield ['tasks', tasks.map(({ task, scope }) => ({ ID: task.Name, Scope: scope }))]
  yield [
    'services',
    [
      ...groups.flatMap(({ group, scope }) => (group.Services ?? []).map(({ Name }) => ({ ID: Name, Scope: [...scope, group.Name] }))),
      ...tasks.flatMap(({ task, scope }) => (task.Services ?? []).map(({ Name }) => ({ ID: Name, Scope: [...scope, task.Name] }))),
    ],
  ]
  const configured = (name: string, drivers: readonly string[], member: string) =>
    [
      name,
      tasks.flatMap(({ task, scope }) => {
        const value = drivers.includes(task.Driver) ? task.Config?.[member] : undefined
        return typeof value === 'string' ? [{ ID: value, Scope: [...scope, task.Name] }] : []
      }),
    ] as const
  yield configured('images', ['docker', 'podman'], 'image')
  yield configured('commands', ['exec', 'raw_exec'], 'command')
  yield configured('classes', ['java'], 'class')
}

/** By where the text is found, then by length, then by text. */
function rank(candidates: readonly FuzzyMatch[], text: string): readonly FuzzyMatch[] {
  return candidates
    .map((match) => ({ match, at: match.ID.toLowerCase().indexOf(text) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || a.match.ID.length - b.match.ID.length || compareText(a.match.ID, b.match.ID))
    .map(({ match }) => match)
}
