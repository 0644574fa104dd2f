/** How functions of templates are declared: the Go types of their parameters, and what they may ask of the world around them. */
import type { Bytes } from '../bytes.js'
import { refuse } from '../failure.js'
import type { Query } from '../queries.js'
import { ANY, type GoType, type Value } from '../values.js'

/** What functions may use beyond their arguments. */
export interface CallContext {
  /** Charges `bytes` that are about to be made, before they are. @throws when the budget is spent */
  produce(bytes: number): void
  environment(name: Bytes): Bytes | undefined
  /** Milliseconds since 1970, of the moment of rendering. */
  readonly nowMs: number
  /** The value, or `undefined`: then the query is noted as missing. */
  require(query: Query): Value | undefined
  /** As `require`, but what is known not to be there is not missing. */
  find(query: Query): Value | undefined
  /** Notes a query as missing although it was answered. */
  note(query: Query): void
  /** Bytes that nobody can guess; the same ones each time the same template of the same allocation is rendered. */
  random(size: number): Uint8Array
  /** Renders a defined template. @throws FunctionRefusal when there is none of that name */
  execute(name: Bytes, dot: Value): Bytes
  /** One pad per rendering. */
  readonly scratch: Map<Bytes, Value>
}

export interface TemplateFunction {
  readonly parameters: readonly GoType[]
  /** The last parameter takes any number of values of its type. */
  readonly isVariadic?: boolean
  run(args: readonly Value[], context: CallContext): Value
}

export type FunctionTable = Readonly<Record<string, TemplateFunction>>

export function fixed(parameters: readonly GoType[], run: TemplateFunction['run']): TemplateFunction {
  return { parameters, run }
}

export function variadic(parameters: readonly GoType[], run: TemplateFunction['run']): TemplateFunction {
  return { parameters, isVariadic: true, run }
}

/** All `count` parameters of one type. */
export function ofType(type: GoType, count: number, run: TemplateFunction['run']): TemplateFunction {
  return { parameters: Array.from({ length: count }, () => type), run }
}

export function anyArguments(count: number, run: TemplateFunction['run']): TemplateFunction {
  return ofType(ANY, count, run)
}

export function bytesOf(value: Value | undefined): Bytes {
  return value?.kind === 'string' ? value.value : refuse('a string is expected')
}

export function integerOf(value: Value | undefined): bigint {
  return value?.kind === 'int' || value?.kind === 'uint' ? value.value : refuse('an integer is expected')
}

/** An integer that a position or count can be: beyond 2^31 nothing fits. */
export function countOf(value: Value | undefined): number {
  const integer = integerOf(value)
  if (integer > 2n ** 31n || integer < -(2n ** 31n)) return refuse(`${integer} is out of range`)
  return Number(integer)
}

export function itemsOf(value: Value | undefined): readonly Value[] {
  return value?.kind === 'slice' ? value.items : []
}
