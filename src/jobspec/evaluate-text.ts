/** A single expression or template, outside of any job: for consoles, tests and the second reading of driver configuration. */

import { evaluate } from './hcl/evaluate.js'
import { Evaluation, type FileTree, type Scope } from './hcl/evaluation.js'
import { toJsonText } from './hcl/functions/json.js'
import { readExpressionText } from './hcl/scan.js'
import { LIMITS } from './limits.js'
import type { Fault } from './mistakes.js'

export type TextEvaluation =
  /** `json` is what `jsonencode` prints. */
  { readonly kind: 'value'; readonly json: string } | { readonly kind: 'faults'; readonly faults: readonly Fault[] }

export function evaluateText(text: string, tree: FileTree): TextEvaluation {
  const source = { path: '<expression>', text }
  const read = readExpressionText(source.path, text, LIMITS)
  if (read.kind === 'fault') return { kind: 'faults', faults: [read.fault] }
  const evaluation = new Evaluation(LIMITS, { tree, texts: new Map(), folder: '' })
  const scope: Scope = { source, names: new Map(), parent: undefined }
  const value = evaluate(evaluation, scope, read.value)
  evaluation.walk(value, source, read.value)
  return evaluation.faults.length > 0 ? { kind: 'faults', faults: evaluation.faults } : { kind: 'value', json: toJsonText(value) }
}
