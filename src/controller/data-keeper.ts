/**
 * Answers what templates on hosts read: variables, and the catalogue of services. A host's question is held until an answer has changed;
 * what leaves is durable. A host is told only of namespaces that it runs something of.
 */
import { DATA_HELD_MS, type DataAnswer, type DataFound, type DataPair, type DataQuestion, dataKey } from '../agent/index.js'
import { type Clock, compareText, namespacedKey, type ServiceRegistration, type Variable } from '../domain/index.js'
import { type StateView, variableKey } from '../state/index.js'
import { checksumOf } from './checksum.js'
import type { HostChannel, HostQuestion } from './host-channel.js'
import type { Leader } from './leader.js'

export interface DataKeeperDeps {
  readonly leader: Leader
  readonly channel: HostChannel
  readonly clock: Clock
}

interface Held {
  readonly question: HostQuestion<'data'>
  readonly cancel: () => void
}

const KEYS = 'kv/'
/** The member of a variable that is the key of the variable's own path. */
const KEY_VALUE = 'value'

export class DataKeeper {
  readonly #deps: DataKeeperDeps
  readonly #held = new Map<string, Held>()
  /** What was found in the tables as they were at `#foundAt`: many hosts ask the same. */
  readonly #found = new Map<string, DataAnswer>()
  #foundAt = ''
  /** The tables as they were when all that is held was looked at. */
  #seenAt = ''

  constructor(deps: DataKeeperDeps) {
    this.#deps = deps
    deps.channel.on('data', (question) => this.#onQuestion(question))
    deps.leader.onTurnEnd(() => this.#lookAgain())
  }

  stop(): void {
    for (const { cancel } of this.#held.values()) cancel()
    this.#held.clear()
  }

  #onQuestion(question: HostQuestion<'data'>): void {
    const { leader, clock } = this.#deps
    if (leader.isStopped || !question.isFresh) return
    this.#release(question.nodeId, [])
    const answers = this.#changed(question)
    if (answers.length > 0) return this.#answer(question, answers)
    const cancel = clock.after(DATA_HELD_MS, () => this.#release(question.nodeId, []))
    this.#held.set(question.nodeId, { question, cancel })
  }

  #lookAgain(): void {
    if (this.#held.size === 0 || this.#tables === this.#seenAt) return
    this.#seenAt = this.#tables
    for (const [nodeId, { question }] of [...this.#held]) {
      const answers = this.#changed(question)
      if (answers.length > 0) this.#release(nodeId, answers)
    }
  }

  /** Indexes of those that are read here. */
  get #tables(): string {
    const { services, variables, nodes } = this.#deps.leader.state
    return `${services.index} ${variables.index} ${nodes.index}`
  }

  #release(nodeId: string, answers: readonly DataAnswer[]): void {
    const held = this.#held.get(nodeId)
    if (held === undefined) return
    held.cancel()
    this.#held.delete(nodeId)
    this.#answer(held.question, answers)
  }

  #answer(question: HostQuestion<'data'>, answers: readonly DataAnswer[]): void {
    const { leader } = this.#deps
    const { clusterId } = leader.state
    leader.release(leader.state.index, question.answer({ clusterId, epoch: leader.epoch, answers }))
  }

  #changed({ nodeId, message }: HostQuestion<'data'>): readonly DataAnswer[] {
    const { state } = this.#deps.leader
    const namespaces = new Set(state.allocations.by('node', nodeId).map(({ Namespace }) => Namespace))
    return message.questions.flatMap(([question, known]) => {
      const answer = namespaces.has(question.namespace) ? this.#answerTo(question) : answerOf(question, { kind: 'absent' })
      return answer.version === known ? [] : [answer]
    })
  }

