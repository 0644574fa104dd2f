/**
 * The controller, assembled: one leader and the reconcilers around it, on one event loop. Knows the world only through the
 * ports it is given, so the simulation runs this very class.
 */

import { BrokerWatch } from '../agent/index.js'
import type {
  AuditSink,
  Bus,
  Clock,
  EvaluationTime,
  FollowedHealth,
  HistogramReading,
  Logger,
  Random,
  ToldWait,
  TracedJob,
} from '../domain/index.js'
import { createScheduler } from '../scheduler/index.js'
import type { CommandBody, StateView } from '../state/index.js'
import { Actor } from './actor.js'
import { Adoption } from './adoption.js'
import { AllocationPublisher } from './allocation-publisher.js'
import { AssignmentTimes } from './assignment-times.js'
import { BlockedEvaluations } from './blocked-evaluations.js'
import { CommitPlanner } from './commit-planner.js'
import { DataKeeper } from './data-keeper.js'
import { DeploymentWatcher } from './deployment-watcher.js'
import { Drainer } from './drainer.js'
import { EvaluationBroker } from './evaluation-broker.js'
import { EvaluationTimes } from './evaluation-times.js'
import type { GarbageThresholds } from './garbage.js'
import { GARBAGE_THRESHOLDS, GarbageCollector } from './garbage-collector.js'
import { heartbeatTtlMs } from './heartbeat-ttl.js'
import { HostCalls } from './host-calls.js'
import { HostChannel } from './host-channel.js'
import { IdentityKeeper } from './identity-keeper.js'
import { Leader, type LeaderDeps } from './leader.js'
import { LeaderReader } from './leader-reader.js'
import { MassLossBrake } from './mass-loss-brake.js'
import { CommitTracer, tracedJobs } from './memory/commit-tracer.js'
import { NodeRegistrar, type NodeRegistrarOptions } from './node-registrar.js'
import { ChangeGate, tellWaiting } from './order/change-gate.js'
import { HookRunner } from './order/hook-runner.js'
import { PeriodicDispatcher } from './periodic-dispatcher.js'
import { Planner } from './planner.js'
import type { CommandLog, IdentitySigner, JobReader, SyntaxReader } from './ports.js'
import { type FollowedSource, type SourceEvents, SourceFollowers } from './sources/source-followers.js'
import { WaitingEvaluations } from './waiting-evaluations.js'
import { Worker } from './worker.js'

export interface ServerOptions {
  readonly nodes: NodeRegistrarOptions
  /** When what has ended is forgotten. */
  readonly garbage?: GarbageThresholds
  /** The state is that of a cluster whose history was lost: what its hosts run is taken over. */
  readonly isBeginningAgain?: boolean
  readonly leader?: Pick<LeaderDeps, 'snapshotEveryCommands' | 'commandBytesMax'>
}

export interface ServerDeps extends SourceEvents {
  readonly log: CommandLog
  readonly bus: Bus
  /** The first is the one that may declare hosts. */
  readonly sources: readonly FollowedSource[]
  readonly syntax: SyntaxReader
  readonly jobs: JobReader
  readonly identities: IdentitySigner
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Is told of hosts that are refused. */
  readonly audit?: AuditSink
  readonly options: ServerOptions
  readonly onStop: (reason: string) => void
  /** @param awayMs how long the broker was away; undefined: it has just been lost */
  readonly onBroker?: (awayMs: number | undefined) => void
}

const BLOCKED_RETRY_MS = 30_000
const SNAPSHOT_LOOK_EVERY_MS = 60_000
/** Hosts of a cluster that begins again are waited for this long: an agent asks again at least once a TTL. */
const HEARD_WITHIN_TTLS = 6

