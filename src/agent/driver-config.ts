/**
 * Driver configuration on the host: every text in it is a template whose names are the task's environment and the node.
 * References are resolved here; operators and functions go to the expression engine that the agent is given. Unknown names
 * are errors, unlike in environment values. Source: Nomad docs, "Interpolation", and its recorded answers.
 */
import type { TaskEnvironment } from './environment.js'

export type ConfigValue = { readonly kind: 'value'; readonly value: unknown } | ConfigProblem
export interface ConfigProblem {
  readonly kind: 'problem'
  readonly summary: string
  readonly detail: string
}

/** Names to values; dotted names are nested objects, `env` is one flat map. */
export type ConfigScope = Readonly<Record<string, unknown>>

/** Evaluates a whole template of HCL over a scope. */
export type TemplateEngine = (template: string, scope: ConfigScope) => ConfigValue

export function configScope({ variables, nodeValues }: TaskEnvironment): ConfigScope {
  const scope: Branch = {}
  for (const [name, value] of Object.entries(nodeValues)) {
    nest(scope, name, value)
    if (!name.startsWith('node.')) nest(scope, `node.${name}`, value)
  }
  for (const [name, value] of Object.entries(variables)) nest(scope, name, value)
  // Last, so that a variable named `env.x` cannot hide it.
  return { ...scope, env: new Map(Object.entries(variables)) }
}

interface Branch {
  [name: string]: string | Branch
}

/** Of `a` and `a.b` the longer one is reached, and `a..b` is not at all; the flat `env` has them all. */
function nest(scope: Branch, dotted: string, value: string): void {
  const parts = dotted.split('.')
  if (parts.includes('')) return
  const last = parts.pop()!
  let at = scope
  for (const part of parts) {
    const known = Object.hasOwn(at, part) ? at[part] : undefined
    at = typeof known === 'object' ? known : put(at, part, {})
  }
  if (!Object.hasOwn(at, last)) put(at, last, value)
}

/** Also where the name is that of a setter of all objects. */
function put<Value extends string | Branch>(branch: Branch, name: string, value: Value): Value {
  Object.defineProperty(branch, name, { value, enumerable: true, writable: true, configurable: true })
  return value
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

/** What is only references is filled in here; everything else, mistakes too, is the engine's. */
function evaluateText(text: string, scope: ConfigScope, engine: TemplateEngine): ConfigValue {
  if (!text.includes('${') && !text.includes('%{')) return { kind: 'value', value: text }
  let isPlain = true
  const filled = text.replace(TEMPLATE_PART, (match, inner: string | undefined) => {
    if (match === '$${') return '${'
    if (match === '%%{') return '%{'
    const reference = inner === undefined ? null : REFERENCE.exec(inner)
    const value = reference === null ? undefined : resolve(scope, reference[1]!, reference[2]!)
    isPlain &&= value !== undefined
    return value ?? ''
  })
  return isPlain ? { kind: 'value', value: filled } : engine(text, scope)
}

const KEYWORDS = new Set(['true', 'false', 'null'])

function resolve(scope: ConfigScope, root: string, path: string): string | undefined {
  if (KEYWORDS.has(root) || !Object.hasOwn(scope, root)) return undefined
  let value: unknown = scope[root]
  for (const [, attribute, key] of path.matchAll(/\.([\w-]+)|\["([^"]*)"\]/g)) {
    const name = attribute ?? key!
    if (value instanceof Map) value = value.get(name)
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
      value = (value as Readonly<Record<string, unknown>>)[name]
    else return undefined
  }
  return typeof value === 'string' ? value : undefined
}

/** For hosts without an expression engine: whatever is more than a reference is refused. */
export const refuseExpressions: TemplateEngine = (template) => ({
  kind: 'problem',
  summary: 'Unsupported expression',
  detail: `Only references are evaluated here, not ${JSON.stringify(template)}.`,
})
