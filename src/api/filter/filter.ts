/** The door of filtering: text to a test of stored objects. */
import { evaluateFilter } from './evaluate.js'
import { parseFilter } from './parse.js'
import { type Filterable, STRUCTS } from './structs.js'
import { parseType } from './types.js'

export { FilterValueError } from './evaluate.js'
export { FilterSyntaxError } from './syntax.js'

/**
 * @returns whether an object fits. It throws FilterValueError where the expression does not fit the type.
 * @throws FilterSyntaxError
 */
export function createFilter(text: string, name: Filterable): (value: object) => boolean {
  const expression = parseFilter(text)
  const type = parseType(name, STRUCTS)
  return (value) => evaluateFilter(expression, { type, value }, STRUCTS)
}
