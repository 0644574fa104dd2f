/** Kinds of objects that a diff can name: which members they print, and what is inside them, in the order of comparison. */
import type { FlattenRules } from './fields.js'
import type { Plain } from './model.js'

export interface Kind {
  readonly name: string
  readonly rules?: FlattenRules
  readonly children?: readonly Child[]
  /** Never lists what did not change. */
  readonly isTerse?: boolean
  /** Lists of texts that print as one field each, joined by commas. */
  readonly joined?: readonly string[]
  /** Members that are stored only when they are not zero, and print always. */
  readonly zeros?: Plain
  /** Told as edited also when what differs is not listed. */
  readonly tellsHidden?: boolean
  /** Of two that are both there, what changed decides: members that were only added make it added, only taken out deleted. */
  readonly isTypedByFields?: boolean
  /** One of which nothing prints is not told. */
  readonly dropsEmpty?: boolean
  /** Free-form members that print among its own: `Config[a]`. */
  readonly flattened?: readonly string[]
}

export type Child = ChildForm & {
  /** Where the member lies, when it is not a member of the object itself. */
  readonly path?: readonly string[]
}

export interface KeyedChild {
  /** Items with the same key are compared. */
  readonly form: 'keyed'
  readonly member: string
  readonly kind: Kind
  readonly key: string
  /** The only one before and the only one after are compared, whatever their keys. */
  readonly pairsOnly?: boolean
}

type ChildForm =
  /** `absent` stands for the one of two that is not there; what is always told is told as unchanged too. */
  | { readonly form: 'one'; readonly member: string; readonly kind: Kind; readonly absent?: Plain; readonly isAlwaysTold?: boolean }
  /** Items are the same or they are not. */
  | { readonly form: 'set'; readonly member: string; readonly kind: Kind }
  | KeyedChild
  /** Items at the same position are compared. Nomad sorts some a second time, which with its order is not the same as once. */
  | { readonly form: 'positional'; readonly member: string; readonly kind: Kind; readonly isSortedTwice?: boolean }
  /** Items that have most in common are compared. */
  | { readonly form: 'matched'; readonly member: string; readonly kind: Kind }
  /** An object whose values are the items; those that were there before come first. */
  | { readonly form: 'by-name'; readonly member: string; readonly kind: Kind }
  | { readonly form: 'texts'; readonly member: string; readonly isTerse?: boolean }
  /** `tellsEmpty`: one of nothing that comes or goes is told. */
  | { readonly form: 'free'; readonly member: string; readonly isTerse?: boolean; readonly tellsEmpty?: boolean }

const plain = (name: string): Kind => ({ name, isTypedByFields: true })
const texts = (member: string): Child => ({ form: 'texts', member })
const one = (member: string, kind: Kind = plain(member)): Child => ({ form: 'one', member, kind })

export const CONSTRAINT = plain('Constraint')
export const AFFINITY = plain('Affinity')

const CONSTRAINTS: Child = { form: 'set', member: 'Constraints', kind: CONSTRAINT }
const AFFINITIES: Child = { form: 'set', member: 'Affinities', kind: AFFINITY }

const NETWORK: Kind = {
  name: 'Network',
  rules: { skip: ['Device', 'CIDR', 'IP', 'MBits'] },
  zeros: { Hostname: '', Mode: '' },
  children: [
    {
      form: 'keyed',
      member: 'ReservedPorts',
      key: 'Label',
      kind: { name: 'Static Port', zeros: { Value: 0, To: 0, HostNetwork: '', IgnoreCollision: false } },
    },
    {
      form: 'keyed',
      member: 'DynamicPorts',
      key: 'Label',
      kind: { name: 'Dynamic Port', rules: { skip: ['Value', 'IgnoreCollision'] }, zeros: { To: 0, HostNetwork: '' } },
    },
    one('DNS', { name: 'DNS', joined: ['Servers', 'Searches', 'Options'] }),
    { form: 'one', member: 'CNI', kind: { ...plain('CNIConfig'), dropsEmpty: true }, path: ['CNI', 'Args'] },
  ],
}

const NETWORKS: Child = { form: 'set', member: 'Networks', kind: NETWORK }

/** Arguments of script checks are not compared, as in Nomad. */
const CHECK: Kind = {
  name: 'Check',
  tellsHidden: true,
  rules: { skip: ['Args'] },
  children: [{ form: 'free', member: 'Header' }, one('CheckRestart')],
}

/** Extra claims are not compared, as in Nomad; that they differ is told all the same. */
const IDENTITY: Kind = { name: 'Identity', tellsHidden: true, rules: { skip: ['ExtraClaims'] }, children: [texts('Audience')] }

/** Its constraints and affinities are not compared, as in Nomad; that they differ is told all the same. */
const DEVICE: Kind = { name: 'Device', tellsHidden: true }

/** Nor are its devices. */
const NUMA: Kind = { name: 'NUMA', tellsHidden: true }

const RESOURCES: Kind = {
  name: 'Resources',
  tellsHidden: true,
  children: [NETWORKS, { form: 'keyed', member: 'Devices', kind: DEVICE, key: 'Name' }, one('NUMA', NUMA)],
}

/** Its mesh gateway is not compared, as in Nomad. */
const UPSTREAM: Kind = { name: 'ConsulUpstreams', rules: { skip: ['MeshGateway'] }, children: [{ form: 'free', member: 'Config' }] }

