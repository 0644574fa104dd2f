import type { Expression } from '../syntax.js'

/** The name that a key of an object is, when it is a bare word or a plain quoted text. */
export function literalName(key: Expression): string | undefined {
  if (key.kind === 'traversal') return key.steps.length === 0 ? key.root : undefined
  if (key.kind === 'bool') return String(key.value)
  if (key.kind === 'null') return 'null'
  if (key.kind !== 'template' || key.parts.length > 1) return undefined
  const [part] = key.parts
  if (part === undefined) return ''
  return part.kind === 'string' ? part.value : undefined
}
