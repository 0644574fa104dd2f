/** Tasks and their parts. */

import { objectsIn, textIn } from '../decode/api-job.js'
import type { TASK_STRUCTS } from '../decode/task-structs.js'
import { wantsVaultToken } from '../vault-token.js'
import { by, differs, type Refused, type Row, refused, type SupportOf, type Where, withoutEffect } from './support.js'

const AGENT = by('the agent')
const SCHEDULER = by('the scheduler')
const DRIVER = by('the driver')
const API = by('the API, which shows it')
const BLOCK = by('its parts')
const SERVER = by('the server, whatever a file says')

const TEMPLATE = by("the agent's templates")
const ARTIFACT = by("the agent's downloads")
const MOUNT = by("the agent's mounts")
const IDENTITY = by("the agent's identities")
const SECRET = by("the agent's secrets")
const DEVICE = by("the scheduler, and the agent's devices")
const VAULT: Row = [
  refused(
    'there is no Vault here to give the task a token',
    'Read the secret in a template: {{ with secret "secret/app" }} reads the file vars/<namespace>/secret/app.yaml.',
    { task: { words: 'is of a task that asks for a token of Vault itself', holds: wantsVaultToken } },
  ),
  differs(TEMPLATE.by, 'templates read secrets of Vault from the variables below secret/ in this repository: there is no Vault here'),
]
/** Of what happens to a task when something that it reads has changed. */
function toMachines(words: string, mode: string): Refused {
  return refused(`a virtual machine ${words}`, 'Write "restart" or "noop".', {
    drivers: ['qemu'],
    value: { words: `is ${JSON.stringify(mode)}`, holds: (value) => value === mode },
  })
}
const NO_SIGNALS = toMachines('takes no signals', 'signal')
const NO_PROGRAMS = toMachines('runs no programs of its host', 'script')
const NO_NUMA: Row = refused('hosts do not tell their memory nodes', 'Take the "numa" block out.')
const NO_SCHEDULE: Row = refused('tasks are not paused by the clock', 'Take the "schedule" block out, and let the task decide for itself.')
const NO_CSI: Row = refused('storage plugins are not run yet', 'Take the "csi_plugin" block out; the task runs without it.')
const OF_A_TASK: NonNullable<Where['task']> = { words: 'is of a task', holds: (task) => Object.keys(task).length > 0 }
const HAS_RAW_EXEC: NonNullable<Where['group']> = {
  words: 'is of a group with a task of "raw_exec"',
  holds: (group) => objectsIn(group, 'Tasks').some((task) => textIn(task, 'Driver') === 'raw_exec'),
}
const IN_HOST_NETWORK: NonNullable<Where['group']> = {
  words: 'is of a group in the network of its host',
  holds: (group) => objectsIn(group, 'Networks').every((network) => ['', 'host'].includes(textIn(network, 'Mode'))),
}
const UNKNOWN_MODES = {
  words: 'is not "host", "bridge", "none" or "cni/<name>"',
  holds: (mode: unknown): boolean => !['', 'host', 'bridge', 'none'].includes(String(mode)) && !/^cni\/./.test(String(mode)),
}

