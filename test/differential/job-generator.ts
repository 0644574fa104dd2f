/** Jobs as clients write them, made by walking the decoder's own schema, so that no member is left out. */
import { type ApiObject, type ApiValue, isApiObject, objectIn, objectsIn } from '../../src/jobspec/decode/api-job.js'
import { type Field, type StructName, structOf } from '../../src/jobspec/decode/schema.js'
import type { SeededRandom } from '../simulation/seeded-random.js'
import { FIELD_VALUES, FREE_FORMS, NUMBER_LISTS, STRING_MAPS, STRINGS, STRINGS_MAPS, type Values, valuesOf } from './field-values.js'

/** How likely a member is written, where it differs from `PRESENT`. Zero: the server's own, or asked of another server. */
const PRESENCE: Readonly<Record<string, number>> = {
  'Job.ID': 1,
  'Job.Type': 0.6,
  'Job.TaskGroups': 1,
  'Job.Region': 0.05,
  'Job.Namespace': 0.05,
  'Job.NodePool': 0.1,
  'Job.Multiregion': 0.01,
  'Job.Periodic': 0.06,
  'Job.ParameterizedJob': 0.06,
  'Job.Stop': 0,
  'Job.ParentID': 0,
  'Job.Dispatched': 0,
  'Job.DispatchIdempotencyToken': 0,
  'Job.Payload': 0,
  'Job.ConsulNamespace': 0,
  'Job.VaultNamespace': 0,
  'Job.NomadTokenID': 0,
  'Job.Status': 0,
  'Job.StatusDescription': 0,
  'Job.Stable': 0,
  'Job.Version': 0,
  'Job.SubmitTime': 0,
  'Job.CreateIndex': 0,
  'Job.ModifyIndex': 0,
  'Job.JobModifyIndex': 0,
  'Job.VersionTag': 0,
  'TaskGroup.Name': 1,
  'TaskGroup.Tasks': 1,
  'TaskGroup.Scaling': 0.06,
  'Task.Name': 1,
  'Task.Driver': 1,
  'Task.Vault': 0.03,
  'Task.Schedule': 0.01,
  'Task.Kind': 0.02,
  'Task.CSIPluginConfig': 0.05,
  'Resources.NUMA': 0.02,
  'Resources.Cores': 0.08,
  'ScalingPolicy.CreateIndex': 0,
  'ScalingPolicy.ModifyIndex': 0,
  'ScalingPolicy.Target': 0,
  'ScalingPolicy.ID': 0,
  'ScalingPolicy.Namespace': 0,
  'Service.Name': 0.9,
  'Service.Provider': 0.8,
  'Service.Connect': 0.1,
  'Service.Namespace': 0.05,
  'ServiceCheck.Type': 0.97,
  'ServiceCheck.Interval': 0.95,
  'ServiceCheck.Timeout': 0.95,
  'ServiceCheck.Path': 0.7,
  'Constraint.Operand': 0.97,
  'Constraint.LTarget': 0.95,
  'Constraint.RTarget': 0.95,
  'Affinity.Operand': 0.97,
  'Affinity.LTarget': 0.95,
  'Affinity.RTarget': 0.95,
  'Spread.Attribute': 0.95,
  'Port.Label': 1,
  'VolumeRequest.Name': 1,
  'VolumeRequest.Type': 0.95,
  'VolumeRequest.Source': 0.95,
  'VolumeMount.Destination': 1,
  'VolumeMount.Volume': 0.95,
  'Template.DestPath': 0.95,
  'TaskArtifact.GetterSource': 0.95,
  'Consul.Cluster': 0.3,
  'Task.Consul': 0.04,
  'TaskGroup.Consul': 0.04,
  'ConsulConnect.Native': 0.2,
  'ConsulConnect.Gateway': 0.3,
  'ConsulConnect.SidecarService': 0.6,
  'ConsulProxy.ExposeConfig': 0,
  'ConsulExposeConfig.Path': 0,
}
const SCALAR_PRESENCE = 0.35
const BLOCK_PRESENCE = 0.13
const DEPTH_MAX = 9

export interface Chance {
  /** Of a value being an odd one. */
  readonly odd: number
  /** Multiplies the presence of blocks. */
  readonly blocks: number
  /** Members that hardly any value of fits the others of are left out, names are told apart. */
  readonly isSound?: boolean
}

/** Blocks that ask for more than the rest of a generated job offers. */
const DEMANDING: ReadonlySet<string> = new Set([
  'Job.Multiregion',
  'TaskGroup.MaxRunDuration',
  'TaskGroup.Scaling',
  'Task.Vault',
  'Task.Schedule',
  'Task.VolumeMounts',
  'Task.Kind',
  'Resources.NUMA',
  'Resources.Cores',
  'Resources.SecretsMB',
  'Service.Connect',
  'Service.TaskName',
  'Service.AddressMode',
  'Service.Address',
  'ServiceCheck.TaskName',
  'ServiceCheck.Expose',
  'VolumeRequest.PerAlloc',
  'VolumeRequest.MountOptions',
  'Constraint.RTarget',
  'Affinity.RTarget',
  'WorkloadIdentity.Filepath',
  'DisconnectStrategy.StopOnClientAfter',
])

