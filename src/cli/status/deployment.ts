import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { type OutputFormat, printData } from '../output.js'
import { formatAge, formatFacts, formatTable } from '../table.js'
import { paintStatus } from '../terminal.js'
import type { DeploymentAnswer } from '../wire.js'

/** One deployment: how far the roll-out of a version has come. */
export async function showDeployment(id: string, client: Client, io: Io, format: OutputFormat): Promise<void> {
  const deployment = await client.get<DeploymentAnswer>(`/v1/deployment/${id}`)
  if (await printData(format, deployment, [deployment.ID], io)) return
  io.out(
    formatFacts([
      ['deployment', deployment.ID],
      ['job', `${deployment.JobID} version ${deployment.JobVersion}`],
      ['status', `${paintStatus(deployment.Status, io.terminal)}: ${deployment.StatusDescription}`],
      ['created', `${formatAge(deployment.CreateTime, Date.now())} ago`],
    ]),
  )
  const rows = Object.entries(deployment.TaskGroups).map(([name, group]) =>
    [name, group.DesiredTotal, group.PlacedAllocs, group.HealthyAllocs, group.UnhealthyAllocs].map(String),
  )
  io.out(`\n${formatTable(['GROUP', 'DESIRED', 'PLACED', 'HEALTHY', 'UNHEALTHY'], rows, io.terminal)}`)
}
