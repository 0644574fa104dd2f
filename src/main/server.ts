/** `drover server`: reads its configuration, builds the adapters, starts the controller and the HTTP API, and stops them in order. */

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../adapters/clock.js'
import { GitSignatures } from '../adapters/git/commit-signatures.js'
import { Remotes } from '../adapters/git/remote/remotes.js'
import { WorkerSyntaxReader } from '../adapters/hcl-syntax/index.js'
import { createHostCheck, startHttp } from '../adapters/http/index.js'
import { openIdentitySigner } from '../adapters/identity-signer.js'
import { checkStoreAhead } from '../adapters/lmdb/check-store.js'
import { createLogger } from '../adapters/logger.js'
import { loadServerKeys, nodeIdOfKey, verifySignature } from '../adapters/node-key.js'
import { PastProcess } from '../adapters/past/past-process.js'
import { prometheusText } from '../adapters/prometheus.js'
import { systemRandom } from '../adapters/random.js'
import { Turnstile } from '../adapters/turnstile.js'
import { WebhookReceiver } from '../adapters/webhooks.js'
import { WorkerJobReader } from '../adapters/workers/job-reader.js'
import { WorkerJobRequests } from '../adapters/workers/job-requests.js'
import { type FollowedSource, type GitSource, isHealthy, JOBS_FOLDER, RefReader, Server, type SyncOutcome } from '../controller/index.js'
import { type Bus, OrchestratorError, SOURCE_DEFAULT, TerminalError } from '../domain/index.js'
import { auditCommands, auditTrailers, openAudit } from './audit.js'
import { readClusterMark, writeClusterMark } from './cluster-mark.js'
import { collectYoungObjectsEarly } from './garbage-collector.js'
import { folderOfSource, type OpenSource, openSource, sourcesOf } from './open-source.js'
import { type Reporters, startReporters } from './report-requests.js'
import type { ServerConfig } from './server-config.js'
import { limitsOf, trustOf, webhooksOf } from './source-config.js'
import { createSourceTexts } from './source-texts.js'
import { startSpans } from './spans.js'
import { logFolder, openState, stateFolder } from './state-folder.js'
import { pastReaderProgram } from './supervisor-command.js'
import { readVersion } from './version.js'

const MS_PER_HOUR = 3_600_000

/** Jobs of plans of requests, between which others have a turn. */
const PLANS_PER_TURN = 4

export interface RunningServer {
  readonly url: string
  readonly server: Server
  stop(): Promise<void>
}

export interface ServerEvents {
  readonly onSync: (outcome: SyncOutcome) => void
  readonly onSyncFailed: (sourceId: string, problem: string) => void
  /** @param problem why the remote can no longer be fetched; null: it can again */
  readonly onRemote: (sourceId: string, problem: string | null) => void
  /** @param awayMs how long the broker was away; undefined: it has just been lost */
  readonly onBroker: (awayMs: number | undefined) => void
  /** The process must end: it no longer leads, or the log refused it. */
  readonly onStop: (reason: string) => void
}

