/** What differs from the repository, and what will become of it. */

export type DriftSubject =
  | { readonly kind: 'job'; readonly namespace: string; readonly jobId: string }
  | { readonly kind: 'host'; readonly nodeId: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'source'; readonly id: string }

export const DRIFT_POLICIES = ['healed', 'waits', 'left'] as const

export const DRIFT_OWNERS = ['git', 'scaler', 'operator'] as const

export interface Drift {
  readonly subject: DriftSubject
  /** Such as `TaskGroups[web].Count`; empty: the whole of it. */
  readonly field: string
  /** What the repository says; null: that it is not there, or nothing. */
  readonly wanted: string | null
  readonly actual: string | null
  /** Who decides the field: the repository alone, a scaler within the bounds of the file, or an operator until the file says something new. */
  readonly owner: (typeof DRIFT_OWNERS)[number]
  /** Who or what made it differ. */
  readonly actor: string
  /** Null: nobody wrote that down. */
  readonly sinceMs: number | null
  /** `healed`: as soon as it can be; `waits`: for what `next` says; `left`: until somebody changes the repository or acts. */
  readonly policy: (typeof DRIFT_POLICIES)[number]
  readonly next: string
}
