/** The jobspec engine: text's syntax to Job, and what jobs are compared and checked by. */
export { type Limits, LIMITS } from './limits.js'
export { formatMistake, type Mistake } from './mistakes.js'
export type { HclSyntax, JsonNode, JsonSyntax, Syntax, YamlSyntax } from './syntax.js'