export class Server {
  readonly leader: Leader
  readonly reader: LeaderReader
  readonly planner: Planner
  readonly commitPlanner: CommitPlanner
  readonly sources: SourceFollowers
  readonly calls: HostCalls
  readonly actor: Actor
  readonly garbage: GarbageCollector
  readonly #brokerWatch: BrokerWatch
  readonly #broker: EvaluationBroker
  readonly #times = new EvaluationTimes()
  readonly #blocked: BlockedEvaluations
  readonly #deployments: DeploymentWatcher
  readonly #periodic: PeriodicDispatcher
  readonly #drainer: Drainer
  readonly #brake: MassLossBrake
  readonly #gate: ChangeGate
  readonly #hooks: HookRunner
  readonly #tracer: CommitTracer
  readonly #assignments: AssignmentTimes
  readonly #channel: HostChannel
  readonly #registrar: NodeRegistrar
  readonly #adoption: Adoption
  readonly #data: DataKeeper
  readonly #cancels: (() => void)[] = []

  /** Takes the lead and starts every reconciler. @throws as `Leader.start` and the git source */
  static async start(deps: ServerDeps): Promise<Server> {
    const { log, clock, random, logger, onStop, options } = deps
    const leader = await Leader.start({ log, clock, random, logger, onStop, ...options.leader })
    const server = new Server(deps, leader)
    await server.#begin()
    return server
  }

