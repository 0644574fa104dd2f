/** Job, group and what they share. */
import type { JOB_STRUCTS } from '../decode/job-structs.js'
import { MIGRATE_DEFAULT } from '../defaults.js'
import { by, otherThan, refused, type SupportOf, withoutEffect } from './support.js'

const SERVER = by('the server, whatever a file says')
const RECONCILER = by('the git reconciler')
const SCHEDULER = by('the scheduler')
const DEPLOYMENTS = by('the deployment watcher')
const AGENT = by('the agent')
const API = by('the API, which shows it')
const BLOCK = by('its parts')

const PERIODIC = refused(
  'periodic jobs are not launched yet',
  'Take the "periodic" block out and run the job as it is, or keep the file out of jobs/ until then.',
)
const PARAMETERIZED = refused(
  'parameterized jobs cannot be dispatched yet',
  'Take the "parameterized" block out and commit one job for each set of parameters.',
)
const MULTIREGION = refused(
  'this server runs one region',
  'Take the "multiregion" block out, and commit the job to the repository of each region.',
)
const CSI_VOLUME = refused('storage plugins are not run yet', 'Declare a host volume in the agent\'s file and write type = "host".')

export const JOB_SUPPORT: { readonly [Name in keyof typeof JOB_STRUCTS]: SupportOf<Name> } = {
  Job: {
    Region: by('the server, which refuses the jobs of other regions'),
    Namespace: RECONCILER,
    ID: RECONCILER,
    Name: API,
    Type: SCHEDULER,
    Priority: SCHEDULER,
    AllAtOnce: withoutEffect('plans place what fits, and what does not fit waits'),
    Datacenters: SCHEDULER,
    NodePool: SCHEDULER,
    Constraints: BLOCK,
    Affinities: BLOCK,
    TaskGroups: BLOCK,
    Update: BLOCK,
    Multiregion: MULTIREGION,
    Spreads: BLOCK,
    Periodic: PERIODIC,
    ParameterizedJob: PARAMETERIZED,
    Reschedule: BLOCK,
    Migrate: BLOCK,
    Meta: AGENT,
    UI: BLOCK,
    Stop: refused('a job in the repository is wanted', 'Delete the file to stop the job.'),
    ParentID: SERVER,
    Dispatched: SERVER,
    DispatchIdempotencyToken: SERVER,
    Payload: refused('only dispatched jobs have a payload', 'Take it out.'),
    ConsulNamespace: SERVER,
    VaultNamespace: SERVER,
    NomadTokenID: SERVER,
    Status: SERVER,
    StatusDescription: SERVER,
    Stable: SERVER,
    Version: SERVER,
    SubmitTime: SERVER,
    CreateIndex: SERVER,
    ModifyIndex: SERVER,
    JobModifyIndex: SERVER,
    VersionTag: SERVER,
  },
  JobVersionTag: { Name: SERVER, Description: SERVER, TaggedTime: SERVER },
  JobUIConfig: { Description: API, Links: BLOCK },
  JobUILink: { Label: API, URL: API },
  Multiregion: { Strategy: MULTIREGION, Regions: MULTIREGION },
  MultiregionStrategy: { MaxParallel: MULTIREGION, OnFailure: MULTIREGION },
  MultiregionRegion: { Name: MULTIREGION, Count: MULTIREGION, Datacenters: MULTIREGION, NodePool: MULTIREGION, Meta: MULTIREGION },
  PeriodicConfig: { Enabled: PERIODIC, Spec: PERIODIC, Specs: PERIODIC, SpecType: PERIODIC, ProhibitOverlap: PERIODIC, TimeZone: PERIODIC },
  ParameterizedJobConfig: { Payload: PARAMETERIZED, MetaRequired: PARAMETERIZED, MetaOptional: PARAMETERIZED },
  Constraint: { LTarget: SCHEDULER, RTarget: SCHEDULER, Operand: SCHEDULER },
  Affinity: { LTarget: SCHEDULER, RTarget: SCHEDULER, Operand: SCHEDULER, Weight: SCHEDULER },
  Spread: { Attribute: SCHEDULER, Weight: SCHEDULER, SpreadTarget: SCHEDULER },
  SpreadTarget: { Value: SCHEDULER, Percent: SCHEDULER },
  UpdateStrategy: {
    Stagger: withoutEffect('groups are rolled out by max_parallel and health, as in Nomad since 0.6', otherThan(30_000_000_000)),
    MaxParallel: SCHEDULER,
    HealthCheck: AGENT,
    MinHealthyTime: AGENT,
    HealthyDeadline: AGENT,
    ProgressDeadline: DEPLOYMENTS,
    Canary: SCHEDULER,
    AutoRevert: DEPLOYMENTS,
    AutoPromote: DEPLOYMENTS,
  },
  MigrateStrategy: {
    MaxParallel: withoutEffect('hosts are not drained yet', otherThan(MIGRATE_DEFAULT['MaxParallel'])),
    HealthCheck: withoutEffect('hosts are not drained yet', otherThan(MIGRATE_DEFAULT['HealthCheck'])),
    MinHealthyTime: withoutEffect('hosts are not drained yet', otherThan(MIGRATE_DEFAULT['MinHealthyTime'])),
    HealthyDeadline: withoutEffect('hosts are not drained yet', otherThan(MIGRATE_DEFAULT['HealthyDeadline'])),
  },
  ReschedulePolicy: {
    Attempts: SCHEDULER,
    Interval: SCHEDULER,
    Delay: SCHEDULER,
    DelayFunction: SCHEDULER,
    MaxDelay: SCHEDULER,
    Unlimited: SCHEDULER,
  },
  ScalingPolicy: {
    Min: by('the API, for an autoscaler'),
    Max: by('the API, for an autoscaler'),
    Policy: by('the API, for an autoscaler'),
    Enabled: by('the API, for an autoscaler'),
    Type: by('the API, for an autoscaler'),
    ID: SERVER,
    Namespace: SERVER,
    Target: SERVER,
    CreateIndex: SERVER,
    ModifyIndex: SERVER,
  },
  TaskGroup: {
    Name: SCHEDULER,
    Count: SCHEDULER,
    Constraints: BLOCK,
    Affinities: BLOCK,
    Tasks: BLOCK,
    Spreads: BLOCK,
    Volumes: BLOCK,
    RestartPolicy: BLOCK,
    Disconnect: BLOCK,
    ReschedulePolicy: BLOCK,
    EphemeralDisk: BLOCK,
    Update: BLOCK,
    Migrate: BLOCK,
    Networks: BLOCK,
    Meta: AGENT,
    Services: BLOCK,
    ShutdownDelay: AGENT,
    MaxRunDuration: refused('agents do not end tasks for their age yet', 'Let the command end itself, for example with timeout(1).'),
    StopAfterClientDisconnect: withoutEffect('Nomad has dropped it in 1.8; write disconnect { stop_on_client_after = … }'),
    MaxClientDisconnect: withoutEffect('Nomad has dropped it in 1.8; write disconnect { lost_after = … }'),
    Scaling: BLOCK,
    Consul: refused('there is no Consul here', 'Take the "consul" block out; services are registered with this server.'),
    PreventRescheduleOnLost: withoutEffect('Nomad has dropped it in 1.8; write disconnect { replace = false }'),
  },
  RestartPolicy: {
    Interval: AGENT,
    Attempts: AGENT,
    Delay: AGENT,
    Mode: AGENT,
    RenderTemplates: AGENT,
  },
  DisconnectStrategy: {
    LostAfter: SCHEDULER,
    StopOnClientAfter: refused(
      'agents do not end tasks because the server is silent yet',
      'Write lost_after, and let the task notice by itself.',
    ),
    Replace: SCHEDULER,
    Reconcile: SCHEDULER,
  },
  EphemeralDisk: {
    Sticky: refused(
      'the files of an allocation are not handed on to the one that replaces it yet',
      'Keep what must last outside the allocation.',
    ),
    Migrate: refused(
      'the files of an allocation are not handed on to the one that replaces it yet',
      'Keep what must last outside the allocation.',
    ),
    SizeMB: by('the scheduler, which reserves it; nothing measures what is used'),
  },
  VolumeRequest: {
    Name: SCHEDULER,
    Type: [{ ...CSI_VOLUME, where: { value: { words: 'is "csi"', holds: (type) => type === 'csi' } } }, SCHEDULER],
    Source: SCHEDULER,
    ReadOnly: SCHEDULER,
    Sticky: refused('volumes that agents make are not there yet', "Declare a host volume in the agent's file."),
    AccessMode: SCHEDULER,
    AttachmentMode: SCHEDULER,
    MountOptions: CSI_VOLUME,
    PerAlloc: SCHEDULER,
  },
  CSIMountOptions: { FSType: CSI_VOLUME, MountFlags: CSI_VOLUME },
  Consul: {
    Namespace: withoutEffect('there is no Consul here'),
    Cluster: withoutEffect('there is no Consul here'),
    Partition: withoutEffect('there is no Consul here'),
  },
}
