/** What a filter expression says, once read. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'match'; readonly selector: Selector; readonly operator: MatchOperator; readonly value: string }
  | {
      readonly kind: 'any' | 'all'
      readonly selector: Selector
      /** One name: the element of a list, the key of a map. Two: index and element, key and value. */
      readonly names: readonly string[]
      readonly of: Expression
    }

export type MatchOperator =
  | 'equal'
  | 'not equal'
  | 'in'
  | 'not in'
  | 'matches'
  | 'not matches'
  | 'is empty'
  | 'is not empty'
  | 'is nil'
  | 'is not nil'

export interface Selector {
  readonly parts: readonly string[]
  /** As written, for messages. */
  readonly text: string
}

/** `position` counts characters from 0. */
export class FilterSyntaxError extends Error {
  constructor(text: string, position: number, detail: string) {
    const before = text.slice(0, position)
    const line = before.split('\n').length
    const column = position - (before.lastIndexOf('\n') + 1) + 1
    super(`${line}:${column} (${position}): ${detail}`)
  }
}
