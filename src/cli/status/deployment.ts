import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { formatJson } from '../json.js'
import { formatAge, formatFacts, formatTable } from '../table.js'
import type { DeploymentAnswer } from '../wire.js'

/** One deployment: how far the roll-out of a version has come. */
export async function showDeployment(id: string, client: Client, io: Io, asJson: boolean): Promise<void> {
  const deployment = await client.get<DeploymentAnswer>(`/v1/deployment/${id}`)
  if (asJson) {
    io.out(formatJson(deployment))
    return
  }
  io.out(
    formatFacts([
      ['deployment', deployment.ID],
      ['job', `${deployment.JobID} version ${deployment.JobVersion}`],
      ['status', `${deployment.Status}: ${deployment.StatusDescription}`],
      ['created', `${formatAge(deployment.CreateTime, Date.now())} ago`],
    ]),
  )
  const rows = Object.entries(deployment.TaskGroups).map(([name, group]) =>
    [name, group.DesiredTotal, group.PlacedAllocs, group.HealthyAllocs, group.UnhealthyAllocs].map(String),
  )
  io.out(`\n${formatTable(['GROUP', 'DESIRED', 'PLACED', 'HEALTHY', 'UNHEALTHY'], rows)}`)
}
