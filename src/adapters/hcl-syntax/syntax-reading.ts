import type { Mistake } from '../../domain/index.js'
import type { Syntax } from '../../jobspec/index.js'

/** What reading one text gave. */
export type SyntaxReading =
  | { readonly kind: 'syntax'; readonly syntax: Syntax }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
