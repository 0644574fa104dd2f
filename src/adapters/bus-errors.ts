/** Refusals that every bus has in common. */
import { OrchestratorError } from '../domain/index.js'

export function tooLargeError(subject: string, { length }: Uint8Array, messageBytesMax: number): OrchestratorError {
  const text = `a message of ${length} bytes to ${subject} is more than the ${messageBytesMax} that the bus carries`
  return new OrchestratorError('BUS_TOO_LARGE', text, { subject, sizeBytes: length, messageBytesMax })
}
