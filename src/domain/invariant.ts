/** A bug in Drover itself: the process that meets one stops, because what it would do next is not known to be right. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Stops the process when what must always hold does not. The message says what was found, not what was expected. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** Closes a switch over a `kind`: compiles only when every kind has its case. */
export function assertNever(value: never): never {
  throw new InvariantError(`unknown kind ${JSON.stringify(value)}`)
}
