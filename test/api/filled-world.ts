/** A world with an object of every kind, in many states: what the checks of shapes look at. */
import type { AllocationStats, FileEntry, Frame, HostStats } from '../../src/agent/index.js'
import type { AgentCaller } from '../../src/api/index.js'
import type { Allocation, ClientStatus, Job } from '../../src/domain/index.js'
import {
  allocation,
  commit,
  deployment,
  evaluation,
  FIXTURE_MS,
  job,
  jobSource,
  metrics,
  node,
  serviceRegistration,
  sourceStatus,
  taskGroup,
  taskState,
  uuid,
} from '../fixtures.js'
import { World } from './world.js'

const NAMESPACE = { Description: 'Default shared namespace', Quota: '', Capabilities: null, Meta: null, NodePoolConfiguration: null }
const POOL = { Description: 'Default node pool.', Meta: null, SchedulerConfiguration: null, NodeIdentityTTL: 0 }

export function filledWorld(over: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World({ agents: answeringAgent, sourceTexts: { read: async () => 'job "web" {}\n' }, ...over })
  fillCluster(world)
  const web = world.register(job({ Meta: { owner: 'ada' }, Status: 'running', TaskGroups: [scaledGroup()] }))
  world.register(job({ ID: 'sweep', Type: 'batch', Periodic: periodic(), Status: 'running' }))
  world.register(job({ ID: 'courier', Type: 'batch', ParameterizedJob: { Payload: 'optional', MetaRequired: null, MetaOptional: null } }))
  world.register(job({ ID: 'sweep/periodic-1', ParentID: 'sweep', Type: 'batch', Status: 'dead' }))
  fillWork(world, web)
  return world
}

function periodic(): Job['Periodic'] {
  return { Enabled: true, Spec: '@daily', Specs: [], SpecType: 'cron', ProhibitOverlap: false, TimeZone: 'UTC' }
}

function scaledGroup(): ReturnType<typeof taskGroup> {
  const Target = { Namespace: 'default', Job: 'web', Group: 'group' }
  const Policy = { cooldown: '1m', check: [{ crowd: [{ source: 'prometheus', query: 'crowd' }] }] }
  const Scaling = {
    // Drawn from the target, as canonicalizing does.
    ID: 'e584ca93-e413-5e3b-b537-cfae719a7d85',
    Type: 'horizontal',
    Target,
    Policy,
    Min: 1,
    Max: 5,
    Enabled: true,
    CreateIndex: 0,
    ModifyIndex: 0,
  }
  return taskGroup({ Scaling })
}

function fillCluster(world: World): void {
  world.change((state, index) => {
    const at = { CreateIndex: index, ModifyIndex: index }
    state.namespaces.put(index, { Name: 'default', ...NAMESPACE, ...at })
    for (const Name of ['all', 'default']) state.nodePools.put(index, { Name, ...POOL, ...at })
    state.nodes.put(index, { ...node(), ...at })
    const draining = { Deadline: 0, IgnoreSystemJobs: false, ForceDeadline: '0001-01-01T00:00:00Z', StartedAt: '2026-01-02T03:04:05Z' }
    const stopped = node({ ID: uuid(2, 0xa0), Name: 'n2', DrainStrategy: draining, SchedulingEligibility: 'ineligible', Status: 'down' })
    state.nodes.put(index, { ...stopped, ...at })
    state.sources.put(index, { ...sourceStatus(), modifyIndex: index })
  })
}

const STATUSES: readonly ClientStatus[] = ['pending', 'running', 'complete', 'failed', 'lost', 'unknown']

