/** The one door: a template's text and what it may ask, to text, to the list of what is missing, or to what is wrong with it. */
import { Budget, TEMPLATE_LIMITS, type TemplateLimits } from './budget.js'
import { type Bytes, fromText } from './bytes.js'
import { executeTemplate } from './execute.js'
import { TemplateFailure } from './failure.js'
import type { CallContext } from './functions/signature.js'
import { findFunction } from './functions/table.js'
import type { ParsedTemplate } from './nodes.js'
import { parseTemplate } from './parse.js'
import { type Found, type Query, queryKey } from './queries.js'
import type { Value } from './values.js'

/** What a template is rendered with. All of it is data: the same answers give the same text. */
export interface TemplateWorld {
  /** `undefined` when the variable is not set. */
  environment(name: string): string | undefined
  find(query: Query): Found<Value>
  readonly nowMs: number
  /** The same bytes for the same template, so that rendering again changes nothing by itself. */
  random(size: number): Uint8Array
}

export interface TemplateSource {
  readonly text: Bytes
  /** `{{` and `}}` when absent. */
  readonly left?: string
  readonly right?: string
  readonly failsOnMissingKey?: boolean
}

export type Rendering =
  /** `isSecret`: it was made of something that was encrypted. */
  | { readonly kind: 'text'; readonly text: Bytes; readonly asked: readonly Query[]; readonly isSecret: boolean }
  /** Nothing is rendered until all of these are there. */
  | { readonly kind: 'missing'; readonly missing: readonly Query[]; readonly asked: readonly Query[] }
  /** `column` counts bytes from 0; `undefined` for what is no template at all. */
  | { readonly kind: 'failure'; readonly message: string; readonly line: number; readonly column: number | undefined }

/** Messages quote what they are about. */
const SECRET_FAILURE = 'what went wrong is not told, since the template has read an encrypted value'

/** Never throws on account of the template. */
export function renderTemplate(source: TemplateSource, world: TemplateWorld, limits: TemplateLimits = TEMPLATE_LIMITS): Rendering {
  const asked = new Map<string, Query>()
  const missing = new Map<string, Query>()
  let isSecret = false
  const noteSecret = (found: Found<Value>): Found<Value> => {
    isSecret ||= found.kind === 'value' && found.isSecret === true
    return found
  }
  try {
    const budget = new Budget(limits)
    const context = contextOf({ ...world, find: (query) => noteSecret(world.find(query)) }, budget, asked, missing)
    const failsOnMissingKey = source.failsOnMissingKey ?? false
    const text = executeTemplate({ template: parse(source), functions: findFunction, context, budget, failsOnMissingKey })
    return outcome(asked, missing) ?? { kind: 'text', text, asked: [...asked.values()], isSecret }
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error
    const message = isSecret ? SECRET_FAILURE : error.message
    return outcome(asked, missing) ?? { kind: 'failure', message, line: error.line, column: error.column }
  }
}

/** What failed on account of an empty answer may succeed once there is another: missing data is told first. */
function outcome(asked: ReadonlyMap<string, Query>, missing: ReadonlyMap<string, Query>): Rendering | undefined {
  return missing.size === 0 ? undefined : { kind: 'missing', missing: [...missing.values()], asked: [...asked.values()] }
}

function parse({ text, left, right }: TemplateSource): ParsedTemplate {
  const delimiters = { left: fromText(left || '{{'), right: fromText(right || '}}') }
  return parseTemplate(text, delimiters, (name) => findFunction(name) !== undefined)
}

function contextOf(
  world: TemplateWorld,
  budget: Budget,
  asked: Map<string, Query>,
  missing: Map<string, Query>,
): Omit<CallContext, 'execute'> {
  const note = (query: Query): void => {
    missing.set(queryKey(query), query)
  }
  const find = (query: Query, mustExist: boolean): Value | undefined => {
    asked.set(queryKey(query), query)
    const found = world.find(query)
    if (found.kind === 'value') return found.value
    if (found.kind === 'unknown' || mustExist) note(query)
    return undefined
  }
  return {
    produce: (bytes) => budget.make(bytes),
    environment: (name) => {
      const value = world.environment(name)
      return value === undefined ? undefined : fromText(value)
    },
    nowMs: world.nowMs,
    find: (query) => find(query, false),
    require: (query) => find(query, true),
    note,
    random: (size) => world.random(size),
    scratch: new Map(),
  }
}
