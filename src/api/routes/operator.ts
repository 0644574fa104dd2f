/** `/v1/operator/*`, as a single healthy server answers them (Nomad API docs, "Operator"). */
import type { StateView } from '../../state/index.js'
import { answerRead, type ReadDeps } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { ApiError, notFound, wrongMethod } from '../errors.js'
import type { ApiSettings } from '../ports.js'
import { emptyAnswer, jsonAnswer } from '../request.js'
import type { Handler, Route } from '../router.js'
import { DIALECT_VERSION } from './agent-info.js'

export interface OperatorDeps extends ReadDeps {
  readonly settings: ApiSettings
}

export function operatorRoutes(deps: OperatorDeps): readonly Route[] {
  const { settings } = deps
  const told =
    (compute: (view: StateView) => unknown): Handler =>
    async () => {
      const { body } = await deps.reader.read((view) => ({ index: 0, body: encodeJson(compute(view)) }))
      return jsonAnswer(body)
    }
  // These two families answer another status than 405 to a wrong method.
  const elsewhere: Handler = () => {
    throw notFound(wrongMethod().message)
  }
  return [
    {
      pattern: '/v1/operator/scheduler/configuration',
      methods: { GET: (call) => answerRead(deps, { ...call, parameters: call.parameters.withoutIndex() }, readScheduler) },
    },
    {
      pattern: '/v1/operator/raft/configuration',
      methods: { GET: told((view) => describeRaft(view, settings)), '*': () => emptyAnswer(405) },
    },
    { pattern: '/v1/operator/autopilot/configuration', methods: { GET: told((view) => describeAutopilot(view)), '*': elsewhere } },
    { pattern: '/v1/operator/autopilot/health', methods: { GET: told((view) => describeHealth(view, settings)), '*': elsewhere } },
    {
      pattern: '/v1/operator/license',
      methods: { GET: () => emptyAnswer(204), '*': () => Promise.reject(new ApiError('NOT_SUPPORTED', 'Nomad Enterprise only endpoint')) },
    },
  ]
}

/** Registrations by the API are off, and say so where clients look. */
function readScheduler(view: StateView) {
  const { stopAfterUndeclaredMs: _, ...configuration } = view.schedulerConfiguration
  const index = configuration.ModifyIndex
  const SchedulerConfig = { ...configuration, RejectJobRegistration: true, NodeLimitForFeasibilityChecks: 0 }
  return {
    index,
    watch: [],
    body: encodeJson({ SchedulerConfig, Index: index, LastContact: 0, KnownLeader: true, NextToken: '' }),
  }
}

function describeRaft(view: StateView, settings: ApiSettings): Readonly<Record<string, unknown>> {
  const server = {
    ID: view.clusterId,
    Node: `${settings.name}.${settings.region}`,
    Address: settings.address,
    Leader: true,
    Voter: true,
    RaftProtocol: '3',
  }
  return { Servers: [server], Index: view.index }
}

function describeAutopilot(view: StateView): Readonly<Record<string, unknown>> {
  return {
    CleanupDeadServers: true,
    LastContactThreshold: '200ms',
    MaxTrailingLogs: 250,
    MinQuorum: 0,
    ServerStabilizationTime: '10s',
    EnableRedundancyZones: false,
    DisableUpgradeMigration: false,
    EnableCustomUpgrades: false,
    CreateIndex: Math.min(1, view.index),
    ModifyIndex: Math.min(1, view.index),
  }
}

function describeHealth(view: StateView, settings: ApiSettings): Readonly<Record<string, unknown>> {
  const server = {
    ID: view.clusterId,
    Name: `${settings.name}.${settings.region}`,
    Address: settings.address,
    SerfStatus: 'alive',
    Version: DIALECT_VERSION,
    Leader: true,
    LastContact: '0s',
    LastTerm: view.epoch,
    LastIndex: view.index,
    Healthy: true,
    Voter: true,
    StableSince: '0001-01-01T00:00:00Z',
  }
  return { Healthy: true, FailureTolerance: 0, Servers: [server], Leader: view.clusterId, Voters: [view.clusterId] }
}
