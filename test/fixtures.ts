/**
 * Sound objects in stored form, so that every member a test sets has meaning and every other is what a real cluster has.
 * Each function takes the members that matter; nested objects are replaced whole.
 */
import type {
  AllocatedResources,
  Allocation,
  AllocMetric,
  Commit,
  Deployment,
  DeploymentState,
  Evaluation,
  Job,
  JobSource,
  Node,
  NodePool,
  ServiceRegistration,
  SourceLimits,
  SourceStatus,
  Task,
  TaskEvent,
  TaskGroup,
  TaskState,
} from '../src/domain/index.js'
import { MINUTE, NO_RESOURCES, SECOND, unixNanoseconds, ZERO_TIME } from '../src/domain/index.js'

/** The instant at which fixtures were made, milliseconds. */
export const FIXTURE_MS = Date.UTC(2026, 0, 2, 3, 4, 5)
export const FIXTURE_TIME = unixNanoseconds(FIXTURE_MS)

/** `00000000-0000-4000-8000-0000000000NN`, told apart by a first block per kind. */
export function uuid(number: number, kind = 0): string {
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
  return `${hex(kind, 8)}-0000-4000-8000-${hex(number, 12)}`
}

const UPDATE = {
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
const RESTART = { Attempts: 2, Interval: 30 * MINUTE, Delay: 15 * SECOND, Mode: 'fail', RenderTemplates: false }

export function task(over: Partial<Task> = {}): Task {
  return {
    Name: 'main',
    Driver: 'mock',
    User: '',
    Config: { run_for: '1h' },
    Env: null,
    Services: null,
    Vault: null,
    Templates: null,
    Constraints: null,
    Affinities: null,
    Resources: { ...NO_RESOURCES, CPU: 100, MemoryMB: 300 },
    RestartPolicy: RESTART,
    DispatchPayload: null,
    Lifecycle: null,
    Meta: null,
    KillTimeout: 5 * SECOND,
    LogConfig: { MaxFiles: 10, MaxFileSizeMB: 10, Disabled: false },
    Artifacts: null,
    Leader: false,
    ShutdownDelay: 0,
    VolumeMounts: null,
    ScalingPolicies: null,
    KillSignal: '',
    Kind: '',
    CSIPluginConfig: null,
    Identity: {
      Name: 'default',
      Audience: ['nomadproject.io'],
      ChangeMode: '',
      ChangeSignal: '',
      Env: false,
      File: false,
      Filepath: '',
      ServiceName: '',
      TTL: 0,
      ExtraClaims: null,
    },
    Identities: null,
    Consul: null,
    Actions: null,
    Schedule: null,
    Secrets: null,
    ...over,
  }
}

export function taskGroup(over: Partial<TaskGroup> = {}): TaskGroup {
  return {
    Name: 'group',
    Count: 1,
    Update: UPDATE,
    Migrate: { MaxParallel: 1, HealthCheck: 'checks', MinHealthyTime: 10 * SECOND, HealthyDeadline: 5 * MINUTE },
    Constraints: null,
    Scaling: null,
    RestartPolicy: RESTART,
    Tasks: [task()],
    EphemeralDisk: { Sticky: false, SizeMB: 300, Migrate: false },
    Meta: null,
    ReschedulePolicy: {
      Attempts: 0,
      Interval: 0,
      Delay: 30 * SECOND,
      DelayFunction: 'exponential',
      MaxDelay: 60 * MINUTE,
      Unlimited: true,
    },
    Affinities: null,
    Spreads: null,
    Networks: null,
    Consul: null,
    Services: null,
    Volumes: null,
    ShutdownDelay: null,
    StopAfterClientDisconnect: null,
    MaxClientDisconnect: null,
    PreventRescheduleOnLost: false,
    Disconnect: null,
    MaxRunDuration: null,
    ...over,
  }
}

/** A service job of one group with one task of the `mock` driver. */
export function job(over: Partial<Job> = {}): Job {
  const id = over.ID ?? 'web'
  return {
    Stop: false,
    Region: 'global',
    Namespace: 'default',
    ID: id,
    ParentID: '',
    Name: id,
    Type: 'service',
    Priority: 50,
    AllAtOnce: false,
    Datacenters: ['*'],
    NodePool: 'default',
    Constraints: null,
    Affinities: null,
    Spreads: null,
    TaskGroups: [taskGroup()],
    Update: {
      Stagger: 30 * SECOND,
      MaxParallel: 1,
      HealthCheck: '',
      MinHealthyTime: 0,
      HealthyDeadline: 0,
      ProgressDeadline: 0,
      AutoRevert: false,
      AutoPromote: false,
      Canary: 0,
    },
    Multiregion: null,
    Periodic: null,
    ParameterizedJob: null,
    Dispatched: false,
    DispatchIdempotencyToken: '',
    Payload: null,
    Meta: null,
    ConsulToken: '',
    ConsulNamespace: '',
    VaultToken: '',
    VaultNamespace: '',
    NomadTokenID: '',
    Status: 'pending',
    StatusDescription: '',
    Stable: false,
    Version: 0,
    SubmitTime: FIXTURE_TIME,
    CreateIndex: 0,
    ModifyIndex: 0,
    JobModifyIndex: 0,
    UI: null,
    VersionTag: null,
    ...over,
  }
}

/** A ready node of 4,000 MHz, 8,192 MiB and 50,000 MiB disk with the drivers mock and raw_exec. */
export function node(over: Partial<Node> = {}): Node {
  const driver = { Attributes: {}, Detected: true, Healthy: true, HealthDescription: 'Healthy', UpdateTime: '2026-01-02T03:04:05Z' }
  return {
    ID: uuid(1, 0xa0),
    Datacenter: 'dc1',
    Name: 'n1',
    NodePool: 'default',
    NodeClass: '',
    ComputedClass: 'v1:1',
    HTTPAddr: '127.0.0.1:4646',
    TLSEnabled: false,
    CgroupParent: '',
    Attributes: {
      'kernel.name': 'linux',
      'cpu.arch': 'amd64',
      'os.name': 'debian',
      'unique.hostname': 'n1',
      'driver.mock': '1',
      'driver.raw_exec': '1',
      'nomad.version': '2.0.5',
      'nomad.service_discovery': 'true',
    },
    Meta: {},
    Links: null,
    NodeResources: {
      Cpu: { CpuShares: 4000, TotalCpuCores: 4, ReservableCpuCores: [0, 1, 2, 3] },
      Memory: { MemoryMB: 8192 },
      Disk: { DiskMB: 50_000 },
      Networks: [{ Mode: 'host', Device: 'lo', CIDR: '127.0.0.1/32', IP: '127.0.0.1' }],
      NodeNetworks: [
        {
          Mode: 'host',
          Device: 'lo',
          MacAddress: '',
          Speed: 1000,
          Addresses: [{ Family: 'ipv4', Alias: 'default', Address: '127.0.0.1', ReservedPorts: '', Gateway: '' }],
        },
      ],
      Devices: null,
      MinDynamicPort: 20_000,
      MaxDynamicPort: 32_000,
      Processors: { Topology: null },
    },
    ReservedResources: {
      Cpu: { CpuShares: 0, ReservedCpuCores: null },
      Memory: { MemoryMB: 0 },
      Disk: { DiskMB: 0 },
      Networks: { ReservedHostPorts: '' },
    },
    Drivers: { mock: driver, raw_exec: driver },
    HostVolumes: null,
    HostNetworks: null,
    DrainStrategy: null,
    SchedulingEligibility: 'eligible',
    Status: 'ready',
    StatusDescription: '',
    StatusUpdatedAt: FIXTURE_MS / 1000,
    Events: [{ Message: 'Node registered', Subsystem: 'Cluster', Details: null, Timestamp: '2026-01-02T03:04:05Z', CreateIndex: 0 }],
    LastDrain: null,
    LastMissedHeartbeatIndex: 0,
    LastAllocUpdateIndex: 0,
    NodeMaxAllocs: 0,
    GCVolumesOnNodeGC: false,
    CreateIndex: 0,
    ModifyIndex: 0,
    ...over,
  }
}

export function metrics(over: Partial<AllocMetric> = {}): AllocMetric {
  return {
    NodesEvaluated: 1,
    NodesFiltered: 0,
    NodesInPool: 1,
    NodePool: 'default',
    NodesAvailable: { dc1: 1 },
    ClassFiltered: null,
    ConstraintFiltered: null,
    NodesExhausted: 0,
    ClassExhausted: null,
    DimensionExhausted: null,
    QuotaExhausted: null,
    ResourcesExhausted: null,
    Scores: null,
    ScoreMetaData: [{ NodeID: uuid(1, 0xa0), Scores: { binpack: 0.5, 'job-anti-affinity': 0 }, NormScore: 0.5 }],
    AllocationTime: 40_000,
    CoalescedFailures: 0,
    ...over,
  }
}

/** What one task of `task()` holds. */
export function allocatedResources(taskName = 'main', over: Partial<AllocatedResources['Shared']> = {}): AllocatedResources {
  return {
    Tasks: {
      [taskName]: {
        Cpu: { CpuShares: 100, ReservedCores: null },
        Memory: { MemoryMB: 300, MemoryMaxMB: 0 },
        Networks: null,
        Devices: null,
      },
    },
    TaskLifecycles: { [taskName]: null },
    Shared: { Networks: null, DiskMB: 300, Ports: null, ...over },
  }
}

/** A pending allocation of `job()` on `node()`. `JobCreateIndex` must be that of the stored job for the API to find it. */
export function allocation(over: Partial<Allocation> = {}): Allocation {
  const jobId = over.JobID ?? 'web'
  return {
    ID: uuid(1, 0xb0),
    Namespace: 'default',
    EvalID: uuid(1, 0xc0),
    Name: `${jobId}.${over.TaskGroup ?? 'group'}[0]`,
    NodeID: uuid(1, 0xa0),
    NodeName: 'n1',
    JobID: jobId,
    JobCreateIndex: 0,
    JobVersion: 0,
    TaskGroup: 'group',
    AllocatedResources: allocatedResources(),
    Metrics: metrics(),
    DesiredStatus: 'run',
    ClientStatus: 'pending',
    CreateIndex: 0,
    ModifyIndex: 0,
    AllocModifyIndex: 0,
    CreateTime: FIXTURE_TIME,
    ModifyTime: FIXTURE_TIME,
    ...over,
  }
}

export function taskEvent(over: Partial<TaskEvent> = {}): TaskEvent {
  return {
    Type: 'Received',
    Time: FIXTURE_TIME,
    Message: '',
    DisplayMessage: 'Task received by client',
    Details: {},
    FailsTask: false,
    RestartReason: '',
    SetupError: '',
    DriverError: '',
    ExitCode: 0,
    Signal: 0,
    KillTimeout: 0,
    KillError: '',
    KillReason: '',
    StartDelay: 0,
    DownloadError: '',
    ValidationError: '',
    DiskLimit: 0,
    FailedSibling: '',
    VaultError: '',
    TaskSignalReason: '',
    TaskSignal: '',
    DriverMessage: '',
    GenericSource: '',
    ...over,
  }
}

export function taskState(over: Partial<TaskState> = {}): TaskState {
  return {
    State: 'running',
    Failed: false,
    Restarts: 0,
    LastRestart: ZERO_TIME,
    StartedAt: '2026-01-02T03:04:06Z',
    FinishedAt: ZERO_TIME,
    Events: [taskEvent(), taskEvent({ Type: 'Started', DisplayMessage: 'Task started by client' })],
    Paused: '',
    ...over,
  }
}

export function evaluation(over: Partial<Evaluation> = {}): Evaluation {
  return {
    ID: uuid(1, 0xc0),
    Namespace: 'default',
    Priority: 50,
    Type: 'service',
    TriggeredBy: 'job-register',
    JobID: 'web',
    Status: 'pending',
    CreateIndex: 0,
    ModifyIndex: 0,
    CreateTime: FIXTURE_TIME,
    ModifyTime: FIXTURE_TIME,
    ...over,
  }
}

export function deploymentState(over: Partial<DeploymentState> = {}): DeploymentState {
  return {
    AutoRevert: false,
    AutoPromote: false,
    ProgressDeadline: 10 * MINUTE,
    RequireProgressBy: '2026-01-02T03:14:05Z',
    Promoted: false,
    PlacedCanaries: null,
    DesiredCanaries: 0,
    DesiredTotal: 1,
    PlacedAllocs: 1,
    HealthyAllocs: 0,
    UnhealthyAllocs: 0,
    ...over,
  }
}

export function deployment(over: Partial<Deployment> = {}): Deployment {
  return {
    ID: uuid(1, 0xd0),
    Namespace: 'default',
    JobID: 'web',
    JobVersion: 0,
    JobModifyIndex: 0,
    JobSpecModifyIndex: 0,
    JobCreateIndex: 0,
    IsMultiregion: false,
    TaskGroups: { group: deploymentState() },
    Status: 'running',
    StatusDescription: 'Deployment is running',
    EvalPriority: 50,
    CreateIndex: 0,
    ModifyIndex: 0,
    CreateTime: FIXTURE_TIME,
    ModifyTime: FIXTURE_TIME,
    ...over,
  }
}

export function serviceRegistration(over: Partial<ServiceRegistration> = {}): ServiceRegistration {
  const allocationId = over.AllocID ?? uuid(1, 0xb0)
  return {
    ID: `_nomad-task-${allocationId}-group-group-web-http`,
    ServiceName: 'web',
    Namespace: 'default',
    NodeID: uuid(1, 0xa0),
    Datacenter: 'dc1',
    JobID: 'web',
    AllocID: allocationId,
    Tags: null,
    Address: '127.0.0.1',
    Port: 8080,
    CreateIndex: 0,
    ModifyIndex: 0,
    ...over,
  }
}

export function commit(over: Partial<Commit> = {}): Commit {
  return {
    id: '0123456789abcdef0123456789abcdef01234567',
    author: 'Ada',
    authorEmail: 'ada@example.org',
    atMs: FIXTURE_MS,
    subject: 'web: first version',
    trailers: [],
    ...over,
  }
}

export function jobSource(over: Partial<JobSource> = {}): JobSource {
  return {
    namespace: 'default',
    jobId: 'web',
    path: 'jobs/web.nomad.hcl',
    inputs: [{ path: 'jobs/web.nomad.hcl', blob: 'b10b' }],
    commit: commit(),
    version: 0,
    ...over,
  }
}

export function sourceStatus(over: Partial<SourceStatus> = {}): SourceStatus {
  return { id: 'default', ref: 'HEAD', commit: commit(), held: null, modifyIndex: 0, ...over }
}

/** Of a source that may say anything. */
export const OPEN_LIMITS: SourceLimits = {
  namespaces: ['*'],
  nodePools: ['*'],
  drivers: ['*'],
  privileged: true,
  hostVolumes: ['*'],
  priorityMax: 100,
}

export function nodePool(Name: string): NodePool {
  return { Name, Description: '', Meta: null, SchedulerConfiguration: null, NodeIdentityTTL: 0, CreateIndex: 0, ModifyIndex: 0 }
}
