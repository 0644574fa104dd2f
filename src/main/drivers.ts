/** The drivers of a host. A new one is a folder of `adapters/drivers`, a schema of `jobspec/drivers`, and a row here. */
import { join } from 'node:path'
import { DockerDriver } from '../adapters/drivers/docker/docker-driver.js'
import { ExecDriver } from '../adapters/drivers/exec/exec-driver.js'
import { JavaDriver } from '../adapters/drivers/exec/java-driver.js'
import { QemuDriver } from '../adapters/drivers/qemu/qemu-driver.js'
import { RawExecDriver } from '../adapters/drivers/raw-exec/index.js'
import type { SupervisorClient } from '../adapters/supervisor/client.js'
import type { Driver } from '../agent/index.js'
import type { Clock, Logger } from '../domain/index.js'
import type { AgentConfig } from './agent-config.js'

export interface DriverPorts {
  readonly config: AgentConfig['drivers']
  readonly supervisor: SupervisorClient
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeId: string
  /** The agent's own. */
  readonly folder: string
}

export function createDrivers({ config, supervisor, environment, clock, logger, nodeId, folder }: DriverPorts): readonly Driver[] {
  const drivers: readonly (false | (() => Driver))[] = [
    config.raw_exec.enabled && (() => new RawExecDriver(supervisor, environment)),
    config.exec.enabled && (() => new ExecDriver(supervisor, config.exec, environment)),
    config.java.enabled && (() => new JavaDriver(supervisor, config.java, environment)),
    config.qemu.enabled && (() => new QemuDriver(supervisor, config.qemu, environment)),
    config.docker.enabled &&
      (() => new DockerDriver({ options: config.docker, environment, owner: nodeId, folder: join(folder, 'docker'), clock, logger })),
  ]
  return drivers.flatMap((create) => (create === false ? [] : [create()]))
}
