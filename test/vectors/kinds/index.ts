/** Every kind of vectors that the project runs, in the order of `npm run vectors` without arguments. */
import type { VectorKind } from '../kind.js'

export const KINDS: readonly VectorKind[] = []