function fillWork(world: World, web: Job): void {
  world.change((state, index) => {
    const at = { CreateIndex: index, ModifyIndex: index }
    state.jobSources.put(index, jobSource({ commit: commit() }))
    state.jobSummaries.put(index, summaryOf(web, index))
    STATUSES.forEach((ClientStatus, number) => {
      state.allocations.put(index, { ...allocationOf(web, ClientStatus, number + 1), ...at, AllocModifyIndex: index })
    })
    const FailedTGAllocs = { group: metrics({ ScoreMetaData: null, NodesExhausted: 1, DimensionExhausted: { memory: 1 } }) }
    const complete = { BlockedEval: uuid(2, 0xc0), FailedTGAllocs, QueuedAllocations: { group: 1 }, SnapshotIndex: index }
    state.evaluations.put(index, { ...evaluation({ Status: 'complete', ...complete }), ...at })
    state.evaluations.put(index, {
      ...evaluation({ ID: uuid(2, 0xc0), Status: 'blocked', PreviousEval: uuid(1, 0xc0), TriggeredBy: 'queued-allocs' }),
      ...at,
    })
    state.deployments.put(index, { ...deployment({ JobCreateIndex: web.CreateIndex }), ...at })
    state.services.put(index, { ...serviceRegistration({ AllocID: uuid(2, 0xb0), Tags: ['v1'] }), ...at })
  })
}

function summaryOf(web: Job, index: number) {
  const group = { Queued: 1, Complete: 1, Failed: 1, Running: 1, Starting: 1, Lost: 1, Unknown: 1 }
  const Children = { Pending: 0, Running: 0, Dead: 0 }
  return { JobID: 'web', Namespace: 'default', Summary: { group }, Children, CreateIndex: web.CreateIndex, ModifyIndex: index }
}

function allocationOf(web: Job, ClientStatus: ClientStatus, number: number): Allocation {
  const isDone = ClientStatus === 'complete' || ClientStatus === 'failed'
  return allocation({
    ID: uuid(number, 0xb0),
    Name: `web.group[${number}]`,
    JobCreateIndex: web.CreateIndex,
    ClientStatus,
    DeploymentID: uuid(1, 0xd0),
    DeploymentStatus: { Healthy: ClientStatus === 'running', Timestamp: '2026-01-02T03:04:06Z', Canary: false, ModifyIndex: 1 },
    DesiredTransition: { Migrate: null, Reschedule: null, ForceReschedule: null, NoShutdownDelay: null, MigrateDisablePlacement: null },
    TaskStates:
      ClientStatus === 'pending' ? {} : { main: taskState({ State: isDone ? 'dead' : 'running', Failed: ClientStatus === 'failed' }) },
  })
}

const HOST: HostStats = {
  kind: 'host',
  atMs: FIXTURE_MS,
  uptimeSeconds: 100,
  memory: { totalBytes: 1000, availableBytes: 400, freeBytes: 300 },
  cpu: [{ name: 'cpu0', userPercent: 10, systemPercent: 5, idlePercent: 85 }],
  disk: { path: '/', totalBytes: 100, availableBytes: 50 },
}
const USAGE: AllocationStats = {
  kind: 'allocation',
  atMs: FIXTURE_MS,
  tasks: { main: { memoryBytes: 1024, userTimeMs: 5, systemTimeMs: 1, cpuPercent: 2.5, pids: [7] } },
}
const ENTRY: FileEntry = { name: 'alloc', isFolder: true, sizeBytes: 0, mode: 'drwxrwxrwx', modifiedMs: FIXTURE_MS, contentType: '' }
export const LOG_LINE = 'hello from the task\n'
const FRAME: Frame = { file: 'alloc/logs/main.stdout.0', offsetBytes: 0, data: new TextEncoder().encode(LOG_LINE) }

/** Answers every method as a healthy agent would. */
const answeringAgent: AgentCaller = {
  async *call(_, method, request) {
    const isHost = !('allocationId' in request)
    const parts = {
      logs: FRAME,
      'fs-list': [ENTRY],
      'fs-stat': ENTRY,
      'fs-read': FRAME,
      stats: isHost ? HOST : USAGE,
      restart: { ok: true },
      signal: { ok: true },
      checks: [],
      exec: { kind: 'exited', exitCode: 0 },
      'exec-input': { ok: true },
      gc: { ok: true },
    }
    yield parts[method] as never
  },
}
