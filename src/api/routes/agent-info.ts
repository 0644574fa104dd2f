/** Who answers: `/v1/agent/*`, `/v1/status/*`, `/v1/regions` (Nomad API docs, "Services", "Operator"). None of them has an index. */
import type { StateView } from '../../state/index.js'
import type { ReadDeps } from '../blocking.js'
import { encodeJson } from '../encode.js'
import { badRequest, requestFailed } from '../errors.js'
import type { ApiSettings, BusHealth, SourceHealth } from '../ports.js'
import { jsonAnswer } from '../request.js'
import type { Call, Handler, Route } from '../router.js'

export interface AgentInfoDeps extends ReadDeps {
  readonly settings: ApiSettings
  readonly busHealth: BusHealth
  readonly sourceHealth: SourceHealth
}

/** The release of Nomad whose dialect is spoken; clients choose their requests by it. */
export const DIALECT_VERSION = '2.0.5'
const SCHEDULERS = ['service', 'batch', 'system', 'sysbatch']

export function agentInfoRoutes(deps: AgentInfoDeps): readonly Route[] {
  const read = (pattern: string, compute: (view: StateView, call: Call) => unknown): Route => ({
    pattern,
    methods: { GET: told(deps, compute) },
  })
  const { settings } = deps
  return [
    // What a client has to know before it asks for anything.
    read('/drover/v1/settings', () => ({ region: settings.region, writes: settings.writes })),
    read('/v1/regions', () => [settings.region]),
    read('/v1/status/leader', () => (deps.reader.isLeader ? settings.address : '')),
    read('/v1/status/peers', () => [settings.address]),
    read('/v1/agent/self', (view) => describeSelf(view, deps)),
    read('/v1/agent/members', (view) => describeMembers(view, settings)),
    read('/v1/agent/servers', () => [settings.address]),
    read('/v1/agent/health', (view, call) => describeHealth(view, call, deps)),
    read('/v1/agent/schedulers', (view) => ({
      server_id: view.clusterId,
      schedulers: [
        {
          id: view.clusterId,
          enabled_schedulers: SCHEDULERS,
          started: '0001-01-01T00:00:00Z',
          status: 'Running',
          workload_status: 'WaitingToDequeue',
        },
      ],
    })),
    read('/v1/agent/schedulers/config', (view) => ({ server_id: view.clusterId, num_schedulers: 1, enabled_schedulers: SCHEDULERS })),
  ]
}

/** Answered from what is known now, without an index. */
function told(deps: ReadDeps, compute: (view: StateView, call: Call) => unknown): Handler {
  return async (call) => {
    const { body } = await deps.reader.read((view) => ({ index: 0, body: encodeJson(compute(view, call)) }))
    return jsonAnswer(body)
  }
}

/** Host and port of an address; IPv6 without its brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: string } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: address.slice(colon + 1) }
}

/** There is no gossip and no separate port between servers: the API's address stands for both. */
function describeMember(view: StateView, settings: ApiSettings): Readonly<Record<string, unknown>> {
  const { host, port } = splitAddress(settings.address)
  return {
    Name: `${settings.name}.${settings.region}`,
    Addr: host,
    Port: Number(port),
    Tags: {
      role: 'nomad',
      region: settings.region,
      dc: settings.datacenter,
      id: view.clusterId,
      rpc_addr: host,
      port,
      build: DIALECT_VERSION,
      raft_vsn: '3',
      vsn: '1',
      bootstrap: '1',
      expect: '1',
      revision: '',
    },
    Status: 'alive',
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  }
}

function describeMembers(view: StateView, settings: ApiSettings): Readonly<Record<string, unknown>> {
  const { name: ServerName, region: ServerRegion, datacenter: ServerDC } = settings
  return { ServerName, ServerRegion, ServerDC, Members: [describeMember(view, settings)] }
}

