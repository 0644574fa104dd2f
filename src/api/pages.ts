/** One page of a list: filter, then start at a token, then count (Nomad API docs, "HTTP API"). */
import { compareText, namespacedKey } from '../domain/index.js'
import { badRequest, requestFailed } from './errors.js'
import { createFilter, FilterSyntaxError, FilterValueError } from './filter/filter.js'
import type { Filterable } from './filter/structs.js'
import type { Parameters } from './parameters.js'

/** How a list is ordered, and the tokens that name places in it. */
export interface Order<Row> {
  readonly compare: (a: Row, b: Row) => number
  readonly token: (row: Row) => string
  /** Negative: the row stands before the place that the token names, ascending. */
  readonly compareToken: (row: Row, token: string) => number
  readonly isReversible: boolean
  /** Newest first unless reversed. */
  readonly isDescending?: boolean
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly nextToken: string | undefined
}

export interface PageRequest<Row extends object> {
  readonly order: Order<Row>
  readonly filterable: Filterable
  /** What the filter sees of a row, where it is more than the row. */
  readonly filterView?: (row: Row) => object
  /** Filters that are wrong for a row are answered 500 instead of 400 (`/v1/jobs/statuses`). */
  readonly isFilterFailure?: boolean
}

/** @throws ApiError for a bad page size or filter */
export function computePage<Row extends object>(rows: readonly Row[], parameters: Parameters, request: PageRequest<Row>): Page<Row> {
  const { order } = request
  const fits = readFilter(parameters.text('filter'), request)
  const perPage = parameters.perPage
  const token = parameters.text('next_token')
  const isDescending = order.isDescending === true
  const isAskedBackwards = parameters.lenientBoolean('reverse')
  const isBackwards = (order.isReversible && isAskedBackwards) !== isDescending
  const sorted = [...rows].sort(isBackwards ? (a, b) => order.compare(b, a) : order.compare)
  // A list that cannot be turned round still looks for its token the other way, as in Nomad.
  const isTokenBackwards = isAskedBackwards !== isDescending
  const isStart = (row: Row) => {
    const place = order.compareToken(row, token)
    return isTokenBackwards ? place <= 0 : place >= 0
  }
  const start = token === '' ? 0 : sorted.findIndex(isStart)
  const page: Row[] = []
  for (const row of start < 0 ? [] : sorted.slice(start)) {
    if (!fits(row)) continue
    if (perPage !== 0 && page.length >= perPage) return { rows: page, nextToken: perPage < -1 ? undefined : order.token(row) }
    page.push(row)
  }
  return { rows: page, nextToken: undefined }
}

function readFilter<Row extends object>(
  text: string,
  { filterable, filterView, isFilterFailure }: PageRequest<Row>,
): (row: Row) => boolean {
  if (text === '') return () => true
  const refuse = isFilterFailure === true ? requestFailed : badRequest
  try {
    const fits = createFilter(text, filterable)
    return (row) => {
      try {
        return fits(filterView === undefined ? row : filterView(row))
      } catch (error) {
        if (!(error instanceof FilterValueError)) throw error
        throw refuse(`failed to read result page: ${error.message}`, error)
      }
    }
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) throw error
    throw refuse(`failed to create result paginator: failed to read filter expression: ${error.message}`, error)
  }
}

/** Namespace, then id; tokens `<namespace>.<id>`. */
export function byName<Row extends { readonly Namespace: string }>(idOf: (row: Row) => string, isReversible: boolean): Order<Row> {
  const key = (row: Row) => namespacedKey(row.Namespace, idOf(row))
  return {
    compare: (a, b) => compareText(key(a), key(b)),
    token: (row) => `${row.Namespace}.${idOf(row)}`,
    compareToken: (row, token) => {
      const dot = token.indexOf('.')
      return compareText(key(row), dot < 0 ? namespacedKey(token, '') : namespacedKey(token.slice(0, dot), token.slice(dot + 1)))
    },
    isReversible,
  }
}

/** Creation, then id; tokens `<create index>.<id>`. A token of another form is compared as text. */
export function byCreation<Row extends { readonly ID: string; readonly CreateIndex: number }>(): Order<Row> {
  const token = (row: Row) => `${row.CreateIndex}.${row.ID}`
  return {
    compare: (a, b) => a.CreateIndex - b.CreateIndex || compareText(a.ID, b.ID),
    token,
    compareToken: (row, text) => {
      const parts = /^(\d+)(?:\.(.*))?$/s.exec(text)
      if (parts === null) return compareText(token(row), text)
      return row.CreateIndex - Number(parts[1]) || compareText(row.ID, parts[2] ?? '')
    },
    isReversible: true,
  }
}

/** Id alone. */
export function byId<Row>(idOf: (row: Row) => string, isReversible: boolean): Order<Row> {
  return {
    compare: (a, b) => compareText(idOf(a), idOf(b)),
    token: idOf,
    compareToken: (row, token) => compareText(idOf(row), token),
    isReversible,
  }
}

/** Newest change first; tokens `<modify index>`, a malformed one being 0. */
export function byChange<Row extends { readonly Namespace: string; readonly ID: string; readonly ModifyIndex: number }>(): Order<Row> {
  return {
    compare: (a, b) => a.ModifyIndex - b.ModifyIndex || compareText(namespacedKey(a.Namespace, a.ID), namespacedKey(b.Namespace, b.ID)),
    token: (row) => String(row.ModifyIndex),
    compareToken: (row, token) => row.ModifyIndex - (/^\d+$/.test(token) ? Number(token) : 0),
    isReversible: true,
    isDescending: true,
  }
}
