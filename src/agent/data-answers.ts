/**
 * What templates ask, as questions to the server, and the server's rows as the values that templates know. Keys of Consul and secrets of
 * Vault are variables: a key is a member of a variable below `kv/`, a secret a variable below `secret/`.
 */
import type { ServiceRegistration } from '../domain/index.js'
import type { DataFound, DataInstance, DataPair, DataQuestion } from './protocol.js'
import {
  keyPairsValue,
  nomadServiceValue,
  secretValue,
  serviceNamesValue,
  serviceValue,
  variablesValue,
  variableValue,
} from './template/data-values.js'
import { fromText, type Query, stringsValue, stringValue, toText, type Value } from './template/index.js'

const SECRETS = 'secret/'

/** Undefined for what there is nothing of here. */
export function questionOf(query: Query, namespace: string): DataQuestion | undefined {
  switch (query.kind) {
    case 'key':
      return { kind: 'key', namespace, path: toText(query.path) }
    case 'keys':
      return { kind: 'keys', namespace, prefix: toText(query.prefix) }
    case 'secret':
      return { kind: 'variable', namespace, path: secretPath(toText(query.path)) }
    case 'secrets':
      return { kind: 'variables', namespace, prefix: secretPath(toText(query.path)) }
    case 'variable':
      return { kind: 'variable', namespace: namespaceOf(query, namespace), path: toText(query.path) }
    case 'variables':
      return { kind: 'variables', namespace: namespaceOf(query, namespace), prefix: toText(query.prefix) }
    case 'service':
      return { kind: 'service', namespace, name: toText(query.name) }
    case 'services':
      return { kind: 'services', namespace }
    default:
      return undefined
  }
}

function namespaceOf(query: { readonly namespace: string | undefined }, namespace: string): string {
  return query.namespace === undefined || query.namespace === '' ? namespace : toText(query.namespace)
}

/** `secret/data/app`, `secret/app` and `app` are one; other engines keep their name, without the `data` of its second version. */
function secretPath(path: string): string {
  const [mount = '', second, ...rest] = path.split('/')
  const inside = second === undefined ? [] : second === 'data' || second === 'metadata' ? rest : [second, ...rest]
  const parts = mount === 'secret' && inside.length > 0 ? inside : [mount, ...inside]
  return SECRETS + parts.join('/')
}

/** Undefined when there is nothing of that name. */
export function answerValue(query: Query, found: DataFound): Value | undefined {
  switch (found.kind) {
    case 'absent':
      return undefined
    case 'variable': {
      const { Namespace, Path, Items, CreateIndex, ModifyIndex, CreateTime, ModifyTime } = found.variable
      if (query.kind === 'secret') return secretValue(Items, /^[^/]+\/data\//.test(query.path))
      const times = { createTimeMs: CreateTime / 1e6, modifyTimeMs: ModifyTime / 1e6 }
      return variableValue({ namespace: Namespace, path: Path, items: Items, createIndex: CreateIndex, modifyIndex: ModifyIndex, ...times })
    }
    case 'variables':
      return query.kind === 'secrets' ? secretNames(query, found.variables) : variablesValue(found.variables.map(metadataOf))
    case 'keys':
      return query.kind === 'key' ? onlyValue(found.pairs) : query.kind === 'keys' ? pairsBelow(query, found.pairs) : undefined
    case 'service':
      return query.kind === 'service' ? instancesOf(query, found.instances) : undefined
    case 'services':
      return query.kind === 'services' ? serviceNamesValue(found.services, query.provider) : undefined
  }
}

function metadataOf(variable: Extract<DataFound, { kind: 'variables' }>['variables'][number]) {
  const { Namespace, Path, CreateIndex, ModifyIndex, CreateTime, ModifyTime } = variable
  return {
    namespace: Namespace,
    path: Path,
    createIndex: CreateIndex,
    modifyIndex: ModifyIndex,
    createTimeMs: CreateTime / 1e6,
    modifyTimeMs: ModifyTime / 1e6,
  }
}

function secretNames(query: Extract<Query, { kind: 'secrets' }>, variables: readonly { readonly Path: string }[]): Value {
  const prefix = `${secretPath(toText(query.path))}/`
  const below = variables.filter(({ Path }) => Path.startsWith(prefix)).map(({ Path }) => Path.slice(prefix.length))
  const names = below.map((name) => (name.includes('/') ? `${name.split('/')[0]}/` : name))
  return stringsValue([...new Set(names)].sort().map(fromText))
}

function onlyValue([pair]: readonly DataPair[]): Value | undefined {
  return pair === undefined ? undefined : stringValue(fromText(pair.value))
}

function pairsBelow({ prefix, isDeep }: Extract<Query, { kind: 'keys' }>, pairs: readonly DataPair[]): Value {
  const start = prefix === '' ? 0 : toText(prefix).length + 1
  const below = pairs
    .map((pair) => ({ ...pair, key: pair.path.slice(start) }))
    .filter(({ key }) => key !== '' && (isDeep || !key.includes('/')))
  return keyPairsValue(below)
}

function instancesOf(query: Extract<Query, { kind: 'service' }>, instances: readonly DataInstance[]): Value {
  const tag = toText(query.tag)
  const fitting = instances.filter(({ registration: { Tags } }) => tag === '' || (Tags ?? []).includes(tag))
  const chosen = query.choose === undefined ? fitting : choose(fitting, query.choose.count, toText(query.choose.key))
  return query.provider === 'nomad' ? nomadServiceValue(chosen.map(nomadInstance)) : serviceValue(chosen.map(consulInstance))
}

function common({ registration, nodeName }: DataInstance) {
  const { ID, ServiceName, Address, Port, Tags } = registration
  return { id: ID, name: ServiceName, node: nodeName, address: Address, port: Port, tags: [...(Tags ?? [])].sort() }
}

function nomadInstance(instance: DataInstance) {
  const { registration } = instance
  return {
    ...common(instance),
    node: registration.NodeID,
    datacenter: registration.Datacenter,
    jobId: registration.JobID,
    allocationId: registration.AllocID,
  }
}

function consulInstance(instance: DataInstance) {
  return { ...common(instance), nodeAddress: instance.nodeAddress, meta: {}, status: 'passing' }
}

/** Rendezvous hashing: the same key gets the same instances as long as they are there. */
function choose(instances: readonly DataInstance[], count: number, key: string): readonly DataInstance[] {
  const weights = instances.map((instance) => [weightOf(key, instance.registration), instance] as const)
  return [...weights]
    .sort(([a], [b]) => b - a)
    .slice(0, count)
    .map(([, instance]) => instance)
}

/** FNV-1a, 32 bits. */
function weightOf(key: string, { ID }: ServiceRegistration): number {
  let hash = 0x811c9dc5
  for (const char of `${key}\u0000${ID}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return hash >>> 0
}
