/** Functions that read the world: variables, services, nodes, files. What is not known yet reads as empty and is told as missing. */
import type { Bytes } from '../bytes.js'
import { refuse } from '../failure.js'
import type { Query } from '../queries.js'
import { ANY, boolValue, INVALID, stringValue, type Value } from '../values.js'
import { bytesOf, type CallContext, countOf, type FunctionTable, ofType, type TemplateFunction, variadic } from './signature.js'

const NO_CONSUL_CONNECT = 'there is no service mesh here'

function stripSlashes(path: Bytes): Bytes {
  return path.replace(/^\/+|\/+$/g, '')
}

/** Keys are those of one catalogue: a datacenter or namespace of Consul's is not looked at. */
function keyPath(argument: Value | undefined): Bytes {
  return stripSlashes(bytesOf(argument).replace(/[?@].*$/s, ''))
}

function emptyList(type: string): Value {
  return { kind: 'slice', type, items: [] }
}

function keys(isDeep: boolean): TemplateFunction {
  return ofType('string', 1, ([prefix], context) => {
    return context.require({ kind: 'keys', prefix: keyPath(prefix), isDeep }) ?? emptyList('[]*dependency.KeyPair')
  })
}

/** The safe form renders nothing while there are no keys. */
function safeKeys(isDeep: boolean): TemplateFunction {
  return ofType('string', 1, ([prefix], context) => {
    const query: Query = { kind: 'keys', prefix: keyPath(prefix), isDeep }
    const found = context.require(query)
    if (found?.kind === 'slice' && found.items.length === 0) context.note(query)
    return found ?? emptyList('[]*dependency.KeyPair')
  })
}

const SERVICE = /^(?:(?<tag>[\w=:.-]+)\.)?(?<name>[\w-]+)(?:\?[^@~|]*)?(?:@[\w.-]+)?(?:~[\w.-]+)?(?:\|(?<filter>[\w,]+))?$/

function service(args: readonly Value[], context: CallContext): Value {
  const [written, filter] = args.map(bytesOf)
  if (written === undefined || written === '') return emptyList('[]*dependency.HealthService')
  const parts =
    SERVICE.exec(filter === undefined ? written : `${written}|${filter}`)?.groups ?? refuse(`health.service: invalid format: "${written}"`)
  const filters = (parts.filter ?? 'passing').split(',')
  const query: Query = {
    kind: 'service',
    provider: 'consul',
    name: parts.name ?? '',
    tag: parts.tag ?? '',
    takesFailing: filters.some((one) => one !== 'passing'),
  }
  return context.find(query) ?? emptyList('[]*dependency.HealthService')
}

function nomadService(args: readonly Value[], context: CallContext): Value {
  const nothing = emptyList('[]*dependency.NomadService')
  if (args.length === 1) {
    const name = bytesOf(args[0])
    return name === '' ? nothing : (context.find({ kind: 'service', provider: 'nomad', name, tag: '', takesFailing: false }) ?? nothing)
  }
  if (args.length !== 3) return refuse(`nomadService: wrong number of arguments, expected 1 or 3, but got ${args.length}`)
  const [count, key, name] = args
  const choose = { count: countOf(count), key: bytesOf(key) }
  return context.find({ kind: 'service', provider: 'nomad', name: bytesOf(name), tag: '', takesFailing: true, choose }) ?? nothing
}

/** `path@namespace`; the job's own when none is named. */
function variablePath(argument: Value | undefined): { readonly path: Bytes; readonly namespace: Bytes | undefined } {
  const [path = '', namespace] = bytesOf(argument).split('@')
  return { path: stripSlashes(path), namespace: namespace === undefined ? undefined : namespace.split('.')[0] }
}

function variables(isSafe: boolean): TemplateFunction {
  return variadic(['string'], (args, context) => {
    const { path, namespace } = args.length === 0 ? { path: '', namespace: undefined } : variablePath(args[0])
    const query: Query = { kind: 'variables', prefix: path, namespace }
    const found = context.require(query)
    if (isSafe && found?.kind === 'slice' && found.items.length === 0) context.note(query)
    return found ?? emptyList('[]*dependency.NomadVarMeta')
  })
}

/** `secret "kv/data/app"`: what follows a write is refused, since nothing is written to the repository from here. */
function secret(args: readonly Value[], context: CallContext): Value {
  const [path, ...data] = args.map(bytesOf)
  if (data.length > 0) return refuse('secret: a template cannot write; commit a file below vars/ instead')
  if (path === undefined || path === '') return INVALID
  return context.require({ kind: 'secret', path: stripSlashes(path.replace(/\?.*$/s, '')) }) ?? INVALID
}

function simple(kind: 'node' | 'nodes' | 'datacenters', type: string): TemplateFunction {
  return variadic([kind === 'datacenters' ? 'bool' : 'string'], (_, context) => context.find({ kind }) ?? emptyList(type))
}

function services(provider: 'consul' | 'nomad', type: string): TemplateFunction {
  return variadic(['string'], (_, context) => context.find({ kind: 'services', provider }) ?? emptyList(type))
}

function refused(name: string, why: string, type = ANY): TemplateFunction {
  return variadic([type], () => refuse(`${name}: ${why}`))
}

export const DATA_FUNCTIONS: FunctionTable = {
  key: ofType('string', 1, ([path], context) => context.require({ kind: 'key', path: keyPath(path) }) ?? stringValue('')),
  keyExists: ofType('string', 1, ([path], context) => boolValue(context.find({ kind: 'key', path: keyPath(path) }) !== undefined)),
  keyOrDefault: ofType('string', 2, ([path, fallback], context) => context.find({ kind: 'key', path: keyPath(path) }) ?? fallback!),
  ls: keys(false),
  safeLs: safeKeys(false),
  tree: keys(true),
  safeTree: safeKeys(true),
  secret: variadic(['string'], secret),
  secrets: ofType(
    'string',
    1,
    ([path], context) => context.require({ kind: 'secrets', path: stripSlashes(bytesOf(path)) }) ?? emptyList('[]string'),
  ),
  service: variadic(['string'], service),
  services: services('consul', '[]*dependency.CatalogSnippet'),
  nomadService: variadic([ANY], nomadService),
  nomadServices: services('nomad', '[]*dependency.NomadServicesSnippet'),
  nomadVar: ofType('string', 1, ([path], context) => context.require({ kind: 'variable', ...variablePath(path) }) ?? INVALID),
  nomadVarExists: ofType('string', 1, ([path], context) =>
    boolValue(context.find({ kind: 'variable', ...variablePath(path) }) !== undefined),
  ),
  nomadVarList: variables(false),
  nomadVarListSafe: variables(true),
  node: simple('node', ANY),
  nodes: simple('nodes', '[]*dependency.Node'),
  datacenters: simple('datacenters', '[]string'),
  file: ofType('string', 1, ([path], context) => context.require({ kind: 'file', path: bytesOf(path) }) ?? stringValue('')),
  connect: refused('connect', NO_CONSUL_CONNECT),
  caRoots: refused('caRoots', NO_CONSUL_CONNECT),
  caLeaf: refused('caLeaf', NO_CONSUL_CONNECT),
  pkiCert: refused('pkiCert', 'no certificates are issued here'),
  exportedServices: refused('exportedServices', NO_CONSUL_CONNECT),
  importedServices: refused('importedServices', NO_CONSUL_CONNECT),
  partitions: refused('partitions', NO_CONSUL_CONNECT),
  peerings: refused('peerings', NO_CONSUL_CONNECT),
  sockaddr: refused('sockaddr', 'use the addresses in the environment, or ${attr.unique.network.ip-address}'),
}
