/** What a template is read into. `position` is where errors about a node point to, in bytes from the start of the source. */
import type { Bytes } from './bytes.js'

interface Positioned {
  readonly position: number
  /** As written, for messages. */
  readonly source: Bytes
}

export interface NumberNode extends Positioned {
  readonly kind: 'number'
  /** What Go's constant can be taken for; a float without a fraction is also an integer. */
  readonly integer: bigint | undefined
  readonly float: number | undefined
  /** Written with a point or an exponent: a float where nothing else is asked for. */
  readonly isWrittenAsFloat: boolean
}

export type Operand =
  | NumberNode
  | (Positioned & { readonly kind: 'string'; readonly value: Bytes })
  | (Positioned & { readonly kind: 'bool'; readonly value: boolean })
  | (Positioned & { readonly kind: 'nil' })
  | (Positioned & { readonly kind: 'dot' })
  | (Positioned & { readonly kind: 'field'; readonly path: readonly Bytes[] })
  | (Positioned & { readonly kind: 'variable'; readonly name: Bytes; readonly path: readonly Bytes[] })
  | (Positioned & { readonly kind: 'function'; readonly name: Bytes })
  | (Positioned & { readonly kind: 'chain'; readonly base: Operand; readonly path: readonly Bytes[] })
  | Pipeline

export interface Command extends Positioned {
  readonly operands: readonly [Operand, ...Operand[]]
}

export interface Pipeline extends Positioned {
  readonly kind: 'pipeline'
  readonly declares: readonly Bytes[]
  /** `=` instead of `:=`. */
  readonly isAssignment: boolean
  readonly commands: readonly Command[]
}

export type Body = readonly TemplateNode[]

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: Bytes }
  | (Positioned & { readonly kind: 'action'; readonly pipeline: Pipeline })
  | (Positioned & {
      readonly kind: 'if' | 'with' | 'range'
      readonly pipeline: Pipeline
      readonly body: Body
      readonly otherwise: Body | undefined
    })
  | (Positioned & { readonly kind: 'template'; readonly name: Bytes; readonly pipeline: Pipeline | undefined })
  | { readonly kind: 'break' | 'continue' }

export interface ParsedTemplate {
  readonly source: Bytes
  readonly body: Body
  /** By name; the template itself is `''`. */
  readonly definitions: ReadonlyMap<Bytes, Body>
}