export class JobGenerator {
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  job(chance: Chance): ApiObject {
    const job = { ...this.#struct('Job', chance, 0), ID: 'diffjob' }
    return chance.isSound === true ? repaired(job) : job
  }

  /** The same job with a few members taken out, put in or changed. */
  mutate(job: ApiObject, count: number): ApiObject {
    let mutated = job
    for (let at = 0; at < count; at++) mutated = this.#mutateStruct('Job', mutated, 0)
    return { ...mutated, ID: 'diffjob' }
  }

  #struct(name: StructName, chance: Chance, depth: number): ApiObject {
    const entries: [string, ApiValue][] = []
    for (const field of structOf(name).fields) {
      if (!this.#isPresent(name, field, chance)) continue
      if (chance.isSound === true && DEMANDING.has(`${name}.${field.json}`) && this.#random.chance(0.97)) continue
      const value = this.#value(name, field, chance, depth)
      if (value !== undefined) entries.push([field.json, value])
    }
    return Object.fromEntries(entries)
  }

  #isPresent(name: StructName, field: Field, chance: Chance): boolean {
    const isBlock = ['struct', 'structs', 'struct-map'].includes(field.type.kind)
    const usual = isBlock ? BLOCK_PRESENCE * chance.blocks : SCALAR_PRESENCE
    return this.#random.chance(PRESENCE[`${name}.${field.json}`] ?? usual)
  }

  #value(name: StructName, field: Field, chance: Chance, depth: number): ApiValue {
    const { type } = field
    const random = this.#random
    if (type.kind === 'struct' || type.kind === 'structs' || type.kind === 'struct-map') {
      if (depth > DEPTH_MAX) return undefined
      if (type.kind === 'struct') return this.#struct(type.struct, chance, depth + 1)
      const count = random.chance(0.6) ? 1 : random.chance(0.8) ? 2 : 3
      const items = Array.from({ length: count }, () => this.#struct(type.struct, chance, depth + 1))
      if (type.kind === 'structs') return items
      return Object.fromEntries(items.map((item) => [String(item['Name'] ?? 'data'), item]))
    }
    return this.#pick(valuesFor(name, field), chance.odd)
  }

  #pick(values: Values, odd: number): ApiValue {
    const isOdd = values.odd !== undefined && this.#random.chance(odd)
    return this.#random.pick(isOdd ? values.odd! : values.sound) as ApiValue
  }

