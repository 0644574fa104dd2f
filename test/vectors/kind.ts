/** A kind of vectors: how files of one format are read and each of their cases is tried against the real functions. */
import type { Mismatch } from './compare.js'

export interface CaseResult {
  readonly name: string
  readonly mismatches: readonly Mismatch[]
}

export interface VectorKind {
  /** Path of the project's own file below `test/vectors/data`, without `.json`. */
  readonly kind: string
  /** `content` is the parsed file; yields one result per case, in order. */
  run(content: unknown, path: string): Iterable<CaseResult> | AsyncIterable<CaseResult>
}
