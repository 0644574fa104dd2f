/**
 * A failure of the outside world or a refused request, told with a stable code, the facts, and its cause.
 * Messages: lower case, what was attempted and on which id, then the remedy where one is known; no full stop.
 */
export class OrchestratorError extends Error {
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.facts = facts
  }
}

/** A failure that trying again cannot mend: wrong configuration, damaged data, a lock held by another process. */
export class TerminalError extends OrchestratorError {}

/** The log or a snapshot contradicts itself: nothing may be written until an operator has looked. Exit code 2. */
export class DataDamagedError extends TerminalError {}

/** The message of anything that was thrown, with the messages of its causes, innermost last. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${explainError(error.cause)}`
}
