/** Loads what a recorded scenario stores, exactly as given, into a `State`; absent members take the defaults of registration. */
import {
  type AllocatedTaskResources,
  type Allocation,
  type Deployment,
  type DisconnectStrategy,
  type Evaluation,
  HOUR,
  type HostVolume,
  type Job,
  MINUTE,
  type NetworkResource,
  type Node,
  type NodePool,
  type ReschedulePolicy,
  SCHEDULER_CONFIGURATION_DEFAULT,
  type SchedulerConfiguration,
  SECOND,
  type TaskGroup,
  type UpdateStrategy,
} from '../../../../src/domain/index.js'
import { computeNodeClass } from '../../../../src/scheduler/index.js'
import { jobKey, State } from '../../../../src/state/index.js'
import { allocation, deployment, evaluation, job, node, task, taskGroup } from '../../../fixtures.js'

type Raw<T> = { readonly [Key in keyof T]?: T[Key] }

export interface RecordedWorld {
  readonly now: string
  readonly config?: Raw<SchedulerConfiguration>
  readonly nodePools?: readonly Raw<NodePool>[]
  readonly nodes: readonly Raw<Node>[]
  readonly jobs: readonly Raw<Job>[]
  readonly allocations: readonly Raw<Allocation>[]
  readonly deployments?: readonly Raw<Deployment>[]
  readonly hostVolumes?: readonly RecordedVolume[]
  readonly purged?: readonly string[]
  readonly evaluation: Raw<Evaluation>
}

interface RecordedVolume {
  readonly ID: string
  readonly State: string
  readonly RequestedCapabilities?: readonly { readonly AttachmentMode: string; readonly AccessMode: string }[]
}

/** Above every index that a scenario mentions. */
const LOADED_AT = 1_000

export function loadWorld(world: RecordedWorld): State {
  const state = new State()
  state.index = LOADED_AT
  state.atMs = Date.parse(world.now)
  state.schedulerConfiguration = {
    ...SCHEDULER_CONFIGURATION_DEFAULT,
    SchedulerAlgorithm: 'binpack',
    ...world.config,
    PreemptionConfig: { ...SCHEDULER_CONFIGURATION_DEFAULT.PreemptionConfig, ...world.config?.PreemptionConfig },
  }
  for (const pool of world.nodePools ?? []) state.nodePools.put(LOADED_AT, completePool(pool))
  for (const raw of world.nodes) state.nodes.put(LOADED_AT, completeNode(raw, world.hostVolumes ?? []))
  loadJobs(state, world)
  for (const raw of world.deployments ?? []) state.deployments.put(LOADED_AT, { ...deployment(), ...raw })
  for (const raw of world.allocations) state.allocations.put(LOADED_AT, completeAllocation(raw))
  state.evaluations.put(LOADED_AT, completeEvaluation(world.evaluation))
  return state
}

/** The newest incarnation and version of each id is the job; the others are there for the allocations that run them. */
function loadJobs(state: State, world: RecordedWorld): void {
  for (const raw of world.jobs) {
    const row = completeJob(raw)
    state.jobVersions.put(LOADED_AT, row)
    const known = state.jobs.get(jobKey(row))
    const isNewer =
      known === undefined || row.CreateIndex > known.CreateIndex || (row.CreateIndex === known.CreateIndex && row.Version > known.Version)
    if (isNewer && world.purged?.includes(row.ID) !== true) state.jobs.put(LOADED_AT, row)
  }
}

export function completeEvaluation(raw: Raw<Evaluation>): Evaluation {
  return { ...evaluation(), ...raw }
}

function completePool(raw: Raw<NodePool>): NodePool {
  return { Name: '', Description: '', Meta: null, SchedulerConfiguration: null, NodeIdentityTTL: 0, CreateIndex: 1, ModifyIndex: 1, ...raw }
}

export function completeNode(raw: Raw<Node>, volumes: readonly RecordedVolume[] = []): Node {
  const base = node()
  const given = { ...base, Attributes: {}, ...raw }
  const whole: Node = {
    ...given,
    NodeResources: { ...base.NodeResources, MinDynamicPort: 0, MaxDynamicPort: 0, ...raw.NodeResources },
    ReservedResources: { ...base.ReservedResources, ...raw.ReservedResources },
    HostVolumes: raw.HostVolumes == null ? null : withCapabilities(raw.HostVolumes, volumes),
  }
  return { ...whole, ComputedClass: computeNodeClass(whole) }
}

/** What a created volume allows travels with the node's entry for it. */
function withCapabilities(
  entries: Readonly<Record<string, HostVolume>>,
  volumes: readonly RecordedVolume[],
): Readonly<Record<string, HostVolume>> {
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => {
      const created = volumes.find((volume) => volume.ID === entry.ID)
      if (created === undefined) return [name, entry]
      return [name, { ...entry, State: created.State, Capabilities: created.RequestedCapabilities ?? [] }]
    }),
  )
}

