/** Why a row cannot take one more; `isFiltered` when it is not for want of room. */
export interface Refusal {
  readonly reason: string
  readonly isFiltered: boolean
}
