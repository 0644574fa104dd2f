/** What a function asks for and answers. */
import type { Files } from '../evaluation.js'
import type { Type, Value } from '../values.js'

export interface Parameter {
  readonly name: string
  readonly type: Type
  readonly allowsNull?: boolean
}

export interface CallContext {
  readonly files: Files | undefined
  /** Asks for a file's text; `undefined` when the caller has to come again with it. */
  readonly textOf: (path: string) => string | undefined
  /** Notes that the answer depends on this path being there, or on what is below it when it ends in a slash. */
  readonly depend: (path: string) => void
  /** Accounts for characters and elements before they are made. */
  readonly produce: (amount: number) => void
  /** Accounts for work beyond one walk of the arguments. */
  readonly spend: (steps: number) => void
  readonly warn: (sentence: string) => void
  /** How many times, this one included, values that Nomad draws at random were asked for; and the file they are for. */
  readonly nextSeed: () => string
}

export interface FunctionSignature {
  readonly parameters: readonly Parameter[]
  readonly rest?: Parameter
  /** @throws Refusal with what the author has to change */
  readonly run: (args: readonly Value[], context: CallContext) => Value
}

/** The arguments are of the right types and still make no sense. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** Position of the argument to blame, if one is. */
    readonly argument?: number,
  ) {
    super(message)
  }
}

export function refuse(message: string, argument?: number): never {
  throw new Refusal(message, argument)
}

export type FunctionTable = Readonly<Record<string, FunctionSignature>>

export const text = (name: string): Parameter => ({ name, type: 'string' })
export const number = (name: string): Parameter => ({ name, type: 'number' })
export const anything = (name: string): Parameter => ({ name, type: 'dynamic' })
export const nullable = (name: string): Parameter => ({ name, type: 'dynamic', allowsNull: true })
export const listOf = (name: string, of: Type): Parameter => ({ name, type: { kind: 'list', of } })

/** The text of an argument whose parameter is a string. */
export function asText(value: Value | undefined): string {
  return value?.kind === 'string' ? value.value : ''
}