/** A port that names no network of the host is on the main one. */
function completeNetwork(network: NetworkResource): NetworkResource {
  const completePorts = (ports: NetworkResource['ReservedPorts']) =>
    ports?.map((port) => ({ ...port, HostNetwork: port.HostNetwork ?? 'default' })) ?? null
  return { ...network, ReservedPorts: completePorts(network.ReservedPorts), DynamicPorts: completePorts(network.DynamicPorts) }
}

export function completeAllocation(raw: Raw<Allocation>): Allocation {
  const { Metrics: _, ...base } = allocation()
  const row = { ...base, ...raw }
  const { AllocatedResources: held } = row
  const tasks = Object.entries(held.Tasks).map(([name, resources]) => [
    name,
    {
      ...resources,
      Cpu: withDefaults<AllocatedTaskResources['Cpu']>({ CpuShares: 0, ReservedCores: null }, resources.Cpu),
      Memory: withDefaults({ MemoryMB: 0, MemoryMaxMB: 0 }, resources.Memory),
      Networks: resources.Networks ?? null,
      Devices: resources.Devices ?? null,
    },
  ])
  return {
    ...row,
    AllocatedResources: {
      Tasks: Object.fromEntries(tasks),
      TaskLifecycles: held.TaskLifecycles ?? null,
      Shared: { ...held.Shared, Networks: held.Shared.Networks ?? null, DiskMB: held.Shared.DiskMB ?? 0, Ports: held.Shared.Ports ?? null },
    },
  }
}

const RESCHEDULE: Readonly<Record<string, ReschedulePolicy | null>> = {
  service: { Attempts: 0, Interval: 0, Delay: 30 * SECOND, DelayFunction: 'exponential', MaxDelay: HOUR, Unlimited: true },
  batch: { Attempts: 1, Interval: 24 * HOUR, Delay: 5 * SECOND, DelayFunction: 'constant', MaxDelay: 0, Unlimited: false },
  system: null,
  sysbatch: null,
}

const UPDATE: UpdateStrategy = {
  Stagger: 30 * SECOND,
  MaxParallel: 1,
  HealthCheck: 'checks',
  MinHealthyTime: 10 * SECOND,
  HealthyDeadline: 5 * MINUTE,
  ProgressDeadline: 10 * MINUTE,
  AutoRevert: false,
  AutoPromote: false,
  Canary: 0,
}

export function defaultReschedulePolicy(type: string): ReschedulePolicy | null {
  return RESCHEDULE[type] ?? null
}

export function completeJob(raw: Raw<Job>): Job {
  const type = raw.Type ?? 'service'
  const hasUpdate = type === 'service' || type === 'system'
  const base = job({ ...(raw.ID === undefined ? {} : { ID: raw.ID }) })
  return {
    ...base,
    ...raw,
    Update: { ...base.Update, ...raw.Update },
    TaskGroups: (raw.TaskGroups ?? []).map((group) => completeGroup(group, type, hasUpdate ? { ...UPDATE, ...raw.Update } : null)),
  }
}

function completeGroup(raw: Raw<TaskGroup>, type: string, update: UpdateStrategy | null): TaskGroup {
  const base = taskGroup()
  return {
    ...base,
    ...raw,
    Count: raw.Count ?? 1,
    Update: update === null ? null : { ...update, ...raw.Update },
    Migrate: type === 'service' ? { ...base.Migrate!, ...raw.Migrate } : null,
    ReschedulePolicy: 'ReschedulePolicy' in raw ? (raw.ReschedulePolicy ?? null) : defaultReschedulePolicy(type),
    Networks: raw.Networks?.map(completeNetwork) ?? null,
    Services: raw.Services?.map((service) => Object.assign({ Connect: null, Cluster: 'default' }, service)) ?? null,
    EphemeralDisk: { ...base.EphemeralDisk, ...raw.EphemeralDisk },
    Disconnect:
      raw.Disconnect == null
        ? null
        : withDefaults<DisconnectStrategy>({ LostAfter: 0, StopOnClientAfter: null, Replace: null, Reconcile: '' }, raw.Disconnect),
    Tasks: (raw.Tasks ?? []).map((given) => {
      const whole = task({ Config: null })
      return {
        ...withDefaults(whole, given),
        Resources: withDefaults(whole.Resources, given.Resources),
        RestartPolicy: withDefaults(whole.RestartPolicy, given.RestartPolicy),
        LogConfig: withDefaults(whole.LogConfig, given.LogConfig),
      }
    }),
  }
}

/** Recorded objects leave out what is zero, whatever their type says. */
function withDefaults<T extends object>(defaults: T, given: Raw<T> | undefined): T {
  return Object.assign({}, defaults, given)
}
