/**
 * `api.writes: none`: what is desired stands in the repository, so every write is refused with the sentence that says which
 * file or commit trailer does it instead. Methods that a path never had stay 405.
 */
import { namespacedKey, SOURCE_DEFAULT, sourceIdOf } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { notFound, writeRefused } from '../errors.js'
import type { StateReader } from '../ports.js'
import type { Call, Handler, Route } from '../router.js'

type Sentence = (view: StateView, call: Call) => string

export function refusedRoutes(reader: StateReader): readonly Route[] {
  const refuse =
    (sentence: Sentence): Handler =>
    async (call) => {
      const { text } = await reader.read((view) => ({ index: 0, text: sentence(view, call) }))
      throw writeRefused(text)
    }
  return REFUSED.map(([methods, pattern, sentence]) => {
    const handler = refuse(sentence)
    return { pattern, methods: Object.fromEntries(methods.split(' ').map((method) => [method, handler])) }
  })
}

const WRITE = 'PUT POST'

/** A commit message's trailer, written out so that it can be copied. */
function byTrailer(act: string, trailer: (call: Call) => string): Sentence {
  return (_, call) => `${act} is asked for in the repository: commit with the trailer "${trailer(call)}"`
}

const allocationAct = byTrailer('restarting, stopping or signalling an allocation', (call) => `Drover-Restart: ${call.id}`)
/** Before anything is refused, the allocation must be there. */
const clientAllocationAct: Sentence = (view, call) => {
  if (view.allocations.get(call.id) === undefined) throw notFound(`Unknown allocation "${call.id}"`)
  return allocationAct(view, call)
}
function fixed(text: string): Sentence {
  return () => text
}

