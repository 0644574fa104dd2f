/** What the file of a host says of its work, as one text, so that it is carried out once each time that it changes. */
import type { NodeDeclaration } from './source.js'

/** Of a host that no file declares any more. */
export const UNDECLARED_STATEMENT = 'undeclared'

export function hostStatement({ isEligible, drain }: Pick<NodeDeclaration, 'isEligible' | 'drain'>): string {
  return JSON.stringify([isEligible, drain])
}

/** Undefined: the host is not declared any more. */
export function readHostStatement(statement: string): Pick<NodeDeclaration, 'isEligible' | 'drain'> | undefined {
  if (statement === UNDECLARED_STATEMENT) return undefined
  const [isEligible, drain] = JSON.parse(statement) as readonly [NodeDeclaration['isEligible'], NodeDeclaration['drain']]
  return { isEligible, drain }
}
