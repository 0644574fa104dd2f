/** Services and namespaces: `/v1/services`, `/v1/service/:id`, `/v1/namespaces`, `/v1/namespace/:id` (Nomad API docs, "Services"). */
import { compareText, type Namespace, namespacedKey, type ServiceRegistration } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { encodeJson, FragmentCache } from '../encode.js'
import { badRequest, notFound, wrongMethod } from '../errors.js'
import { byName, computePage } from '../pages.js'
import type { Call, Route } from '../router.js'
import { atLeastOne, inNamespace, reading, tableReading } from './reading.js'

const BY_NAME = byName<ServiceRegistration>((service) => service.ID, false)
const serviceJson = new FragmentCache<ServiceRegistration>((service) => service)
const namespaceJson = new FragmentCache<Namespace>((namespace) => ({
  ...namespace,
  Hash: '',
  VaultConfiguration: null,
  ConsulConfiguration: null,
  RequiredExtraClaims: null,
  OptionalExtraClaims: null,
}))

export function serviceRoutes(deps: ReadDeps): readonly Route[] {
  return [
    { pattern: '/v1/services', methods: { GET: reading(deps, listServices) } },
    { pattern: '/v1/service/:id', methods: { GET: reading(deps, readService) } },
    { pattern: '/v1/namespaces', methods: { GET: reading(deps, listNamespaces) } },
    { pattern: '/v1/namespace/:id', methods: { GET: reading(deps, readNamespace) } },
  ]
}

/** One element per namespace that has services: their names, each with the tags of all its instances. */
function listServices(view: StateView, call: Call): Reading {
  const isHere = inNamespace(call)
  const namespaces = new Map<string, Map<string, Set<string>>>()
  for (const service of view.services.all()) {
    if (!isHere(service)) continue
    const names = namespaces.get(service.Namespace) ?? new Map<string, Set<string>>()
    namespaces.set(service.Namespace, names)
    const tags = names.get(service.ServiceName) ?? new Set<string>()
    names.set(service.ServiceName, tags)
    for (const tag of service.Tags ?? []) tags.add(tag)
  }
  const body = [...namespaces]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, services]) => ({
      Namespace: name,
      Services: [...services].sort(([a], [b]) => compareText(a, b)).map(([ServiceName, tags]) => ({ ServiceName, Tags: [...tags].sort() })),
    }))
  return { index: atLeastOne(view.services.index), watch: [{ table: 'services' }], body: encodeJson(body) }
}

function readService(view: StateView, call: Call): Reading {
  if (call.id === '') throw badRequest('missing service name')
  const parts = call.id.split('/').length
  // A second part is the id of one registration, which can only be deleted.
  if (parts === 2) throw wrongMethod()
  if (parts > 2) throw badRequest('invalid URI')
  const group = namespacedKey(call.parameters.namespace, call.id)
  const page = computePage(view.services.by('name', group), call.parameters, { order: BY_NAME, filterable: 'ServiceRegistration' })
  const fragments = chooseServices(page.rows, call.parameters.text('choose')).map((service) => serviceJson.of(service))
  const reading = tableReading(view.services, fragments, [{ table: 'services', group: ['name', group] }], page.nextToken)
  return { ...reading, index: atLeastOne(view.services.index) }
}

/** `<number>|<key>`: the same key always gets the same instances, as long as they are there (rendezvous hashing). */
function chooseServices(services: readonly ServiceRegistration[], choose: string): readonly ServiceRegistration[] {
  if (choose === '') return services
  const wanted = /^(\d+)\|(.+)$/s.exec(choose)
  if (wanted === null) throw badRequest("failed to choose services: Parameter for choose must be in form '<number>|<key>'")
  const weights = services.map((service) => [hashText(`${wanted[2]}\u0000${service.ID}`), service] as const)
  weights.sort(([a], [b]) => b - a)
  return weights.slice(0, Number(wanted[1])).map(([, service]) => service)
}

/** FNV-1a, 32 bits: spreads, and keeps nothing secret. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

function listNamespaces(view: StateView, call: Call): Reading {
  const prefix = call.parameters.text('prefix')
  const namespaces = view.namespaces.all().filter((namespace) => namespace.Name.startsWith(prefix))
  const fragments = namespaces.map((namespace) => namespaceJson.of(namespace))
  return { ...tableReading(view.namespaces, fragments, [{ table: 'namespaces' }]), index: atLeastOne(view.namespaces.index) }
}

function readNamespace(view: StateView, call: Call): Reading {
  if (call.id === '') throw badRequest('Missing Namespace Name')
  const namespace = view.namespaces.get(call.id)
  return {
    index: namespace?.ModifyIndex ?? view.namespaces.index,
    watch: [{ table: 'namespaces', key: call.id }],
    body: namespace === undefined ? notFound('Namespace not found') : namespaceJson.of(namespace),
  }
}
