/** Text's syntax as plain data; completed by `jobspec/syntax.ts`. */
export type Syntax = { readonly kind: string }
