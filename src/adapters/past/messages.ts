/** What a server and the process that answers from the past tell each other. */
import type { ApiSettings } from '../../api/index.js'

export type ToPast =
  | { readonly kind: 'begin'; readonly settings: ApiSettings }
  | { readonly kind: 'ask'; readonly number: number; readonly at: string; readonly request: PastQuestion }

export interface PastQuestion {
  readonly method: string
  readonly path: string
  readonly query: string
  /** UTF-8. */
  readonly body: string
}

export interface FromPast {
  readonly number: number
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** UTF-8. */
  readonly body: string
}