  private constructor(deps: ServerDeps, leader: Leader) {
    const { bus, random, logger, syntax, jobs, options } = deps
    const { state, clock } = leader
    const nudge = () => leader.nudge()
    const scheduler = createScheduler(state)
    this.leader = leader
    this.reader = new LeaderReader(leader)
    this.planner = new Planner(leader, scheduler, clock, random)
    this.commitPlanner = new CommitPlanner(leader, random, (sourceId) => this.sources.rulesOf(sourceId))
    this.#brokerWatch = new BrokerWatch({ bus, clock, logger, onChange: deps.onBroker })
    this.#broker = new EvaluationBroker(state, clock, nudge, this.#times)
    this.#blocked = new BlockedEvaluations(state, (evaluation) => this.#broker.unblock(evaluation), nudge)
    const propose = (bodies: readonly CommandBody[]) => void leader.propose(bodies)
    this.garbage = new GarbageCollector({ leader, thresholds: options.garbage ?? GARBAGE_THRESHOLDS })
    this.actor = new Actor({ leader, random, logger })
    this.#deployments = new DeploymentWatcher({ view: state, clock, random, propose, onDue: nudge })
    this.#periodic = new PeriodicDispatcher({ view: state, clock, random, logger, propose, onDue: nudge })
    this.#drainer = new Drainer({ view: state, clock, random, logger, propose, onDue: nudge })
    this.#brake = new MassLossBrake({ view: state, clock, random, logger, propose, onDue: nudge })
    const isSettled = (sourceId: string) => this.sources.isSettled(sourceId)
    this.#gate = new ChangeGate({ view: state, clock, random, logger, propose, isSettled, onDue: nudge })
    this.#tracer = new CommitTracer({ view: state, clock, propose, onDue: nudge })
    this.#assignments = new AssignmentTimes(state, clock)
    this.#hooks = new HookRunner({ view: state, clock, random, logger, propose, onDue: nudge })
    this.#adoption = new Adoption({
      view: state,
      clock,
      logger,
      isBeginning: options.isBeginningAgain === true,
      waitMsMax: HEARD_WITHIN_TTLS * (options.nodes.heartbeatTtlMs ?? heartbeatTtlMs(state.nodes.count)),
      onOver: nudge,
    })
    const adoption = this.#adoption
    const worker = new Worker({ leader, broker: this.#broker, times: this.#times, adoption, scheduler, clock, random, logger })
    const channel = new HostChannel({ ...options.nodes, leader, bus, clock, logger })
    const publisher = new AllocationPublisher(leader, channel)
    this.calls = new HostCalls({ bus, clock, channel, leader, region: options.nodes.region })
    this.#channel = channel
    leader.onTurnEnd(() => this.#blocked.wakeFreed())
    leader.onTurnEnd(() => this.#deployments.reconcile())
    const waiting = new WaitingEvaluations(state, propose)
    leader.onTurnEnd(() => this.#whileLeading(() => waiting.reconcile()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#periodic.reconcile()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#registrar.reconcileOrders()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#drainer.reconcile()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#brake.reconcile()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#hooks.reconcile()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#gate.reconcile()))
    leader.onTurnEnd(() => this.#whileLeading(() => this.#tracer.reconcile()))
    leader.onTurnEnd(() => worker.drain())
    leader.onTurnEnd(() => publisher.prepare())
    const brake = this.#brake
    this.#registrar = new NodeRegistrar({
      leader,
      bus,
      channel,
      clock,
      random,
      logger,
      publisher,
      adoption,
      brake,
      audit: deps.audit,
      options: options.nodes,
    })
    this.#data = new DataKeeper({ leader, channel, clock })
    new IdentityKeeper({ leader, channel, clock, random, logger, signer: deps.identities, region: options.nodes.region })
    const { sources, onSync, onSyncFailed, onRemote } = deps
    const followed = { leader, sources, syntax, jobs, clock, random, logger, onSync, onSyncFailed, onRemote }
    this.sources = new SourceFollowers({ ...followed, region: options.nodes.region, mayWait: () => !adoption.isHearing })
    leader.nudge()
  }

  /** Why repositories could not be read the last time, and how it stands with their remotes. */
  get sourceHealth(): readonly FollowedHealth[] {
    return this.sources.health
  }

  /** Changes that the newest commit asks for and that wait, each with its reasons. */
  waiting(view: StateView): readonly ToldWait[] {
    return tellWaiting(view, this.leader.clock.wallMs())
  }

  /** Since the start of this server. */
  get evaluationTimes(): readonly EvaluationTime[] {
    return this.#times.all
  }

  /** The jobs that a commit of a source has changed, or is to. */
  tracedJobs(view: StateView, sourceId: string, commitId: string): readonly TracedJob[] {
    return tracedJobs(view, sourceId, commitId, this.waiting(view))
  }

  get assignmentSeconds(): HistogramReading {
    return this.#assignments.seconds
  }

  /** Seconds from the time of a commit to each of its steps, since this server runs. */
  get commitSeconds(): CommitTracer['seconds'] {
    return this.#tracer.seconds
  }

  /** How long the broker has been away; 0 while it is there. */
  get awayMs(): number {
    return this.#brokerWatch.awayMs
  }

  /** Messages from the bus that were not heeded, by reason. */
  get droppedMessages(): ReadonlyMap<string, number> {
    return this.#channel.dropped.counts
  }

  /** Ends this server's part in order: nothing is proposed any more, what was proposed is still written. */
  async stop(): Promise<void> {
    const isUnwatched = this.sources.stop()
    this.#channel.stop()
    this.#brokerWatch.close()
    this.#registrar.stop()
    this.#adoption.stop()
    this.#data.stop()
    this.#deployments.stop()
    this.#periodic.stop()
    this.#drainer.stop()
    this.#brake.stop()
    this.#gate.stop()
    this.garbage.stop()
    this.#broker.stop()
    for (const cancel of this.#cancels.splice(0)) cancel()
    await isUnwatched
    if (this.leader.isStopped) return
    await this.leader.whenDurable(this.leader.state.index)
    this.leader.retire('stopped as asked')
  }

  /** Nothing more is decided while too much is undurable, or while hosts of a lost cluster are still awaited. */
  #whileLeading(work: () => void): void {
    if (this.leader.hasRoom && !this.#adoption.isHearing) work()
  }

  async #begin(): Promise<void> {
    this.#every(BLOCKED_RETRY_MS, () => this.#blocked.wakeAll())
    this.#every(SNAPSHOT_LOOK_EVERY_MS, () => this.leader.snapshotIfDue())
    await this.sources.begin()
  }

  #every(delayMs: number, work: () => void): void {
    let cancel = () => {}
    const again = () => {
      cancel = this.leader.clock.after(delayMs, () => {
        if (this.leader.isStopped) return
        work()
        again()
      })
    }
    again()
    this.#cancels.push(() => cancel())
  }
}
