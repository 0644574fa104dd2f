/** The drivers of a host. A new one is a folder of `adapters/drivers`, a schema of `jobspec/drivers`, and a row here. */
import { RawExecDriver } from '../adapters/drivers/raw-exec/index.js'
import type { SupervisorClient } from '../adapters/supervisor/client.js'
import type { Driver } from '../agent/index.js'

export interface DriverPorts {
  readonly supervisor: SupervisorClient
  readonly environment: Readonly<Record<string, string | undefined>>
}

export function createDrivers({ supervisor, environment }: DriverPorts): readonly Driver[] {
  return [new RawExecDriver(supervisor, environment)]
}
