/** `/v1/event/stream`: what happens, line by line (Nomad API docs, "HTTP API"). */
import type { Clock } from '../../domain/index.js'
import type { StateEvents } from '../../state/index.js'
import { encodeText } from '../encode.js'
import { badRequest } from '../errors.js'
import { type ApiEvent, computeEvents } from '../events.js'
import { NAMESPACE_ALL } from '../parameters.js'
import type { StateReader, Turns } from '../ports.js'
import type { ApiResponse } from '../request.js'
import type { Call, Route } from '../router.js'

export interface EventDeps {
  readonly reader: StateReader
  readonly clock: Clock
  readonly turns: Turns
}

const HEARTBEAT_MS = 30_000
const CLOSED = 'subscription closed by server, client should resubscribe'

export function eventRoutes(deps: EventDeps): readonly Route[] {
  return [{ pattern: '/v1/event/stream', methods: { GET: (call) => streamEvents(deps, call) } }]
}

function streamEvents(deps: EventDeps, call: Call): ApiResponse {
  const indexText = call.parameters.text('index')
  if (indexText !== '' && !/^\d+$/.test(indexText)) {
    throw badRequest(`Unable to parse index: strconv.Atoi: parsing ${JSON.stringify(indexText)}: invalid syntax`)
  }
  const wanted = readTopics(call)
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' }
  return { status: 200, headers, body: writeLines(deps, call, Number(indexText), wanted) }
}

/** `Topic`, `Topic:key`, `*`; given several times, any of them. A key matches an object's own and those it belongs to. */
function readTopics(call: Call): Wanted {
  const topics = call.parameters.all('topic').map((text) => {
    const [topic = '', key = '*', ...more] = text.split(':')
    if (more.length > 0) throw badRequest(`Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: ${text}`)
    return { topic, key }
  })
  const { namespace } = call.parameters
  const isHere = (event: ApiEvent) => event.Namespace === '' || namespace === NAMESPACE_ALL || event.Namespace === namespace
  const matches =
    (event: ApiEvent) =>
    ({ topic, key }: { topic: string; key: string }) =>
      (topic === '*' || topic === event.Topic) && (key === '*' || key === event.Key || event.FilterKeys?.includes(key) === true)
  return {
    name: JSON.stringify([namespace, topics]),
    isWanted: (event) => isHere(event) && (topics.length === 0 || topics.some(matches(event))),
  }
}

interface Wanted {
  /** The same for all who want the same. */
  readonly name: string
  readonly isWanted: (event: ApiEvent) => boolean
}

/** An empty object at once, and then whenever nothing else was said for a while. */
async function* writeLines(
  { reader, clock, turns }: EventDeps,
  call: Call,
  fromIndex: number,
  wanted: Wanted,
): AsyncIterable<Uint8Array | string> {
  const { signal } = call.request
  yield '{}\n'
  const batches = reader.events(fromIndex, signal)[Symbol.asyncIterator]()
  let next = batches.next()
  while (!signal.aborted) {
    const batch = await withinHeartbeat(clock, next)
    if (batch === undefined) {
      yield '{}\n'
      continue
    }
    if (batch.done === true) break
    next = batches.next()
    await turns.pass()
    for (const each of batch.value) {
      const line = formatBatch(each, wanted)
      if (line !== undefined) yield line
    }
  }
  if (!signal.aborted) yield CLOSED
}

/** `undefined` when the heartbeat is due first. */
function withinHeartbeat<Value>(clock: Clock, next: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(HEARTBEAT_MS, () => resolve(undefined))
    next.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

/** Followers mostly ask for the same, so what one Command is told as is kept as long as the Command. */
const formatted = new WeakMap<StateEvents, Map<string, Uint8Array | undefined>>()
const FORMS_KEPT = 8

/** A line, or nothing. */
function formatBatch(batch: StateEvents, { name, isWanted }: Wanted): Uint8Array | undefined {
  const forms = formatted.get(batch) ?? new Map<string, Uint8Array | undefined>()
  if (forms.has(name)) return forms.get(name)
  const Events = computeEvents(batch).filter(isWanted)
  const line = Events.length === 0 ? undefined : encodeText(`${JSON.stringify({ Index: batch.index, Events })}\n`)
  if (forms.size < FORMS_KEPT) formatted.set(batch, forms.set(name, line))
  return line
}