/** @throws TerminalError and OrchestratorError with what to mend: folder, lock, repository, port */
export async function startServer(
  config: ServerConfig,
  bus: Bus,
  events: ServerEvents,
  /** Begin again as this cluster, over what its hosts run. */
  adoptCluster?: string,
): Promise<RunningServer> {
  collectYoungObjectsEarly()
  const dataFolder = resolve(config.data_dir)
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const check = checkStoreAhead(logFolder(dataFolder))
  const logger = createLogger({ level: config.log_level, name: 'server', destination: `${dataFolder}/server.log` })
  const keys = loadServerKeys(dataFolder)
  const audit = openAudit(config.audit)
  const undo: (() => Promise<void>)[] = [async () => audit.close()]
  try {
    const isFirstStart = readClusterMark(dataFolder) === undefined && adoptCluster === undefined
    const opened = new Map<string, OpenSource>()
    const followed = sourcesOf(config)
    const remotes = new Remotes()
    for (const { id, source } of followed) {
      const isNeeded = id === SOURCE_DEFAULT && isFirstStart
      const one = await openSource({ id, source, dataFolder, isNeeded, count: followed.length, isOnlyOwner: true, remotes })
      opened.set(id, one)
      undo.push(() => one.close())
    }
    const { git, remote } = opened.get(SOURCE_DEFAULT)!
    // Before anything is started: a repository without a commit is told at once, not by a server that does nothing.
    if (remote === undefined || isFirstStart) await git.resolve()
    const history = { ms: config.history.hours * MS_PER_HOUR, commandsMax: config.history.commands_max }
    const { log, movedTo } = await openState(dataFolder, { adoptCluster, history, check })
    undo.push(() => log.close())
    if (movedTo !== undefined) logger.warn({ movedTo }, 'the state that could not be read was moved away')
    const identities = await openIdentitySigner(dataFolder, config.identity.issuer)
    const syntax = new WorkerSyntaxReader()
    const jobs = new WorkerJobReader()
    const jobRequests = new WorkerJobRequests()
    undo.push(
      () => syntax.close(),
      () => jobs.close(),
      () => jobRequests.close(),
    )
    const reporters: Reporters = new Map()
    const server = await Server.start({
      log,
      bus,
      sources: followed.map((one) => followedSource(one, opened.get(one.id)!, dataFolder)),
      syntax,
      jobs,
      identities,
      clock: systemClock,
      random: systemRandom,
      logger,
      audit: audit.trail,
      onStop: events.onStop,
      onSync: (outcome) => {
        events.onSync(outcome)
        auditTrailers(outcome, audit.trail)
        reporters.get(outcome.sourceId)?.onSync(outcome)
      },
      onSyncFailed: events.onSyncFailed,
      onRemote: events.onRemote,
      onBroker: events.onBroker,
      options: {
        isBeginningAgain: adoptCluster !== undefined,
        garbage: {
          evaluationMs: config.garbage.evaluation_seconds * 1000,
          batchEvaluationMs: config.garbage.batch_evaluation_seconds * 1000,
          jobMs: config.garbage.job_seconds * 1000,
          deploymentMs: config.garbage.deployment_seconds * 1000,
          nodeMs: config.garbage.node_seconds * 1000,
        },
        nodes: {
          region: config.region,
          ...(config.nodes.heartbeat_ttl_seconds === undefined ? {} : { heartbeatTtlMs: config.nodes.heartbeat_ttl_seconds * 1000 }),
          boundKeys: config.nodes.bound_keys.map(({ name, public_key }) => ({ name, publicKey: public_key })),
          signer: keys.current,
          nextServerKeys: keys.next.map(({ publicKey }) => publicKey),
          verify: verifySignature,
          nodeIdOf: nodeIdOfKey,
        },
      },
    })
    undo.push(() => server.stop())
    const stopped = new AbortController()
    void auditCommands(server, audit.trail, stopped.signal)
    undo.push(async () => stopped.abort())
    if (config.traces !== undefined) undo.push(await startSpans({ config: config.traces, name: config.name, server, logger }))
    if (readClusterMark(dataFolder) !== server.leader.state.clusterId) writeClusterMark(dataFolder, server.leader.state.clusterId)
    await refuseEmptyRepository(server, git, config.source.repository)
    const { reader, planner, commitPlanner, sources } = server
    const sourceOf = (id: string) => ({ ...sources.rulesOf(id), git: opened.get(id)!.anyCommit, find: opened.get(id)!.find })
    const refReader = new RefReader({ view: server.leader.state, sourceOf, jobs, syntax, region: config.region })
    const plans = { reader, planner, commitPlanner, refReader, jobRequests, turns: new Turnstile(PLANS_PER_TURN) }
    const told = followed.map(({ id, source }) => ({ id, source, remote: opened.get(id)!.remote }))
    startReporters(reporters, told, { view: server.leader.state, plans, clock: systemClock, logger })
    undo.push(async () => {
      for (const reporter of reporters.values()) reporter.stop()
    })
    const settings = {
      region: config.region,
      datacenter: config.datacenter,
      name: config.name,
      writes: config.api.writes,
      showVariables: config.api.show_variables,
      identityKeys: identities.publicKeys,
      oidcIssuer: config.identity.issuer,
      version: readVersion(),
    }
    const past = new PastProcess({
      command: pastReaderProgram(),
      stateFolder: stateFolder(dataFolder),
      settings: { ...settings, address: config.http.address },
    })
    undo.push(() => past.close())
    const http = await startHttp({
      address: config.http.address,
      limits: { perClient: config.limits.http_max_conns_per_client },
      isOwnHost: createHostCheck(config.http.address, config.http.allowed_hosts),
      reader,
      agents: server.calls,
      planner,
      actor: server.actor,
      garbage: server.garbage,
      commitPlanner,
      refReader,
      jobRequests,
      sourceTexts: createSourceTexts(new Map([...opened].map(([id, one]) => [id, one.git]))),
      sourceHealth: server,
      waitingChanges: server,
      commitMemory: server,
      webhooks: new WebhookReceiver({
        webhooks: followed.flatMap(({ id, source }) => webhooksOf(id, source)),
        clock: systemClock,
        logger,
        onPush: (id) => {
          sources.lookAt(id)
          reporters.get(id)?.lookNow()
        },
        onUnheard: (id) => sources.doubtWebhooks(id),
      }),
      busHealth: server,
      schedulingHealth: server,
      jobHealth: { isHealthy },
      prometheus: prometheusText,
      logger,
      past,
      audit: audit.trail,
      settings,
    })
    undo.push(() => http.stop())
    return { url: http.url, server, stop: () => unwind(undo) }
  } catch (error) {
    await unwind(undo)
    throw explainStart(error, config)
  }
}

function followedSource(
  { id, source, allow }: ReturnType<typeof sourcesOf>[number],
  { git, folder, remote, pollMs, remotePollMs }: OpenSource,
  dataFolder: string,
): FollowedSource {
  const trust = trustOf(source, `${folderOfSource(dataFolder, id)}/signers`)
  return {
    id,
    git,
    remote,
    trust: trust === undefined ? undefined : { rules: trust.rules, signatures: new GitSignatures(folder, trust.keys) },
    limits: limitsOf(allow),
    options: { rewind: source.rewind, ref: source.ref, overlay: source.overlay },
    pollMs,
    remotePollMs,
  }
}

/** A repository without jobs that never had any is a wrong folder rather than a wish for nothing. */
async function refuseEmptyRepository(server: Server, git: GitSource, repository: string): Promise<void> {
  if (server.leader.state.sources.count > 0) return
  const { id } = await git.resolve()
  if ((await git.list(id)).some(({ path }) => path.startsWith(`${JOBS_FOLDER}/`))) return
  throw new TerminalError(
    'NO_JOBS',
    `${repository} has no jobs folder in its newest commit; commit one: mkdir jobs, add a job file, git add jobs && git commit`,
  )
}

/** In the opposite order of starting; one that fails does not keep the others from stopping. */
async function unwind(undo: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

function explainStart(error: unknown, config: ServerConfig): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error
  return new OrchestratorError(
    'PORT_IN_USE',
    `${config.http.address} is in use by another program; stop it, or listen elsewhere with --http 127.0.0.1:0`,
    {},
    error,
  )
}
