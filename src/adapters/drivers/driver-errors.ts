/** What drivers refuse with, and how they read their configuration. */
import { OrchestratorError } from '../../domain/index.js'
import { type DriverConfigOf, type KnownDriver, readDriverConfig } from '../../jobspec/index.js'

export const NO_CPUSET = 'tasks cannot be bound to cores on this host: it has no cpuset controller'

/** @param isRecoverable a later try may succeed, as the restart policy allows */
export function startError(message: string, isRecoverable = false, cause?: unknown): OrchestratorError {
  return new OrchestratorError('DRIVER_START', message, { recoverable: isRecoverable }, cause)
}

/** @throws OrchestratorError DRIVER_CONFIG with every mistake */
export function configOf<Name extends KnownDriver>(driver: Name, config: Readonly<Record<string, unknown>>): DriverConfigOf<Name> {
  const reading = readDriverConfig(driver, config)
  if (reading.kind === 'config') return reading.config
  throw new OrchestratorError('DRIVER_CONFIG', `failed to parse config: ${reading.mistakes.join('; ')}`, { recoverable: false })
}
