/** Everything that can be filtered, as filters see it (notation: `types.ts`; members: Nomad API docs, "HTTP API"). */
import { JOB_STRUCTS, members } from './job-structs.js'
import type { Structs } from './types.js'

const METRIC = `NodesEvaluated int, NodesFiltered int, NodesInPool int, NodePool string, NodesAvailable {int}, ClassFiltered {int},
  ConstraintFiltered {int}, NodesExhausted int, ClassExhausted {int}, DimensionExhausted {int}, QuotaExhausted []string,
  ResourcesExhausted {*Resources}, Scores {float64}, ScoreMetaData []*NodeScoreMeta, AllocationTime int64, CoalescedFailures int`

const EVENT = `Type string, Time int64, Message string, DisplayMessage string, Details {string}, FailsTask bool, RestartReason string,
  SetupError string, DriverError string, ExitCode int, Signal int, KillTimeout int64, KillError string, KillReason string,
  StartDelay int64, DownloadError string, ValidationError string, DiskLimit int64, FailedSibling string, VaultError string,
  TaskSignalReason string, TaskSignal string, DriverMessage string, GenericSource string`

export const STRUCTS: Structs = {
  ...JOB_STRUCTS,
  Allocation: members(`ID string, Namespace string, EvalID string, Name string, NodeID string, NodeName string, JobID string, Job *Job,
    TaskGroup string, Resources *Resources, SharedResources *Resources, TaskResources {*Resources},
    AllocatedResources *AllocatedResources, Metrics *AllocMetric, DesiredStatus string, DesiredDescription string,
    DesiredTransition DesiredTransition, ClientStatus string, ClientDescription string, TaskStates {*TaskState},
    AllocStates []*AllocState, PreviousAllocation string, NextAllocation string, DeploymentID string,
    DeploymentStatus *AllocDeploymentStatus, RescheduleTracker *RescheduleTracker, NetworkStatus *AllocNetworkStatus,
    FollowupEvalID string, PreemptedAllocations []string, PreemptedByAllocation string, SignedIdentities {string},
    SigningKeyID string, CreateIndex uint64, ModifyIndex uint64, AllocModifyIndex uint64, CreateTime int64, ModifyTime int64`),
  AllocatedResources: members('Tasks {*AllocatedTaskResources}, TaskLifecycles {*TaskLifecycle}, Shared AllocatedSharedResources'),
  AllocatedTaskResources: members(
    'Cpu AllocatedCpu, Memory AllocatedMemory, Networks []*NetworkResource, Devices []*AllocatedDeviceResource',
  ),
  AllocatedCpu: members('CpuShares int64, ReservedCores []uint16'),
  AllocatedMemory: members('MemoryMB int64, MemoryMaxMB int64'),
  AllocatedDeviceResource: members('Vendor string, Type string, Name string, DeviceIDs []string'),
  AllocatedSharedResources: members('Networks []*NetworkResource, DiskMB int64, Ports []AllocatedPortMapping'),
  AllocatedPortMapping: members('Label string, Value int, To int, HostIP string, IgnoreCollision bool'),
  AllocMetric: members(METRIC),
  NodeScoreMeta: members('NodeID string, Scores {float64}, NormScore float64'),
  DesiredTransition: members(
    'Migrate *bool, Reschedule *bool, ForceReschedule *bool, NoShutdownDelay *bool, MigrateDisablePlacement *bool',
  ),
  TaskState: members(`State string, Failed bool, Restarts uint64, LastRestart time, StartedAt time, FinishedAt time,
    Events []*TaskEvent, TaskHandle *TaskHandle, Paused string`),
  TaskHandle: members('Version int, DriverState []uint16'),
  TaskEvent: members(EVENT),
  AllocState: members('Field uint16, Value string, Time time'),
  AllocDeploymentStatus: members('Healthy *bool, Timestamp time, Canary bool, ModifyIndex uint64'),
  RescheduleTracker: members('Events []*RescheduleEvent, LastReschedule string'),
  RescheduleEvent: members('RescheduleTime int64, PrevAllocID string, PrevNodeID string, Delay int64'),
  AllocNetworkStatus: members('InterfaceName string, Address string, AddressIPv6 string, DNS *DNSConfig'),
  Evaluation: members(`ID string, Namespace string, Priority int, Type string, TriggeredBy string, JobID string, JobModifyIndex uint64,
    NodeID string, NodeModifyIndex uint64, DeploymentID string, Status string, StatusDescription string, Wait int64, WaitUntil time,
    NextEval string, PreviousEval string, BlockedEval string, RelatedEvals []*EvaluationStub, FailedTGAllocs {*AllocMetric},
    ClassEligibility {bool}, QuotaLimitReached string, EscapedComputedClass bool, AnnotatePlan bool, QueuedAllocations {int},
    PlanAnnotations *PlanAnnotations, LeaderACL string, SnapshotIndex uint64, CreateIndex uint64, ModifyIndex uint64,
    CreateTime int64, ModifyTime int64`),
  EvaluationStub: members('ID string, Status string'),
  PlanAnnotations: members('DesiredTGUpdates {*DesiredUpdates}, PreemptedAllocs []*Allocation'),
  DesiredUpdates: members(`Ignore uint64, Place uint64, Migrate uint64, Stop uint64, InPlaceUpdate uint64, DestructiveUpdate uint64,
    Canary uint64, Preemptions uint64, Disconnect uint64, Reconnect uint64, RescheduleNow uint64, RescheduleLater uint64`),
  Deployment: members(`ID string, Namespace string, JobID string, JobVersion uint64, JobModifyIndex uint64, JobSpecModifyIndex uint64,
    JobCreateIndex uint64, IsMultiregion bool, TaskGroups {*DeploymentState}, Status string, StatusDescription string,
    EvalPriority int, CreateIndex uint64, ModifyIndex uint64, CreateTime int64, ModifyTime int64`),
  DeploymentState: members(`AutoRevert bool, AutoPromote bool, ProgressDeadline int64, RequireProgressBy time, Promoted bool,
    PlacedCanaries []string, DesiredCanaries int, DesiredTotal int, PlacedAllocs int, HealthyAllocs int, UnhealthyAllocs int`),
  Node: members(`ID string, SecretID string, Datacenter string, Name string, CgroupParent string, HTTPAddr string, TLSEnabled bool,
    Attributes {string}, NodeResources *NodeResources, ReservedResources *NodeReservedResources, Links {string}, Meta {string},
    NodeClass string, NodePool string, ComputedClass string, DrainStrategy *DrainStrategy, SchedulingEligibility string,
    Status string, StatusDescription string, StatusUpdatedAt int64, Events []*NodeEvent, Drivers {*DriverInfo},
    CSIControllerPlugins {*CSIInfo}, CSINodePlugins {*CSIInfo}, HostVolumes {*HostVolume}, HostNetworks {*HostNetwork},
    LastDrain *DrainMetadata, LastMissedHeartbeatIndex uint64, LastAllocUpdateIndex uint64, NodeMaxAllocs int,
    GCVolumesOnNodeGC bool, IdentitySigningKeyID string, CreateIndex uint64, ModifyIndex uint64`),
  NodeResources: members(`Cpu NodeCpu, Memory NodeMemory, Disk NodeDisk, Networks []*NetworkResource,
    NodeNetworks []*NodeNetworkResource, Devices []*NodeDeviceResource, MinDynamicPort int, MaxDynamicPort int,
    Processors NodeProcessors`),
  NodeProcessors: members('Topology *Topology'),
  Topology: members('OverrideTotalCompute uint64, OverrideWitholdCompute uint64'),
  NodeCpu: members('CpuShares int64, TotalCpuCores uint16, ReservableCpuCores []uint16'),
  NodeMemory: members('MemoryMB int64'),
  NodeDisk: members('DiskMB int64'),
  NodeNetworkResource: members('Mode string, Device string, MacAddress string, Speed int, Addresses []NodeNetworkAddress'),
  NodeNetworkAddress: members('Family string, Alias string, Address string, ReservedPorts string, Gateway string'),
  NodeDeviceResource: members('Vendor string, Type string, Name string, Instances []*NodeDevice, Attributes {*DeviceAttribute}'),
  NodeDevice: members('ID string, Healthy bool, HealthDescription string, Locality *NodeDeviceLocality'),
  NodeDeviceLocality: members('PciBusID string'),
  DeviceAttribute: members('Float *float64, Int *int64, String *string, Bool *bool, Unit string'),
  NodeReservedResources: members('Cpu NodeReservedCpu, Memory NodeMemory, Disk NodeDisk, Networks NodeReservedNetworks'),
  NodeReservedCpu: members('CpuShares int64, ReservedCpuCores []uint16'),
  NodeReservedNetworks: members('ReservedHostPorts string'),
  // The deadline and the switch are inlined on the wire and one level deeper for a filter.
  DrainStrategy: members('DrainSpec DrainSpec, ForceDeadline time, StartedAt time'),
  DrainSpec: members('Deadline int64, IgnoreSystemJobs bool'),
  DrainMetadata: members('StartedAt time, UpdatedAt time, Status string, AccessorID string, Meta {string}'),
  NodeEvent: members('Message string, Subsystem string, Details {string}, Timestamp time, CreateIndex uint64'),
  DriverInfo: members('Attributes {string}, Detected bool, Healthy bool, HealthDescription string, UpdateTime time'),
  CSIInfo: members('PluginID string, AllocID string, Healthy bool, HealthDescription string'),
  HostVolume: members('Name string, Path string, ReadOnly bool, ID string'),
  HostNetwork: members('Name string, CIDR string, Interface string, ReservedPorts string'),
  NodePool: members(`Name string, Description string, Meta {string}, SchedulerConfiguration *PoolScheduler, NodeIdentityTTL int64,
    Hash []uint16, CreateIndex uint64, ModifyIndex uint64`),
  PoolScheduler: members('SchedulerAlgorithm string, MemoryOversubscriptionEnabled *bool'),
  ServiceRegistration: members(`ID string, ServiceName string, Namespace string, NodeID string, Datacenter string, JobID string,
    AllocID string, Tags []string, Address string, Port int, CreateIndex uint64, ModifyIndex uint64`),
  VariableMetadata: members(`Namespace string, Path string, Lock *VariableLock, CreateIndex uint64, CreateTime int64,
    ModifyIndex uint64, ModifyTime int64`),
  VariableLock: members('ID string, TTL int64, LockDelay int64'),
}

/** What lists are made of. */
export type Filterable =
  | 'Job'
  | 'Allocation'
  | 'Evaluation'
  | 'Deployment'
  | 'Node'
  | 'NodePool'
  | 'ServiceRegistration'
  | 'VariableMetadata'