const PROXY: Kind = {
  name: 'ConsulProxy',
  children: [
    { form: 'keyed', member: 'Upstreams', kind: UPSTREAM, key: 'DestinationName' },
    one('Expose', { name: 'ConsulExposeConfig', children: [{ form: 'set', member: 'Paths', kind: plain('Path') }] }),
    {
      form: 'one',
      member: 'TransparentProxy',
      isAlwaysTold: true,
      kind: {
        name: 'TransparentProxy',
        children: [texts('ExcludeInboundPorts'), texts('ExcludeOutboundPorts'), texts('ExcludeOutboundCIDRs'), texts('ExcludeUIDs')],
      },
    },
    { form: 'free', member: 'Config' },
  ],
}

const CONNECT: Kind = {
  name: 'ConsulConnect',
  children: [
    one('SidecarService', { name: 'SidecarService', rules: { skip: ['Tags'] }, children: [one('Proxy', PROXY)] }),
    one('SidecarTask', {
      name: 'SidecarTask',
      children: [{ form: 'free', member: 'Config' }, one('Resources', RESOURCES), one('LogConfig')],
    }),
    { form: 'free', member: 'Gateway' },
  ],
}

const SERVICE: Kind = {
  name: 'Service',
  tellsHidden: true,
  children: [
    texts('CanaryTags'),
    texts('Tags'),
    { form: 'keyed', member: 'Checks', kind: CHECK, key: 'Name' },
    one('Connect', CONNECT),
    one('Weights'),
    one('Identity', IDENTITY),
  ],
}

const SERVICES: Child = { form: 'matched', member: 'Services', kind: SERVICE }

export const JOB_CHILDREN: readonly Child[] = [
  texts('Datacenters'),
  CONSTRAINTS,
  AFFINITIES,
  one('Periodic', { name: 'Periodic', children: [{ form: 'texts', member: 'Specs', isTerse: true }] }),
  one('ParameterizedJob', { name: 'ParameterizedJob', tellsHidden: true, children: [texts('MetaOptional'), texts('MetaRequired')] }),
  one('Multiregion', {
    name: 'Multiregion',
    children: [
      { form: 'keyed', member: 'Regions', kind: { name: 'Region', children: [texts('Datacenters')] }, key: 'Name' },
      { form: 'one', member: 'Strategy', kind: plain('Strategy'), absent: { MaxParallel: 0, OnFailure: '' } },
    ],
  }),
  one('UI', {
    name: 'UI',
    tellsHidden: true,
    children: [{ form: 'positional', member: 'Links', kind: { name: 'Link', dropsEmpty: true }, isSortedTwice: true }],
  }),
]

export const GROUP_CHILDREN: readonly Child[] = [
  CONSTRAINTS,
  AFFINITIES,
  one('RestartPolicy'),
  one('Migrate'),
  one('ReschedulePolicy'),
  one('EphemeralDisk'),
  one('Consul'),
  one('Update', { name: 'Update', rules: { skip: ['Stagger'] } }),
  one('Disconnect', { name: 'Disconnect', rules: { nil: ['StopOnClientAfter', 'Replace'] } }),
  NETWORKS,
  one('Scaling', {
    name: 'Scaling',
    rules: { skip: ['ID', 'Type', 'Target', 'CreateIndex', 'ModifyIndex'] },
    isTerse: true,
    children: [{ form: 'free', member: 'Policy', isTerse: true, tellsEmpty: true }],
  }),
  SERVICES,
  {
    form: 'by-name',
    member: 'Volumes',
    kind: { name: 'Volume', children: [one('MountOptions', { name: 'MountOptions', children: [texts('MountFlags')] })] },
  },
]

/** The order of arguments, and one that comes twice, are not compared; that they differ is told all the same. */
const TEMPLATE: Kind = {
  name: 'Template',
  tellsHidden: true,
  children: [
    one('Wait', { name: 'Template', rules: { nil: ['Min', 'Max'] } }),
    one('ChangeScript', { name: 'ChangeScript', tellsHidden: true, children: [texts('Args')] }),
  ],
}

export const TASK_CHILDREN: readonly Child[] = [
  CONSTRAINTS,
  AFFINITIES,
  { form: 'free', member: 'Config' },
  one('Resources', RESOURCES),
  one('LogConfig'),
  one('DispatchPayload', { ...plain('DispatchPayload'), dropsEmpty: true }),
  { form: 'keyed', member: 'Artifacts', kind: plain('Artifact'), key: 'RelativeDest' },
  SERVICES,
  one('Vault', { name: 'Vault', children: [texts('Policies')] }),
  { form: 'keyed', member: 'Secrets', kind: { name: 'Secret', flattened: ['Config'] }, key: 'Name' },
  one('Consul'),
  { form: 'keyed', member: 'Templates', kind: TEMPLATE, key: 'DestPath', pairsOnly: true },
  one('Identity', IDENTITY),
  { form: 'keyed', member: 'Identities', kind: IDENTITY, key: 'Name' },
  { form: 'positional', member: 'Actions', kind: { name: 'Action', children: [texts('Args')], tellsHidden: true } },
  { form: 'positional', member: 'VolumeMounts', kind: { name: 'VolumeMount' } },
  { form: 'one', member: 'Schedule', kind: plain('Schedule'), path: ['Schedule', 'Cron'] },
]