export const TASK_SUPPORT: { readonly [Name in keyof typeof TASK_STRUCTS]: SupportOf<Name> } = {
  Task: {
    Name: AGENT,
    Driver: by('the scheduler, which looks for a host that has it'),
    User: DRIVER,
    Lifecycle: BLOCK,
    Config: DRIVER,
    Constraints: BLOCK,
    Affinities: BLOCK,
    Env: AGENT,
    Services: BLOCK,
    Resources: BLOCK,
    RestartPolicy: BLOCK,
    Meta: AGENT,
    KillTimeout: AGENT,
    LogConfig: BLOCK,
    Artifacts: BLOCK,
    Vault: VAULT,
    Consul: refused('there is no Consul here', 'Take the "consul" block out; services are registered with this server.'),
    Templates: BLOCK,
    DispatchPayload: AGENT,
    VolumeMounts: BLOCK,
    CSIPluginConfig: NO_CSI,
    Leader: AGENT,
    ShutdownDelay: AGENT,
    KillSignal: DRIVER,
    Kind: SERVER,
    ScalingPolicies: BLOCK,
    Secrets: refused('agents fetch no secrets yet', 'Put the secret where the task can read it by itself, for example a file on the host.'),
    Identity: BLOCK,
    Identities: BLOCK,
    Actions: withoutEffect('actions are listed and cannot be run yet'),
    Schedule: NO_SCHEDULE,
  },
  TaskLifecycle: { Hook: AGENT, Sidecar: AGENT },
  Resources: {
    CPU: by('the scheduler, which reserves it, and the driver as a share; raw_exec sets none, as in Nomad'),
    Cores: by('the scheduler, and the driver, which binds the task to them'),
    MemoryMB: by('the scheduler, which reserves it, and the driver, which sets it as a limit; raw_exec sets none, as in Nomad'),
    MemoryMaxMB: by('the scheduler, where oversubscription is on'),
    DiskMB: withoutEffect("the disk is the group's: write ephemeral_disk { size = … }"),
    Networks: BLOCK,
    Devices: BLOCK,
    NUMA: [
      { ...NO_NUMA, where: { value: { words: 'asks for an affinity', holds: asksForAffinity } } },
      by('nobody: an affinity of "none" asks for nothing'),
    ],
    SecretsMB: refused('the folder of secrets has no size of its own yet', 'Take "secrets" out of "resources".'),
    IOPS: withoutEffect('Nomad has dropped it in 0.9'),
  },
  NetworkResource: {
    Mode: [
      refused('there is no network mode of this name', 'Write "host", "bridge", "none" or "cni/<name>".', { value: UNKNOWN_MODES }),
      by('the agent: host, none, and where the host has CNI plugins bridge and cni/<name>'),
    ],
    Device: withoutEffect('the network of a host is chosen by host_network'),
    CIDR: withoutEffect('the network of a host is chosen by host_network'),
    IP: withoutEffect('the network of a host is chosen by host_network'),
    DNS: [
      withoutEffect('the name servers are those of the group', { task: OF_A_TASK }),
      refused(
        'tasks of "raw_exec" see the files of their host, its resolver too',
        'Take the "dns" block out, or let "exec" or "docker" run every task of the group.',
        { group: HAS_RAW_EXEC },
      ),
      DRIVER,
    ],
    ReservedPorts: BLOCK,
    DynamicPorts: BLOCK,
    Hostname: [
      withoutEffect('the name is that of the group', { task: OF_A_TASK }),
      withoutEffect('tasks in the network of their host have its name', { group: IN_HOST_NETWORK }),
      refused(
        'tasks of "raw_exec" have the name of their host',
        'Take "hostname" out, or let "exec" or "docker" run every task of the group.',
        { group: HAS_RAW_EXEC },
      ),
      DRIVER,
    ],
    MBits: withoutEffect('Nomad has dropped it in 0.12'),
    CNI: BLOCK,
  },
  DNSConfig: {
    Servers: DRIVER,
    Searches: DRIVER,
    Options: DRIVER,
  },
  Port: { Label: SCHEDULER, Value: SCHEDULER, To: AGENT, HostNetwork: SCHEDULER, IgnoreCollision: SCHEDULER },
  CNIConfig: { Args: by('the plugins of the network') },
  RequestedDevice: { Name: DEVICE, Count: DEVICE, Constraints: DEVICE, Affinities: DEVICE },
  NUMAResource: { Affinity: NO_NUMA, Devices: NO_NUMA },
  LogConfig: {
    MaxFiles: AGENT,
    MaxFileSizeMB: AGENT,
    Enabled: withoutEffect('Nomad has dropped it in 1.5; write disabled = true to keep no logs', { countsZero: true }),
    Disabled: AGENT,
  },
  VolumeMount: { Volume: MOUNT, Destination: MOUNT, ReadOnly: MOUNT, PropagationMode: MOUNT, SELinuxLabel: MOUNT },
  WorkloadIdentity: {
    Name: IDENTITY,
    Audience: IDENTITY,
    ChangeMode: [NO_SIGNALS, IDENTITY],
    ChangeSignal: IDENTITY,
    Env: IDENTITY,
    File: IDENTITY,
    Filepath: IDENTITY,
    ServiceName: SERVER,
    TTL: IDENTITY,
    ExtraClaims: refused('tokens hold no further claims', 'Take "extra_claims" out.'),
  },
  TaskArtifact: {
    GetterSource: ARTIFACT,
    GetterOptions: ARTIFACT,
    GetterHeaders: ARTIFACT,
    GetterMode: ARTIFACT,
    GetterInsecure: ARTIFACT,
    RelativeDest: ARTIFACT,
    Chown: ARTIFACT,
  },
  Vault: {
    Policies: VAULT,
    Role: VAULT,
    Namespace: VAULT,
    Cluster: VAULT,
    Env: VAULT,
    DisableFile: VAULT,
    ChangeMode: [NO_SIGNALS, ...VAULT],
    ChangeSignal: VAULT,
    AllowTokenExpiration: VAULT,
  },
  Template: {
    SourcePath: TEMPLATE,
    DestPath: TEMPLATE,
    EmbeddedTmpl: TEMPLATE,
    ChangeMode: [NO_SIGNALS, NO_PROGRAMS, TEMPLATE],
    ChangeScript: TEMPLATE,
    ChangeSignal: TEMPLATE,
    Once: TEMPLATE,
    Splay: TEMPLATE,
    Perms: TEMPLATE,
    Uid: TEMPLATE,
    Gid: TEMPLATE,
    LeftDelim: TEMPLATE,
    RightDelim: TEMPLATE,
    Envvars: TEMPLATE,
    VaultGrace: withoutEffect('Nomad has dropped it in 0.11'),
    Wait: TEMPLATE,
    ErrMissingKey: TEMPLATE,
  },
  ChangeScript: { Command: TEMPLATE, Args: TEMPLATE, Timeout: TEMPLATE, FailOnError: TEMPLATE, RunOnFirstRender: TEMPLATE },
  WaitConfig: { Min: TEMPLATE, Max: TEMPLATE },
  DispatchPayloadConfig: { File: AGENT },
  TaskCSIPluginConfig: { ID: NO_CSI, Type: NO_CSI, MountDir: NO_CSI, StagePublishBaseDir: NO_CSI, HealthTimeout: NO_CSI },
  Secret: { Name: SECRET, Provider: SECRET, Path: SECRET, Config: SECRET, Env: SECRET },
  Action: { Name: API, Command: API, Args: API },
  TaskSchedule: { Cron: NO_SCHEDULE },
  TaskScheduleCron: { Start: NO_SCHEDULE, End: NO_SCHEDULE, Timezone: NO_SCHEDULE },
}

function asksForAffinity(numa: unknown): boolean {
  const { Affinity } = numa as { readonly Affinity?: unknown }
  return Affinity !== undefined && Affinity !== '' && Affinity !== 'none'
}
