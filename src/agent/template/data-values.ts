/** What the world answers, in the types that templates know it by. */
import { type Bytes, fromText } from './bytes.js'
import {
  boolValue,
  intValue,
  type MapValue,
  type Method,
  recordValue,
  sliceValue,
  stringsValue,
  stringValue,
  structValue,
  uintValue,
  type Value,
} from './values.js'

const text = (value: string): Value => stringValue(fromText(value))

function tagsValue(tags: readonly string[]): Value {
  return stringsValue(tags.map(fromText))
}

function textMap(members: Readonly<Record<string, string>>): MapValue {
  return recordValue(
    Object.entries(members).map(([name, value]) => [fromText(name), text(value)] as const),
    'string',
  )
}

function pointer(type: string, fields: Readonly<Record<string, Value>>): Value {
  return structValue(type, fields, { isPointer: true })
}

export interface KeyPair {
  readonly path: string
  /** Relative to the folder that was asked for. */
  readonly key: string
  readonly value: string
  readonly createIndex: number
  readonly modifyIndex: number
}

export function keyPairValue(pair: KeyPair): Value {
  return pointer('dependency.KeyPair', {
    Path: text(pair.path),
    Key: text(pair.key),
    Value: text(pair.value),
    CreateIndex: uintValue(pair.createIndex),
    ModifyIndex: uintValue(pair.modifyIndex),
    LockIndex: uintValue(0),
    Flags: uintValue(0),
    Session: text(''),
  })
}

export function keyPairsValue(pairs: readonly KeyPair[]): Value {
  return sliceValue('*dependency.KeyPair', pairs.map(keyPairValue))
}

export interface ServiceInstance {
  readonly id: string
  readonly name: string
  readonly node: string
  readonly address: string
  readonly port: number
  readonly tags: readonly string[]
}

export interface ConsulInstance extends ServiceInstance {
  readonly nodeAddress: string
  readonly meta: Readonly<Record<string, string>>
  /** `passing`, `warning` or `critical`. */
  readonly status: string
}

export function serviceValue(instances: readonly ConsulInstance[]): Value {
  return sliceValue(
    '*dependency.HealthService',
    instances.map((instance) =>
      pointer('dependency.HealthService', {
        Node: text(instance.node),
        NodeID: text(''),
        NodeAddress: text(instance.nodeAddress),
        NodeTaggedAddresses: textMap({}),
        NodeMeta: textMap({}),
        ServiceMeta: textMap(instance.meta),
        Address: text(instance.address),
        ServiceTaggedAddresses: textMap({}),
        ID: text(instance.id),
        Name: text(instance.name),
        Tags: tagsValue(instance.tags),
        Checks: sliceValue('*api.HealthCheck', []),
        Status: text(instance.status),
        Port: intValue(instance.port),
        Weights: structValue('api.AgentWeights', { Passing: intValue(1), Warning: intValue(1) }),
      }),
    ),
  )
}

export interface NomadInstance extends ServiceInstance {
  readonly datacenter: string
  readonly jobId: string
  readonly allocationId: string
}

export function nomadServiceValue(instances: readonly NomadInstance[]): Value {
  return sliceValue(
    '*dependency.NomadService',
    instances.map((instance) =>
      pointer('dependency.NomadService', {
        ID: text(instance.id),
        Name: text(instance.name),
        Node: text(instance.node),
        Address: text(instance.address),
        Port: intValue(instance.port),
        Datacenter: text(instance.datacenter),
        Tags: tagsValue(instance.tags),
        JobID: text(instance.jobId),
        AllocID: text(instance.allocationId),
      }),
    ),
  )
}

export interface ServiceName {
  readonly name: string
  readonly tags: readonly string[]
}

export function serviceNamesValue(names: readonly ServiceName[], provider: 'consul' | 'nomad'): Value {
  const type = provider === 'nomad' ? 'dependency.NomadServicesSnippet' : 'dependency.CatalogSnippet'
  return sliceValue(
    `*${type}`,
    names.map(({ name, tags }) => pointer(type, { Name: text(name), Tags: tagsValue(tags) })),
  )
}

export interface Variable {
  readonly namespace: string
  readonly path: string
  readonly items: Readonly<Record<string, string>>
  readonly createIndex: number
  readonly modifyIndex: number
  readonly createTimeMs: number
  readonly modifyTimeMs: number
}

type VariableMetadata = Omit<Variable, 'items'>

export function variableMetadataValue(variable: VariableMetadata): Value {
  const nanoseconds = (ms: number): Value => intValue(BigInt(Math.trunc(ms)) * 1_000_000n, 'dependency.nanoTime')
  return structValue(
    'dependency.NomadVarMeta',
    {
      Namespace: text(variable.namespace),
      Path: text(variable.path),
      CreateIndex: uintValue(variable.createIndex),
      ModifyIndex: uintValue(variable.modifyIndex),
      CreateTime: nanoseconds(variable.createTimeMs),
      ModifyTime: nanoseconds(variable.modifyTimeMs),
    },
    { isPointer: true, text: fromText(variable.path) },
  )
}

export function variablesValue(variables: readonly VariableMetadata[]): Value {
  return sliceValue('*dependency.NomadVarMeta', variables.map(variableMetadataValue))
}

const ITEM = 'dependency.NomadVarItem'

/** The members of a variable by name, with what consul-template hangs on them. */
export function variableValue(variable: Variable): Value {
  const names = Object.keys(variable.items).sort()
  const metadata: Method = { parameters: [], run: () => variableMetadataValue(variable) }
  const list = (type: string, make: (name: string) => Value): Method => ({ parameters: [], run: () => sliceValue(type, names.map(make)) })
  const memberText = (name: string): Bytes => fromText(variable.items[name] ?? '')
  const items = recordValue(
    names.map((name) => {
      const fields = { Key: text(name), Value: stringValue(memberText(name)) }
      return [fromText(name), structValue(ITEM, fields, { methods: { Metadata: metadata }, text: memberText(name) })] as const
    }),
    ITEM,
  )
  const methods: Readonly<Record<string, Method>> = {
    Metadata: metadata,
    Keys: list('string', text),
    Values: list('string', (name) => stringValue(memberText(name))),
    Tuples: list('struct { K string; V string }', (name) =>
      structValue('struct { K string; V string }', { K: text(name), V: stringValue(memberText(name)) }),
    ),
    ItemsMap: { parameters: [], run: () => recordValue(names.map((name) => [fromText(name), stringValue(memberText(name))] as const)) },
  }
  return { ...items, type: 'dependency.NomadVarItems', methods }
}

/** `isVersioned`: the members are below `data` alone, as the second version of Vault's store has them; otherwise in both places. */
export function secretValue(members: Readonly<Record<string, string>>, isVersioned: boolean): Value {
  const items = Object.entries(members).map(([name, value]) => [fromText(name), text(value)] as const)
  const below: (readonly [Bytes, Value])[] = [['data', recordValue(items)]]
  const data = isVersioned ? [...below, ['metadata', recordValue([])] as const] : [...below, ...items]
  return pointer('dependency.Secret', {
    RequestID: text(''),
    LeaseID: text(''),
    LeaseDuration: intValue(0),
    Renewable: boolValue(false),
    Data: recordValue(data),
    Warnings: stringsValue([]),
    Auth: { kind: 'nil', type: '*dependency.SecretAuth' },
    WrapInfo: { kind: 'nil', type: '*dependency.SecretWrapInfo' },
  })
}