  #mutateStruct(name: StructName, object: ApiObject, depth: number): ApiObject {
    const random = this.#random
    const fields = structOf(name).fields.filter((field) => PRESENCE[`${name}.${field.json}`] !== 0)
    const inner = fields.filter((field) => 'struct' in field.type && object[field.json] != null)
    if (inner.length > 0 && random.chance(depth < 2 ? 0.85 : 0.6)) {
      const field = random.pick(inner)
      return { ...object, [field.json]: this.#mutateInside(field, object[field.json], depth) }
    }
    if (fields.length === 0) return object
    const field = random.pick(fields)
    if (object[field.json] !== undefined && random.chance(0.25)) {
      const { [field.json]: _, ...rest } = object
      return rest
    }
    if (field.type.kind === 'structs' && Array.isArray(object[field.json]) && random.chance(0.5)) {
      const items = object[field.json] as readonly ApiObject[]
      return {
        ...object,
        [field.json]: random.chance(0.3)
          ? [...items].reverse()
          : [...items, this.#struct(field.type.struct, { odd: 0.2, blocks: 1 }, depth + 1)],
      }
    }
    return { ...object, [field.json]: this.#value(name, field, { odd: 0.5, blocks: 1.5 }, depth) }
  }

  #mutateInside(field: Field, value: ApiValue, depth: number): ApiValue {
    const { type } = field
    if (!('struct' in type)) return value
    if (type.kind === 'struct') return this.#mutateStruct(type.struct, value as ApiObject, depth + 1)
    if (type.kind === 'structs') {
      const items = value as readonly ApiObject[]
      const at = this.#random.between(0, items.length - 1)
      return items.map((item, index) => (index === at ? this.#mutateStruct(type.struct, item, depth + 1) : item))
    }
    const entries = Object.entries(value as ApiObject)
    const at = this.#random.between(0, entries.length - 1)
    return Object.fromEntries(
      entries.map(([key, item], index) => [key, index === at ? this.#mutateStruct(type.struct, item as ApiObject, depth + 1) : item]),
    )
  }
}

function valuesFor(name: StructName, { json, type }: Field): Values {
  const named = FIELD_VALUES[`${name}.${json}`]
  if (named !== undefined) return named
  switch (type.kind) {
    case 'scalar':
      return valuesOf(name, json, type.scalar)
    case 'scalars':
      return type.scalar === 'string' ? STRINGS : NUMBER_LISTS
    case 'string-map':
    case 'string-map-attribute':
      return STRING_MAPS
    case 'strings-map':
      return STRINGS_MAPS
    default:
      return FREE_FORMS
  }
}

/** Names apart, policies that fit the type of the job, constraints that say something. */
function repaired(job: ApiObject): ApiObject {
  const type = job['Type'] ?? 'service'
  const lasts = type === 'service' || type === 'system'
  const unwanted = [
    ...(lasts ? ['Periodic', 'ParameterizedJob'] : ['Update']),
    ...(type === 'service' ? [] : ['Migrate']),
    ...(type === 'system' || type === 'sysbatch' ? ['Reschedule', 'ReschedulePolicy'] : []),
    ...(type === 'system' ? ['Affinities', 'Spreads', 'Count'] : []),
  ]
  const repair = (value: ApiValue, member: string): ApiValue => {
    if (Array.isArray(value)) return value.map((item, at) => named(repair(item, member), member, at))
    if (!isApiObject(value)) return value
    const kept = Object.entries(value).filter(([name]) => !unwanted.includes(name))
    return plausible(Object.fromEntries(kept.map(([name, inner]) => [name, name === 'Config' ? inner : repair(inner, name)])), member)
  }
  return repair(job, '') as ApiObject
}

function named(value: ApiValue, member: string, at: number): ApiValue {
  if (!isApiObject(value) || !['TaskGroups', 'Tasks', 'Services', 'Identities', 'Actions', 'Secrets'].includes(member)) return value
  return { ...value, Name: `${member === 'Secrets' ? 'n' : 'n-'}${at}${member.length}` }
}

function plausible(object: ApiObject, member: string): ApiObject {
  switch (member) {
    case 'Constraints':
    case 'Affinities':
      return { ...object, LTarget: '${attr.kernel.name}', Operand: '=', RTarget: object['RTarget'] ?? 'linux' }
    case 'Spreads':
      return { ...object, Attribute: object['Attribute'] ?? '${node.datacenter}' }
    case 'Services':
      return { ...object, PortLabel: '8080', AddressMode: 'driver', Provider: 'nomad', Identity: null, Checks: plausibleChecks(object) }
    case 'Update':
      return { ...object, MinHealthyTime: 1e9, HealthyDeadline: 60e9, ProgressDeadline: 600e9, Stagger: 30e9, AutoPromote: false }
    case 'Reschedule':
    case 'ReschedulePolicy':
      return { ...object, Attempts: 0, Unlimited: true, Delay: 30e9, DelayFunction: 'constant' }
    case 'RestartPolicy':
      return { ...object, Interval: 1800e9, Attempts: 1, Delay: 15e9 }
    case 'Templates': {
      const DestPath = `local/${JSON.stringify(object).length}`
      return { ...object, EmbeddedTmpl: object['EmbeddedTmpl'] ?? 'x', ChangeMode: 'restart', Wait: null, DestPath }
    }
    case 'Identity':
    case 'Identities':
      return {
        ...object,
        ChangeMode: object['Env'] === true ? 'restart' : '',
        ChangeSignal: '',
        TTL: member === 'Identity' ? 0 : object['TTL'],
      }
    case 'Actions':
      return { ...object, Command: object['Command'] ?? '/bin/true' }
    case 'Artifacts':
      return { ...object, GetterSource: object['GetterSource'] ?? 'https://example.org/a' }
    case 'Secrets':
      return { ...object, Provider: 'nomad', Path: 'some/path', Env: null }
    case 'CSIPluginConfig':
      return { ...object, ID: 'disk', Type: object['Type'] ?? 'node', MountDir: '', StagePublishBaseDir: '' }
    case 'Devices':
      return { ...object, Name: object['Name'] ?? 'gpu' }
    case 'Tasks':
      return { ...object, Leader: false }
    case 'TaskGroups': {
      const services = objectsIn(object, 'Services').map((service) => ({ ...service, AddressMode: 'host' }))
      return {
        ...object,
        EphemeralDisk: { SizeMB: 1000 },
        ...(services.length === 0 ? {} : { Services: services }),
        Volumes: plausibleVolumes(object),
      }
    }
    default:
      return object
  }
}

function plausibleChecks(service: ApiObject): readonly ApiObject[] {
  return objectsIn(service, 'Checks').map((check) => ({
    ...check,
    Type: 'http',
    Path: '/',
    Interval: 10e9,
    Timeout: 2e9,
    AddressMode: '',
    PortLabel: 'http',
    OnUpdate: '',
    TLSServerName: '',
    SuccessBeforePassing: 0,
    FailuresBeforeCritical: 0,
    FailuresBeforeWarning: 0,
  }))
}

function plausibleVolumes(group: ApiObject): ApiObject {
  const volumes = Object.entries(objectIn(group, 'Volumes') ?? {})
  return Object.fromEntries(
    volumes.flatMap(([name, volume]) => (isApiObject(volume) ? [[name, { ...volume, Type: 'host', Source: 'data', AccessMode: '' }]] : [])),
  )
}
