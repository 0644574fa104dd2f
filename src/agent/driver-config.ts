/**
 * Driver configuration on the host: every text in it is a template whose names are the task's environment and the node.
 * References are resolved here; operators and functions go to the expression engine that the agent is given. Unknown names
 * are errors, unlike in environment values. Source: Nomad docs, "Interpolation", and its recorded answers.
 */
import type { TaskEnvironment, Variables } from './environment.js'

export type ConfigValue = { readonly kind: 'value'; readonly value: unknown } | ConfigProblem
export interface ConfigProblem {
  readonly kind: 'problem'
  readonly summary: string
  readonly detail: string
}

/** Names to values; dotted names are nested objects, `env` is flat. */
export type ConfigScope = Readonly<Record<string, unknown>>

/** Evaluates a whole template of HCL over a scope. */
export type TemplateEngine = (template: string, scope: ConfigScope) => ConfigValue

export function configScope({ variables, nodeValues }: TaskEnvironment): ConfigScope {
  const scope: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(variables)) nest(scope, name, value)
  for (const [name, value] of Object.entries(nodeValues)) {
    nest(scope, name, value)
    if (!name.startsWith('node.')) nest(scope, `node.${name}`, value)
  }
  // Last, so that a variable named `env.x` cannot hide it.
  scope['env'] = flatten(variables)
  return scope
}

function flatten(variables: Variables): Variables {
  return Object.assign(Object.create(null), variables)
}

function nest(scope: Record<string, unknown>, dotted: string, value: string): void {
  const parts = dotted.split('.')
  const last = parts.pop()!
  let at = scope
  for (const part of parts) {
    // A name that is a value already has no members: `a` and `a.b` cannot both be; the flat `env` has both.
    if (typeof at[part] === 'string') return
    at[part] ??= {}
    at = at[part] as Record<string, unknown>
  }
  at[last] ??= value
}

/** Fills in every text of `config`, at any depth. The first problem ends it. */
export function evaluateConfig(config: unknown, scope: ConfigScope, engine: TemplateEngine): ConfigValue {
  if (typeof config === 'string') return evaluateText(config, scope, engine)
  if (Array.isArray(config)) return evaluateAll(Object.entries(config), scope, engine, (pairs) => pairs.map(([, value]) => value))
  if (typeof config === 'object' && config !== null) return evaluateAll(Object.entries(config), scope, engine, Object.fromEntries)
  return { kind: 'value', value: config }
}

function evaluateAll(
  entries: readonly (readonly [string, unknown])[],
  scope: ConfigScope,
  engine: TemplateEngine,
  build: (pairs: readonly (readonly [string, unknown])[]) => unknown,
): ConfigValue {
  const pairs: (readonly [string, unknown])[] = []
  for (const [name, item] of entries) {
    const result = evaluateConfig(item, scope, engine)
    if (result.kind === 'problem') return result
    pairs.push([name, result.value])
  }
  return { kind: 'value', value: build(pairs) }
}

/** `${name.name["key"]}` and nothing else inside the braces. */
const REFERENCE = /^\s*([A-Za-z_][\w-]*)((?:\.[A-Za-z_0-9][\w-]*|\["[^"\\$%]*"\])*)\s*$/
const TEMPLATE_PART = /\$\$\{|%%\{|\$\{([^{}]*)\}|\$\{|%\{/g

function evaluateText(text: string, scope: ConfigScope, engine: TemplateEngine): ConfigValue {
  if (!text.includes('${') && !text.includes('%{')) return { kind: 'value', value: text }
  let isPlain = true
  let problem: ConfigProblem | undefined
  const filled = text.replace(TEMPLATE_PART, (match, inner: string | undefined) => {
    if (match === '$${') return '${'
    if (match === '%%{') return '%{'
    const reference = inner === undefined ? null : REFERENCE.exec(inner)
    const value = reference === null ? undefined : resolve(scope, reference[1]!, reference[2]!)
    if (value === undefined || (value.kind === 'value' && typeof value.value !== 'string')) isPlain = false
    else if (value.kind === 'problem') problem ??= value
    return value?.kind === 'value' ? String(value.value) : ''
  })
  if (!isPlain) return engine(text, scope)
  return problem ?? { kind: 'value', value: filled }
}

const KEYWORDS = new Set(['true', 'false', 'null'])

function resolve(scope: ConfigScope, root: string, path: string): ConfigValue | undefined {
  if (KEYWORDS.has(root)) return undefined
  if (!Object.hasOwn(scope, root)) return { kind: 'problem', summary: 'Unknown variable', detail: `There is no variable named "${root}".` }
  let value: unknown = scope[root]
  for (const [step, attribute, key] of path.matchAll(/\.([\w-]+)|\["([^"]*)"\]/g)) {
    const name = attribute ?? key!
    const isObject = typeof value === 'object' && value !== null
    if (!isObject || !Object.hasOwn(value as object, name)) return missing(step, name)
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return { kind: 'value', value }
}

function missing(step: string, name: string): ConfigProblem {
  return step.startsWith('.')
    ? { kind: 'problem', summary: 'Unsupported attribute', detail: `This object does not have an attribute named "${name}".` }
    : { kind: 'problem', summary: 'Invalid index', detail: 'The given key does not identify an element in this collection value.' }
}

/** For hosts without an expression engine: whatever is more than a reference is refused. */
export const refuseExpressions: TemplateEngine = (template) => ({
  kind: 'problem',
  summary: 'Unsupported expression',
  detail: `Only references are evaluated here, not ${JSON.stringify(template)}.`,
})