  #answerTo(question: DataQuestion): DataAnswer {
    if (this.#foundAt !== this.#tables) this.#found.clear()
    this.#foundAt = this.#tables
    const key = dataKey(question)
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const answer = answerOf(question, find(this.#deps.leader.state, question))
    this.#found.set(key, answer)
    return answer
  }
}

function answerOf(question: DataQuestion, found: DataFound): DataAnswer {
  return { key: dataKey(question), version: checksumOf(Buffer.from(JSON.stringify(found))).slice(0, 16), found }
}

function find(view: StateView, question: DataQuestion): DataFound {
  switch (question.kind) {
    case 'variable': {
      const variable = view.variables.get(variableKey({ Namespace: question.namespace, Path: question.path }))
      return variable === undefined ? { kind: 'absent' } : { kind: 'variable', variable }
    }
    case 'variables': {
      const below = variablesOf(view, question.namespace).filter(({ Path }) => Path.startsWith(question.prefix))
      return { kind: 'variables', variables: below.map(({ Items: _, readers: __, ...metadata }) => metadata) }
    }
    case 'key': {
      const pair = findKey(view, question.namespace, question.path)
      return pair === undefined ? { kind: 'absent' } : { kind: 'keys', pairs: [pair] }
    }
    case 'keys': {
      const prefix = question.prefix === '' ? '' : `${question.prefix}/`
      const pairs = variablesOf(view, question.namespace).flatMap(pairsOf)
      return { kind: 'keys', pairs: pairs.filter(({ path }) => path.startsWith(prefix)).sort((a, b) => compareText(a.path, b.path)) }
    }
    case 'service':
      return { kind: 'service', instances: instancesOf(view, question) }
    case 'services':
      return { kind: 'services', services: servicesOf(view, question.namespace) }
  }
}

function variablesOf(view: StateView, namespace: string): readonly Variable[] {
  return [...view.variables.by('namespace', namespace)].sort((a, b) => compareText(a.Path, b.Path))
}

/** `kv/app` with the member `port` is the key `app/port`; its member `value` is the key `app` itself. */
function pairsOf({ Path, Items, CreateIndex, ModifyIndex, readers }: Variable): readonly DataPair[] {
  if (!Path.startsWith(KEYS)) return []
  const folder = Path.slice(KEYS.length)
  return Object.entries(Items).map(([name, value]) => ({
    path: name === KEY_VALUE ? folder : `${folder}/${name}`,
    value,
    ...(readers === undefined ? {} : { readers }),
    createIndex: CreateIndex,
    modifyIndex: ModifyIndex,
  }))
}

function findKey(view: StateView, namespace: string, path: string): DataPair | undefined {
  const folders = [path, path.split('/').slice(0, -1).join('/')]
  return folders
    .flatMap((folder) => view.variables.get(variableKey({ Namespace: namespace, Path: KEYS + folder })) ?? [])
    .flatMap(pairsOf)
    .find((pair) => pair.path === path)
}

function instancesOf(view: StateView, { namespace, name }: { readonly namespace: string; readonly name: string }) {
  const rows = [...view.services.by('name', namespacedKey(namespace, name))].sort(byAddress)
  return rows.map((registration) => {
    const node = view.nodes.get(registration.NodeID)
    return { registration, nodeName: node?.Name ?? '', nodeAddress: node?.Attributes['unique.network.ip-address'] ?? '' }
  })
}

function byAddress(a: ServiceRegistration, b: ServiceRegistration): number {
  return compareText(a.NodeID, b.NodeID) || compareText(a.ID, b.ID)
}

function servicesOf(view: StateView, namespace: string) {
  const names = new Map<string, Set<string>>()
  for (const { Namespace, ServiceName, Tags } of view.services.all()) {
    if (Namespace !== namespace) continue
    const tags = names.get(ServiceName) ?? new Set<string>()
    names.set(ServiceName, tags)
    for (const tag of Tags ?? []) tags.add(tag)
  }
  return [...names].sort(([a], [b]) => compareText(a, b)).map(([name, tags]) => ({ name, tags: [...tags].sort(compareText) }))
}