/** The members of `config` that clients read; the rest of Nomad's configuration has no meaning here. */
function describeSelf(view: StateView, { settings, reader }: AgentInfoDeps): Readonly<Record<string, unknown>> {
  const { host, port } = splitAddress(settings.address)
  const disabled = { Enabled: false }
  return {
    config: {
      Region: settings.region,
      Datacenter: settings.datacenter,
      NodeName: settings.name,
      BindAddr: host,
      Addresses: { HTTP: host, RPC: host, Serf: host },
      AdvertiseAddrs: { HTTP: settings.address, RPC: settings.address, Serf: settings.address },
      Ports: { HTTP: Number(port), RPC: Number(port), Serf: Number(port) },
      EnableDebug: false,
      DevMode: false,
      ACL: {
        Enabled: false,
        TokenTTL: 0,
        PolicyTTL: 0,
        RoleTTL: 0,
        TokenMinExpirationTTL: 0,
        TokenMaxExpirationTTL: 0,
        ReplicationToken: '',
      },
      Client: disabled,
      Server: { Enabled: true },
      UI: {
        Enabled: true,
        Consul: { BaseUIURL: '' },
        Vault: { BaseUIURL: '' },
        Label: { Text: '', BackgroundColor: '', TextColor: '' },
        ShowCLIHints: true,
      },
      Version: {
        Version: DIALECT_VERSION,
        VersionPrerelease: '',
        VersionMetadata: `drover.${settings.version}`,
        Revision: '',
        BuildDate: null,
      },
    },
    member: describeMember(view, settings),
    stats: {
      nomad: {
        server: 'true',
        leader: String(reader.isLeader),
        leader_addr: settings.address,
        bootstrap: 'true',
        known_regions: '1',
      },
      raft: {
        applied_index: String(view.index),
        last_log_index: String(view.index),
        term: String(view.epoch),
        state: 'Leader',
        num_peers: '0',
      },
      runtime: { version: `drover ${settings.version}` },
    },
  }
}

/** A server without its broker still answers, and ending it would help nobody: well, but not silent about it. */
function brokerMessage({ awayMs }: BusHealth): string {
  return awayMs === 0
    ? 'ok'
    : `the broker has been away for ${Math.round(awayMs / 1000)} s; tasks keep running, and no change reaches a host`
}

/** A remote that is away changes nothing of what runs, and new commits do not come through. */
function remoteMessages(sourceHealth: SourceHealth['sourceHealth']): readonly string[] {
  return sourceHealth.flatMap(({ id, remote }) => {
    if (remote === null || remote.problem === null) return []
    const age = remote.ageMs === null ? '' : `; what is here is ${Math.round(remote.ageMs / 1000)} s old`
    return [`${sourceHealth.length === 1 ? '' : `source ${id}: `}${remote.problem}${age}`]
  })
}

/** Hosts that were lost at once. */
function lossMessage({ heldLosses: { count } }: StateView): string {
  const until = 'until most of them are back, for five minutes at most, or until a commit with "Drover-Replace-Lost: *"'
  return count === 0 ? 'ok' : `${count} hosts were lost at once, and what they run is not replaced: ${until}`
}

function serverMessage(view: StateView, { busHealth, sourceHealth }: AgentInfoDeps): string {
  const messages = [brokerMessage(busHealth), ...remoteMessages(sourceHealth.sourceHealth), lossMessage(view)].filter(
    (message) => message !== 'ok',
  )
  return messages.length === 0 ? 'ok' : messages.join('; ')
}

/** `type` may be given twice; without it both roles are told. @throws ApiError REQUEST_FAILED when one is not well */
function describeHealth(view: StateView, call: Call, deps: AgentInfoDeps): Readonly<Record<string, unknown>> {
  const types = call.parameters.all('type')
  const unknown = types.find((type) => type !== 'client' && type !== 'server')
  if (unknown !== undefined) throw badRequest(`unknown type "${unknown}"; it is client or server`)
  const health: Record<string, { ok: boolean; message: string }> = {}
  if (types.length === 0 || types.includes('server'))
    health['server'] = { ok: deps.reader.isLeader, message: deps.reader.isLeader ? serverMessage(view, deps) : 'no leader' }
  if (types.includes('client')) health['client'] = { ok: false, message: 'client not enabled' }
  if (Object.values(health).some((role) => !role.ok)) throw requestFailed(JSON.stringify(health))
  return health
}
