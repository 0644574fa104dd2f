/**
 * What a file says before anything is evaluated: plain data, so that it may cross a thread boundary. `start` and `end` are
 * offsets in UTF-16 units into `text`; `end` is exclusive.
 */
export type Syntax = HclSyntax | JsonSyntax | YamlSyntax

export interface HclSyntax {
  readonly kind: 'hcl'
  readonly path: string
  readonly text: string
  readonly body: HclBody
}

/** JSON: HCL's JSON form (`{"job": …}`) or the API's (`{"Job": …}`). */
export interface JsonSyntax {
  readonly kind: 'json'
  readonly path: string
  readonly text: string
  readonly root: JsonNode
}

/** YAML in the same two forms. */
export interface YamlSyntax {
  readonly kind: 'yaml'
  readonly path: string
  readonly text: string
  readonly root: JsonNode
}

export interface Span {
  readonly start: number
  readonly end: number
}

/** Of a scalar in YAML, which is no text by its form alone: what it is where a text is wanted, `3.10` or `0xFF`. */
export interface Written {
  readonly written?: string
}

export interface HclBody extends Span {
  /** In source order. */
  readonly items: readonly (HclAttribute | HclBlock)[]
}

export interface HclAttribute extends Span {
  readonly kind: 'attribute'
  readonly name: string
  readonly nameEnd: number
  readonly value: Expression
}

export interface HclBlock extends Span {
  readonly kind: 'block'
  readonly type: string
  readonly labels: readonly Label[]
  /** Offset of the opening brace. */
  readonly open: number
  readonly body: HclBody
}

export interface Label extends Span {
  readonly value: string
}

export type Expression =
  | StringLiteral
  | NumberLiteral
  | (Span & Written & { readonly kind: 'bool'; readonly value: boolean })
  | (Span & { readonly kind: 'null' })
  | Template
  | (Span & { readonly kind: 'wrap'; readonly inner: Expression })
  | Traversal
  | (Span & { readonly kind: 'relative'; readonly source: Expression; readonly steps: readonly Step[] })
  | (Span & { readonly kind: 'index'; readonly source: Expression; readonly key: Expression; readonly open: number })
  | (Span & { readonly kind: 'splat'; readonly source: Expression; readonly each: Expression; readonly marker: Span })
  | (Span & { readonly kind: 'each' })
  | Call
  | Conditional
  | (Span & Written & { readonly kind: 'unary'; readonly operator: '-' | '!'; readonly operand: Expression })
  | (Span & { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression })
  | (Span & { readonly kind: 'tuple'; readonly items: readonly Expression[] })
  | ObjectLiteral
  | ForExpression
  | (Span & { readonly kind: 'join'; readonly each: ForExpression })
  | (Span & { readonly kind: 'paren'; readonly inner: Expression })

export type BinaryOperator = '||' | '&&' | '==' | '!=' | '>' | '>=' | '<' | '<=' | '+' | '-' | '*' | '/' | '%'

/** A literal piece of a template, its escapes undone; a plain quoted text is a template of one of them. */
export interface StringLiteral extends Span {
  readonly kind: 'string'
  readonly value: string
}

/** As written; evaluated with arbitrary precision. */
export interface NumberLiteral extends Span, Written {
  readonly kind: 'number'
  readonly text: string
}

export interface Template extends Span {
  readonly kind: 'template'
  readonly parts: readonly Expression[]
}

/** `root.step[0]…`; `runtime` is the text it stands for when its root is not known before run time. */
export interface Traversal extends Span {
  readonly kind: 'traversal'
  readonly root: string
  readonly rootEnd: number
  readonly steps: readonly Step[]
  readonly runtime: string
}

export type Step =
  | (Span & { readonly kind: 'name'; readonly name: string })
  | (Span & { readonly kind: 'key'; readonly key: StringLiteral | NumberLiteral })

export interface Call extends Span {
  readonly kind: 'call'
  readonly name: string
  readonly nameEnd: number
  readonly args: readonly Expression[]
  /** The last argument is `list...`. */
  readonly isExpanded: boolean
}

export interface Conditional extends Span {
  readonly kind: 'conditional'
  readonly condition: Expression
  readonly whenTrue: Expression
  readonly whenFalse: Expression
}

export interface ObjectLiteral extends Span {
  readonly kind: 'object'
  readonly items: readonly { readonly key: Expression; readonly value: Expression }[]
  /** Written in JSON or YAML, where an object is never wrapped in a list. */
  readonly isJson?: boolean
}

export interface ForExpression extends Span {
  readonly kind: 'for'
  readonly keyName: string | undefined
  readonly valueName: string
  readonly collection: Expression
  /** Set in the object form. */
  readonly key: Expression | undefined
  readonly value: Expression
  readonly condition: Expression | undefined
  readonly isGrouped: boolean
}

export type JsonNode =
  | (Span & { readonly kind: 'object'; readonly members: readonly JsonMember[] })
  | (Span & { readonly kind: 'array'; readonly items: readonly JsonNode[] })
  | (Span & { readonly kind: 'string'; readonly value: string })
  | (Span & Written & { readonly kind: 'number'; readonly text: string })
  | (Span & Written & { readonly kind: 'bool'; readonly value: boolean })
  | (Span & { readonly kind: 'null' })

export interface JsonMember {
  readonly name: string
  readonly nameSpan: Span
  readonly value: JsonNode
}
