import type { Bytes } from './bytes.js'

/** Where in a template: both count from 1 and 0 as Go does; `column` counts bytes. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** The template is wrong, or what it asks for cannot be done. */
export class TemplateFailure extends Error {
  constructor(
    text: string,
    readonly line: number,
    readonly column: number | undefined,
  ) {
    super(text)
  }
}

/** A function does not take its arguments; the executor adds its name and place. */
export class FunctionRefusal extends Error {}

export function refuse(message: string): never {
  throw new FunctionRefusal(message)
}

export function placeOf(source: Bytes, position: number): Place {
  const before = source.slice(0, position)
  return { line: before.split('\n').length, column: position - (before.lastIndexOf('\n') + 1) }
}