const REFUSED: readonly (readonly [methods: string, pattern: string, sentence: Sentence])[] = [
  [
    WRITE,
    '/v1/jobs',
    fixed('jobs are defined in the repository: commit jobs/<job>.nomad.hcl, or jobs/<namespace>/<job>.nomad.hcl, instead'),
  ],
  [
    `${WRITE} DELETE`,
    '/v1/job/:id',
    (view, call) => `${jobFile(view, call)}; ${call.request.method === 'DELETE' ? 'delete' : 'edit'} that file and commit`,
  ],
  [WRITE, '/v1/job/:id/scale', (view, call) => `${jobFile(view, call)}; change the group's count there and commit`],
  [WRITE, '/v1/job/:id/revert', (view, call) => `${jobFile(view, call)}; revert the commit that changed it (git revert)`],
  [WRITE, '/v1/job/:id/stable', fixed('a version becomes stable by a successful deployment')],
  [WRITE, '/v1/job/:id/evaluate', byTrailer('evaluating a job', (call) => `Drover-Evaluate: ${call.id}`)],
  [WRITE, '/v1/job/:id/dispatch', byTrailer('dispatching a job', (call) => `Drover-Dispatch: ${call.id}`)],
  [WRITE, '/v1/job/:id/dispatch/payload', byTrailer('dispatching a job', (call) => `Drover-Dispatch: ${call.id}`)],
  [WRITE, '/v1/job/:id/periodic/force', byTrailer('launching a periodic job', (call) => `Drover-Force: ${call.id}`)],
  ['PUT POST DELETE', '/v1/job/:id/tag', fixed('a version carries the commit that made it; tag that commit (git tag)')],
  [WRITE, '/v1/deployment/promote/:id', byTrailer('promoting canaries', (call) => `Drover-Promote: ${call.id}`)],
  [WRITE, '/v1/deployment/fail/:id', byTrailer('failing a roll-out', (call) => `Drover-Fail: ${call.id}`)],
  [
    WRITE,
    '/v1/deployment/pause/:id',
    byTrailer('pausing and resuming a roll-out', (call) => `Drover-Pause: ${call.id}" or "Drover-Resume: ${call.id}`),
  ],
  [WRITE, '/v1/deployment/unblock/:id', fixed('a roll-out waits for another region only where there are several')],
  [
    WRITE,
    '/v1/deployment/allocation-health/:id',
    byTrailer('saying what is healthy', () => 'Drover-Healthy: <allocation ids>" or "Drover-Unhealthy: <allocation ids>'),
  ],
  [WRITE, '/v1/allocation/:id/stop', allocationAct],
  [`${WRITE} GET`, '/v1/client/allocation/:id/restart', clientAllocationAct],
  [`${WRITE} GET`, '/v1/client/allocation/:id/signal', clientAllocationAct],
  [`${WRITE} GET`, '/v1/client/allocation/:id/gc', fixed('what has ended is collected by itself')],
  [`${WRITE} GET`, '/v1/client/gc', fixed('what has ended is collected by itself')],
  [WRITE, '/v1/client/metadata', fixed("a host's meta is declared in the repository: edit agents/<node>.hcl and commit")],
  [
    WRITE,
    '/v1/node/:id/drain',
    (view, call) =>
      `${nodeFile(view, call)}; write a drain block there, or commit with the trailer "Drover-Drain: ${view.nodes.get(call.id)?.Name ?? call.id}"`,
  ],
  [WRITE, '/v1/node/:id/eligibility', (view, call) => `${nodeFile(view, call)}; declare the eligibility there and commit`],
  [WRITE, '/drover/v1/lost/replace', byTrailer('replacing what hosts ran that were lost at once', () => 'Drover-Replace-Lost: *')],
  [WRITE, '/v1/node/:id/evaluate', fixed('nodes are evaluated by themselves when anything about them changes')],
  [WRITE, '/v1/node/:id/purge', (view, call) => `${nodeFile(view, call)}; delete that file and commit`],
  [WRITE, '/v1/node/pools', fixed('node pools are defined in the repository: commit agents/<pool>/_pool.hcl instead')],
  [
    `${WRITE} DELETE`,
    '/v1/node/pool/:id',
    (_, call) => `node pool ${call.id} is defined in the repository: edit agents/${call.id}/_pool.hcl and commit`,
  ],
  [WRITE, '/v1/namespace', fixed('a folder of jobs in the repository is a namespace: commit jobs/<namespace>/<job>.nomad.hcl instead')],
  [
    `${WRITE} DELETE`,
    '/v1/namespace/:id',
    (_, call) => `namespace ${call.id} is the folder jobs/${call.id} of the repository; change what is in it and commit`,
  ],
  [
    WRITE,
    '/v1/operator/scheduler/configuration',
    fixed('the scheduler is configured in the repository: edit agents/_cluster.hcl and commit'),
  ],
  ['PUT', '/v1/operator/autopilot/configuration', fixed('a single server has nothing to steer')],
  ['DELETE', '/v1/evaluations', fixed('evaluations that have ended are collected by themselves')],
  ['DELETE', '/v1/service/:id', fixed('a service is registered as long as its allocation runs')],
  [
    `${WRITE} DELETE`,
    '/v1/var/:id',
    (_, call) => `variables are files of the repository: edit vars/${call.parameters.namespace}/${call.id}.yaml and commit`,
  ],
  ['PUT', '/v1/system/gc', fixed('what has ended is collected by itself')],
  ['PUT', '/v1/system/reconcile/summaries', fixed('summaries are counted as allocations change')],
  [WRITE, '/v1/agent/join', fixed('servers are named in their configuration')],
  [WRITE, '/v1/agent/force-leave', fixed('servers are named in their configuration')],
  [WRITE, '/v1/agent/servers', fixed('agents find the server over the bus that their configuration names')],
  [WRITE, '/v1/agent/schedulers/config', fixed('one server runs one scheduler')],
]

/** Where the job is written, as far as it is known. */
function jobFile(view: StateView, call: Call): string {
  const { namespace } = call.parameters
  const source = view.jobSources.get(namespacedKey(namespace, call.id))
  const folder = namespace === 'default' ? 'jobs' : `jobs/${namespace}`
  const sourceId = source === undefined ? SOURCE_DEFAULT : sourceIdOf(source)
  const repository = sourceId === SOURCE_DEFAULT ? 'the repository' : `the repository of the source ${sourceId}`
  return `job ${call.id} is defined in ${repository}, in ${source?.path ?? `${folder}/${call.id}.nomad.hcl`}`
}

function nodeFile(view: StateView, call: Call): string {
  const name = view.nodes.get(call.id)?.Name
  const path = name === undefined ? undefined : view.nodeDeclarations.get(name)?.path
  return `host ${name ?? call.id} is declared in the repository, in ${path ?? `agents/${name ?? '<node>'}.hcl`}`
}
