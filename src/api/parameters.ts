/** Query parameters, read as strictly or leniently as Nomad does (Nomad API docs, "HTTP API"). */
import { MILLISECOND, NAMESPACE_DEFAULT, readDuration } from '../domain/index.js'
import { badRequest, requestFailed } from './errors.js'

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

export const NAMESPACE_ALL = '*'
const WAIT_MS_MAX = 300_000

export class Parameters {
  readonly #values: URLSearchParams | undefined

  constructor(query: string) {
    this.#values = query === '' ? undefined : new URLSearchParams(query)
  }

  /** The first value; `''` when it is there without one, `undefined` when it is absent. */
  get(name: string): string | undefined {
    return this.#values?.get(name) ?? undefined
  }

  all(name: string): readonly string[] {
    return this.#values?.getAll(name) ?? []
  }

  text(name: string): string {
    return this.get(name) ?? ''
  }

  /** Absent or empty is `default`. */
  get namespace(): string {
    return this.text('namespace') || NAMESPACE_DEFAULT
  }

  /** @throws ApiError REQUEST_FAILED, as Nomad answers a malformed one on most routes */
  boolean(name: string, otherwise = false): boolean {
    return this.#boolean(name, otherwise, (text, reason) =>
      requestFailed(`Failed to parse value of "${name}" (${text}) as a bool: ${reason}`),
    )
  }

  /** @throws ApiError BAD_REQUEST with a text that starts with `prefix` */
  strictBoolean(name: string, prefix: string, otherwise = false): boolean {
    return this.#boolean(name, otherwise, (_, reason) => badRequest(`${prefix}: ${reason}`))
  }

  /** Malformed counts as absent. */
  lenientBoolean(name: string): boolean {
    return TRUE.has(this.text(name))
  }

  #boolean(name: string, otherwise: boolean, refuse: (text: string, reason: string) => Error): boolean {
    const text = this.get(name)
    if (text === undefined || text === '') return otherwise
    if (TRUE.has(text)) return true
    if (FALSE.has(text)) return false
    throw refuse(text, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  }

  /** `undefined` when absent or empty. @throws ApiError BAD_REQUEST */
  integer(name: string, describe: (reason: string) => string): number | undefined {
    const text = this.text(name)
    if (text === '') return undefined
    if (!/^[+-]?\d+$/.test(text)) throw badRequest(describe(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`))
    return Number(text)
  }

  /** Page size; 0 is everything. @throws ApiError BAD_REQUEST */
  get perPage(): number {
    return this.integer('per_page', () => 'Expect a number for `per_page` query string parameter') ?? 0
  }

  /** What a blocking query waits for. @throws ApiError BAD_REQUEST */
  get blocking(): { readonly index: number; readonly waitMs: number } {
    if (this.#values === undefined) return NOT_BLOCKING
    const indexText = this.text('index')
    if (indexText !== '' && !/^\d+$/.test(indexText)) throw badRequest('Invalid index')
    const waitText = this.text('wait')
    const wait = readDuration(waitText === '' ? '0' : waitText)
    if (wait.kind === 'invalid') throw badRequest('Invalid wait time')
    const waitMs = wait.nanoseconds / MILLISECOND
    return { index: Number(indexText), waitMs: waitMs <= 0 ? WAIT_MS_MAX : Math.min(waitMs, WAIT_MS_MAX) }
  }

  /** @throws ApiError BAD_REQUEST */
  get isStale(): boolean {
    const text = this.get('stale')
    if (text === undefined) return false
    if (text === '' || TRUE.has(text)) return true
    if (FALSE.has(text)) return false
    throw badRequest('Expect `true` or `false` for `stale` query string parameter')
  }

  /** The same without `index`, for reads that never block. */
  withoutIndex(): Parameters {
    if (this.#values === undefined || !this.#values.has('index')) return this
    const values = new URLSearchParams(this.#values)
    values.delete('index')
    return new Parameters(values.toString())
  }

  get isPretty(): boolean {
    const text = this.get('pretty')
    return text !== undefined && text !== '0'
  }
}

const NOT_BLOCKING = Object.freeze({ index: 0, waitMs: WAIT_MS_MAX })
