/**
 * Reads with an index, and waiting for a newer one (Nomad API docs, "HTTP API"). The index that is reported and compared
 * is the object's or the table's; what wakes a waiting request are the rows it read.
 */
import type { Clock, LogIndex, Random } from '../domain/index.js'
import type { StateView } from '../state/index.js'
import { ApiError } from './errors.js'
import type { StateReader, Turns, WatchKey } from './ports.js'
import type { ReadingCache } from './reading-cache.js'
import { type ApiResponse, jsonAnswer } from './request.js'
import type { Call } from './router.js'

/** What one look at the state gives. */
export interface Reading {
  /** `X-Nomad-Index`, and what a blocking query compares. */
  readonly index: LogIndex
  /** The answer leaves when this is durable: covers everything joined into the body. Absent: `index`. */
  readonly covers?: LogIndex
  readonly watch: readonly WatchKey[]
  readonly body: Uint8Array | string | ApiError
  readonly nextToken?: string | undefined
  /** It was put together from rows of the state and from nothing else: asked again before any has changed, it is the same. */
  readonly isOfStateOnly?: true
}

export type Query = (view: StateView, call: Call) => Reading

export interface ReadDeps {
  readonly reader: StateReader
  readonly clock: Clock
  readonly random: Random
  readonly turns: Turns
  readonly readings: ReadingCache<Reading>
}

const JITTER_SHARE = 1 / 16

export async function answerRead(deps: ReadDeps, call: Call, query: Query): Promise<ApiResponse> {
  const { index, waitMs } = call.parameters.blocking
  // Malformed is told; any server that answers at all is the leader and never stale.
  void call.parameters.isStale
  const read = () => deps.reader.read((view) => look(deps.readings, view, query, call))
  let seen = await read()
  if (index > 0 && seen.reading.index <= index) seen = await readNewer(deps, call, { index, waitMs }, seen, read)
  const { reading } = seen
  const headers = contactHeaders(deps.reader, reading.index)
  if (reading.nextToken !== undefined) headers['X-Nomad-NextToken'] = reading.nextToken
  if (reading.body instanceof ApiError) throw reading.body.with(headers)
  const answer = jsonAnswer(reading.body, headers)
  return index === 0 && reading.isOfStateOnly === true ? { ...answer, sameAt: seen.viewIndex } : answer
}

interface Seen {
  /** Of everything in the answer. */
  readonly index: LogIndex
  /** The turn of the look. */
  readonly viewIndex: LogIndex
  readonly reading: Reading
}

function look(readings: ReadingCache<Reading>, view: StateView, query: Query, call: Call): Seen {
  const known = readings.find(view.index, call.request)
  const reading = known ?? query(view, call)
  if (known === undefined) readings.keep(call.request, reading)
  return { index: Math.max(reading.index, reading.covers ?? 0), viewIndex: view.index, reading }
}

async function readNewer(
  { reader, clock, random, turns }: ReadDeps,
  call: Call,
  { index, waitMs }: { readonly index: LogIndex; readonly waitMs: number },
  first: Seen,
  read: () => Promise<Seen>,
): Promise<Seen> {
  const ending = new AbortController()
  const end = () => ending.abort()
  const cancel = clock.after(waitMs * (1 + random.fraction() * JITTER_SHARE), end)
  call.request.signal.addEventListener('abort', end)
  try {
    let seen = first
    while (seen.reading.index <= index && !ending.signal.aborted) {
      await reader.changed(seen.reading.watch, seen.viewIndex, ending.signal)
      await turns.pass()
      seen = await read()
    }
    return seen
  } finally {
    cancel()
    call.request.signal.removeEventListener('abort', end)
  }
}

/** The Go client reads them in this order and stops at the first one missing. */
export function contactHeaders(reader: StateReader, index: LogIndex): Record<string, string> {
  return {
    'X-Nomad-Index': String(index),
    'X-Nomad-LastContact': String(reader.lastContactMs),
    'X-Nomad-KnownLeader': String(reader.isLeader),
  }
}
