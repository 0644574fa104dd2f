/**
 * Paths to handlers. An id is everything between what stands before and behind it, so ids may hold slashes: the route with
 * the longest beginning, then the longest end, wins (Nomad API docs, "HTTP API").
 */

import type { Parameters } from './parameters.js'
import type { ApiRequest, ApiResponse } from './request.js'

export interface Call {
  readonly request: ApiRequest
  /** What stands in the place of `:id`; empty for a path without one. */
  readonly id: string
  readonly parameters: Parameters
}

/** `readsPast`: it reads the state alone, so that the same can be asked of the state as it was. */
export type Handler = ((call: Call) => Promise<ApiResponse> | ApiResponse) & { readonly readsPast?: true }

/** Talks until it returns; then the socket is closed as normal. @throws ApiError, told as the reason why it is closed */
export type SocketHandler = (call: Call, socket: ApiSocket) => Promise<void>

/** A websocket, of texts only. */
export interface ApiSocket {
  /** What comes, until the other side goes away. What is not taken is not read. */
  readonly incoming: AsyncIterable<string>
  /** Resolves when more may be sent; false: nobody is there any more. */
  send(text: string): Promise<boolean>
  /** Aborted when the other side has gone away. */
  readonly signal: AbortSignal
}

export interface Route {
  /** Such as `/v1/job/:id/allocations`; at most one `:id`. */
  readonly pattern: string
  /** By method; `*` is any method. PUT and POST are told apart only where both are given. */
  readonly methods: Readonly<Record<string, Handler>>
  /** For a client that asks for a websocket. */
  readonly socket?: SocketHandler
  /** Browsers of other origins may ask, with these methods. */
  readonly crossOrigin?: readonly string[]
  /** Does something to what runs: pages of other origins may not ask for it. */
  readonly isAct?: true
  /** What an auditor is told that it does; absent: no news. */
  readonly act?: string
  /** Bodies may hold a whole job. */
  readonly takesJobs?: boolean
}

export interface RouteMatch {
  readonly route: Route
  readonly id: string
}

interface Compiled {
  readonly route: Route
  readonly start: string
  readonly end: string
}

export class Router {
  readonly #fixed = new Map<string, Route>()
  /** By the first part after `/v1/`, so that a path is compared with its own family only. */
  readonly #families = new Map<string, Compiled[]>()

  constructor(routes: readonly Route[]) {
    for (const route of mergeRoutes(routes)) this.#add(route)
    for (const family of this.#families.values()) {
      family.sort((a, b) => b.start.length - a.start.length || b.end.length - a.end.length)
    }
  }

  /** `path` decoded. */
  find(path: string): RouteMatch | undefined {
    const fixed = this.#fixed.get(path)
    if (fixed !== undefined) return { route: fixed, id: '' }
    for (const { route, start, end } of this.#families.get(familyOf(path)) ?? []) {
      if (path.length < start.length + end.length || !path.startsWith(start) || !path.endsWith(end)) continue
      return { route, id: path.slice(start.length, path.length - end.length) }
    }
    return undefined
  }

  #add(route: Route): void {
    const at = route.pattern.indexOf(':id')
    if (at < 0) {
      this.#fixed.set(route.pattern, route)
      return
    }
    const compiled = { route, start: route.pattern.slice(0, at), end: route.pattern.slice(at + ':id'.length) }
    const name = familyOf(compiled.start)
    const family = this.#families.get(name)
    if (family === undefined) this.#families.set(name, [compiled])
    else family.push(compiled)
  }
}

/** Reads and writes of one path stand in different places and are one route. */
function mergeRoutes(routes: readonly Route[]): Iterable<Route> {
  const merged = new Map<string, Route>()
  for (const route of routes) {
    const known = merged.get(route.pattern)
    merged.set(route.pattern, known === undefined ? route : { ...known, ...route, methods: { ...known.methods, ...route.methods } })
  }
  return merged.values()
}

function familyOf(path: string): string {
  const start = path.indexOf('/', 1) + 1
  const end = path.indexOf('/', start)
  return end < 0 ? path.slice(start) : path.slice(start, end)
}
